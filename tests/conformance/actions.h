/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What steps do with a live topology beside applying configs. OBJECT, DEVICE and MEMORY are names
 * of the topology; what is answered comes as text.
 *
 *	reaches DEVICE IOVA MEMORY OFFSET [PASID]  its DMA goes there: "yes", "no"
 *	domains IOASID				how many page tables there are: "1"
 *	ranges IOASID				addresses that may be mapped
 *	invalidate OBJECT ENTRY			(as of the command)
 *	dirty IOASID on|off
 *	soil DEVICE IOVA			the device writes there
 *	soiled IOASID FIRST-LAST [keep]		the pages that were written: "@0x1000 @0x3000"
 *	fault DEVICE IOVA [PASID]		the device asks for a page
 *	faults IOASID				what waits: "edu @0x1000"
 *	answer IOASID success|invalid		to the last one that was shown
 *	stray DEVICE				the device's DMA goes nowhere
 *	events VIOMMU				"1", "0": whether there are any; they are taken out
 *
 * and the calls of the driver, past all checks of configs and plans:
 *
 *	map IOASID IOVA LENGTH MEMORY OFFSET	unmap IOASID IOVA LENGTH
 *	place IOASID LENGTH MEMORY OFFSET	(mapped wherever there is room)
 *	copy IOASID IOVA LENGTH SOURCE FROM	allow IOASID FIRST LAST
 *	free OBJECT				probe OBJECT
 *	attach DEVICE IOASID [PASID]		detach DEVICE [PASID]
 *	nest PARENT DEVICE			viommu PARENT DEVICE TYPE
 *	vdevice VIOMMU DEVICE ID		queue VIOMMU INDEX IOVA LENGTH
 *	event-queue VIOMMU DEPTH		rebind DEVICE	(opened and bound once more)
 */
#pragma once

#include "apply/engine.h"
#include "backends.h"

struct scene {
	const struct backend *backend;
	struct driver_env env;
	struct engine *engine;
	uint32_t cookie; /* of the last fault that was shown */
};

/* `text` is expanded. *answer: the caller's; NULL: none. -errno as of the call. */
int act(struct scene *s, const char *text, char **answer, struct ioasidctl_error **err);
