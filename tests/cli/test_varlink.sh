#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The holder as a varlink service: a client that knows nothing but the interface descriptions.
. tests/cli/support.sh

mkfifo ready
"$ioasidctl" daemon --ready-fd 3 3>ready 2>log &
head -c 1 <ready >/dev/null
run "$python" "$top/tests/cli/varlink_client.py" "$IOASIDCTL_SOCKET"
exits 0 "a client that reads the descriptions"
cp "$out" found
while read -r outcome _ name; do
	[ "$outcome" = ok ]
	result $? "$name"
done < <(sed 's/^not ok/not_ok/' found)
says found "io.ioasidctl.Delete: a good call's reply" "it got to its end"
finish
