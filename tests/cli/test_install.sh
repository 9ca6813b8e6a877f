#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make install and uninstall, into a directory of their own; a program built on what is installed.
. tests/cli/support.sh
make="make -s -C $top O=$(dirname "$ioasidctl")"

if ! command -v scdoc >/dev/null; then
	echo "ok $((count += 1)) - install # skip: no scdoc for the manual pages"
	finish
fi
run $make install "DESTDIR=$place/root" prefix=/usr
exits 0 "install: exit status"
(cd root && find . ! -type d | sort) >list
for file in bin/ioasidctl lib/libioasidctl.a lib/libioasidctl.so lib/pkgconfig/libioasidctl.pc \
	include/ioasidctl/ioasidctl.h include/ioasidctl/uapi/ioasid.h share/man/man1/ioasidctl.1 \
	share/bash-completion/completions/ioasidctl share/zsh/site-functions/_ioasidctl \
	share/fish/vendor_completions.d/ioasidctl.fish share/ioasidctl/schemas/show.schema.json \
	lib/systemd/system/ioasidctl.service lib/systemd/system/ioasidctl.socket; do
	says list "./usr/$file" "install: $file"
done
run "$place/root/usr/bin/ioasidctl" --version
exits 0 "the installed command runs"
says root/usr/lib/systemd/system/ioasidctl.service "ExecStart=/usr/bin/ioasidctl daemon" \
	"the unit starts the installed command"
run grep -rlE "@[a-z]+@|$place" root/usr --include='*.pc' --include='*.service'
silent "$out" "no template is left unfilled, no DESTDIR got in"

if ! nm -D --defined-only root/usr/lib/libioasidctl.so | grep -q ' T ioasidctl_'; then
	echo "ok $((count += 1)) - a program on the library # skip: it exports nothing yet"
else
	printf '#include <ioasidctl.h>\nint main(void) { return 0; }\n' >program.c
	export PKG_CONFIG_PATH=$place/root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$place/root
	# shellcheck disable=SC2046
	run ${CC:-cc} -o program program.c $(pkg-config --cflags --libs libioasidctl)
	exits 0 "a program finds header and library through pkg-config"
fi
run $make uninstall "DESTDIR=$place/root" prefix=/usr
exits 0 "uninstall: exit status"
is "$(find root ! -type d)" "" "uninstall leaves no file"
finish
