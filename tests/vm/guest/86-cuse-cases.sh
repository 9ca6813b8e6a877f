# SPDX-License-Identifier: GPL-2.0-or-later
# The table of cases on the reference device behind its node.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

mkfifo ready
"$tool" serve --ready-fd 4 4>ready >serve.log 2>&1 &
server=$!
head -c 1 <ready >/dev/null
conformance cuse cuse-mock
kill "$server"
wait "$server"
is "the server of the node ends well" "$?" 0
finish
