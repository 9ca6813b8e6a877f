#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a tree of /sys as a large host shows it: make_host_tree.py DIR [DEVICES]

PCI functions of several vendors, two to an IOMMU group, behind eight IOMMUs in scalable mode, with
configuration spaces that hold a list of extended capabilities.
"""
import os
import struct
import sys

IOMMUS = 8
KINDS = (  # vendor, device, class, driver
    (0x8086, 0x1572, 0x020000, "i40e"),
    (0x8086, 0x154C, 0x020000, "vfio-pci"),
    (0x15B3, 0x1019, 0x020000, "mlx5_core"),
    (0x144D, 0xA80A, 0x010802, "nvme"),
    (0x10DE, 0x20B5, 0x030200, "vfio-pci"),
    (0x8086, 0x4940, 0x0B4000, None),
)


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else (content + "\n").encode())


def link(target, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(os.path.relpath(target, os.path.dirname(path)), path)


def config(vendor, device, code):
    space = bytearray(4096)
    struct.pack_into("<HHHHI", space, 0, vendor, device, 0x0406, 0x0010, code << 8 | 1)
    struct.pack_into("<HHB", space, 0x2C, vendor, 1, 0)
    chain = ((0x0001, 0x148), (0x000E, 0x158), (0x000F, 0x168), (0x001B, 0))  # AER, ARI, ATS, PASID
    at = 0x100
    for capability, following in chain:
        struct.pack_into("<I", space, at, following << 20 | 1 << 16 | capability)
        if capability == 0x001B:
            struct.pack_into("<I", space, at + 4, 20 << 8)
        at = following
    return bytes(space)


def main():
    root, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    sys_dir = root + "/sys"
    for i in range(IOMMUS):
        iommu = f"{sys_dir}/devices/virtual/iommu/dmar{i}"
        write(iommu + "/intel-iommu/cap", "8d2078c106f0466")
        write(iommu + "/intel-iommu/ecap", "3ef9b9f0ff0efdf")
        link(iommu, f"{sys_dir}/class/iommu/dmar{i}")
    for i in range(n):
        bus, function = divmod(i, 8)
        address = f"0000:{bus:02x}:00.{function}"
        port = f"{sys_dir}/devices/pci0000:00/0000:00:{bus % 32:02x}.0"
        device, group = f"{port}/{address}", f"{sys_dir}/kernel/iommu_groups/{i // 2}"
        vendor, ident, code, driver = KINDS[(i // 2) % len(KINDS)]
        modalias = f"pci:v{vendor:08X}d{ident:08X}sv{vendor:08X}sd00000001bc02sc00i00"
        write(device + "/uevent", (f"DRIVER={driver}\n" if driver else "") +
              f"PCI_CLASS={code:X}\nPCI_ID={vendor:04X}:{ident:04X}\n"
              f"PCI_SUBSYS_ID={vendor:04X}:0001\nPCI_SLOT_NAME={address}\nMODALIAS={modalias}")
        write(device + "/vendor", f"0x{vendor:04x}")
        write(device + "/device", f"0x{ident:04x}")
        write(device + "/subsystem_vendor", f"0x{vendor:04x}")
        write(device + "/subsystem_device", "0x0001")
        write(device + "/class", f"0x{code:06x}")
        write(device + "/revision", "0x01")
        write(device + "/irq", "0")
        write(device + "/modalias", modalias)
        write(device + "/numa_node", str(bus % 2))
        write(device + "/driver_override", "vfio-pci" if driver == "vfio-pci" else "(null)")
        write(device + "/resource", "\n".join([f"0x{0:016x} 0x{0:016x} 0x{0:016x}"] * 13))
        write(device + "/config", config(vendor, ident, code))
        link(device, f"{sys_dir}/bus/pci/devices/{address}")
        link(f"{sys_dir}/bus/pci", device + "/subsystem")
        link(group, device + "/iommu_group")
        link(device, f"{group}/devices/{address}")
        link(f"{sys_dir}/devices/virtual/iommu/dmar{i % n * IOMMUS // n}", device + "/iommu")
        write(group + "/type", "DMA-FQ")
        write(group + "/reserved_regions", "0x00000000fee00000 0x00000000feefffff msi")
        if driver:
            os.makedirs(f"{sys_dir}/bus/pci/drivers/{driver}", exist_ok=True)
            link(f"{sys_dir}/bus/pci/drivers/{driver}", device + "/driver")
        if driver == "vfio-pci":
            os.makedirs(f"{device}/vfio-dev/vfio{i}")
            write(f"{root}/dev/vfio/devices/vfio{i}", "")
    os.makedirs(f"{sys_dir}/bus/pci/slots", exist_ok=True)
    write(root + "/proc/sys/kernel/osrelease", "7.3.4")


main()
