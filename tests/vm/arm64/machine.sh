# SPDX-License-Identifier: GPL-2.0-or-later
# The arm64 machine of tests/vm/run: an SMMUv3 that translates in two stages. Everything it runs is
# in an initramfs, statically linked.
# shellcheck shell=bash disable=SC2154

# Prints the arguments that every boot of it has: the devices of the other machines, at the same
# addresses, but for the two of one group. Linux's SMMUv3 knows only one device with the stream id of
# a bridge, so these are functions of one device. And a serial port for TAP.
arm64_machine() {
	local wide=dma_mask=0xffffffffffffffff
	printf '%s\n' -M virt,gic-version=3,iommu=smmuv3 -global arm-smmuv3.stage=nested -cpu max \
		-accel tcg -smp 1 -m 1G -nodefaults -display none -no-reboot \
		-bios "$arm64/efi/usr/share/qemu-efi-aarch64/QEMU_EFI.fd" \
		-device "edu,bus=pcie.0,addr=3,$wide" -device pci-testdev,addr=4 \
		-device pcie-root-port,id=rp0,addr=5,chassis=1 -device e1000e,bus=rp0 \
		-device "edu,bus=pcie.0,addr=9.0,multifunction=on,$wide" \
		-device "edu,bus=pcie.0,addr=9.1,$wide" \
		-device virtio-serial-pci,addr=8 -device virtconsole,chardev=tap \
		-kernel "$arm64_kernel"
}

arm64_boot() { # INITRAMFS TAP
	local arguments emulator=qemu-system-aarch64
	if [ -x "$arm64/qemu/usr/bin/$emulator" ]; then
		emulator=$arm64/qemu/usr/bin/$emulator
		arguments=(-L "$arm64/qemu/usr/share/qemu")
	fi
	mapfile -t -O "${#arguments[@]}" arguments < <(arm64_machine)
	timeout -k 5 "${VM_TIMEOUT:-1800}" "$emulator" "${arguments[@]}" -initrd "$1" \
		-serial "file:$job/console" -chardev "file,id=tap,path=$2" \
		-append "console=ttyAMA0 acpi=force iommu.passthrough=0 quiet panic=-1" \
		>"$job/qemu" 2>&1 </dev/null
}

arm64_archive() { # DIRECTORY
	(cd "$1" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0)
}

# The tree of the initramfs without scripts.
arm64_tree() { # DIRECTORY
	mkdir -p "$1"/{bin,proc,sys,dev,run,tmp,root,top/tests/vm/guest-arm64,build/tests/{vm,conformance}}
	cp "$arm64/root/bin/busybox" "$1/bin/"
	cp "$arm64/root/bin/bash-static" "$1/bin/bash"
	cp "$here/arm64/init" "$1/init"
}

# The table that has to replace the firmware's, in front of every later initramfs.
arm64_iort() { # ARCHIVE
	local tree=$job/iort
	arm64_tree "$job/first"
	arm64_archive "$job/first" >"$job/first.cpio"
	arm64_boot "$job/first.cpio" "$job/table"
	mkdir -p "$tree/kernel/firmware/acpi"
	tr -d '\r' <"$job/table" | grep -v '^##' |
		"$here/arm64/coherent-iort" >"$tree/kernel/firmware/acpi/iort.aml" 2>>"$job/qemu" || return
	arm64_archive "$tree" >"$1"
}

boot_arm64() { # SCRIPT...
	local tree=$job/tree
	# The table is that of the machine above.
	if [ ! "$arm64/iort.cpio" -nt "$here/arm64/machine.sh" ]; then
		arm64_iort "$job/iort.cpio" || {
			fail "guest-arm64: no IORT table from the first boot"
			{ tail -n 3 "$job/qemu"; tail -n 20 "$job/console"; } | tr -d '\r' | sed 's/^/# /'
			return
		}
		mv "$job/iort.cpio" "$arm64/iort.cpio"
	fi
	arm64_tree "$tree"
	cp "$@" "$tree/top/tests/vm/guest-arm64/"
	cp "$here/lib.sh" "$tree/top/tests/vm/"
	cp "$arm64/static/ioasidctl" "$tree/build/"
	cp "$arm64/static/tests/vm/smmu_dma" "$tree/build/tests/vm/"
	cp "$arm64/static/tests/conformance/test_cases" "$tree/build/tests/conformance/"
	cp -r "$top/examples" "$tree/top/"
	{ cat "$arm64/iort.cpio"; arm64_archive "$tree"; } >"$job/initramfs"
	arm64_boot "$job/initramfs" "$job/tap"
	report guest-arm64 $?
}
