/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The varlink interfaces that the holder speaks, as text. */
#pragma once

#define INTERFACE_OWN	  "io.ioasidctl"
#define INTERFACE_SERVICE "org.varlink.service"

#define VARLINK_FAILED		  INTERFACE_OWN ".Failed"
#define VARLINK_NO_INTERFACE	  INTERFACE_SERVICE ".InterfaceNotFound"
#define VARLINK_NO_METHOD	  INTERFACE_SERVICE ".MethodNotFound"
#define VARLINK_EXPECTED_MORE	  INTERFACE_SERVICE ".ExpectedMore"
#define VARLINK_INVALID_PARAMETER INTERFACE_SERVICE ".InvalidParameter"

struct interface {
	const char *name;
	const char *text;
};

/* Terminated by an entry without a name. schemas/io.ioasidctl.varlink is the text of ours. */
extern const struct interface interfaces[];
