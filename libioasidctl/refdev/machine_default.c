// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The machine that the reference device plays when it is given none. Its first part is the QEMU
 * machine of the tests on a real kernel, group numbers and all, so that one config serves both;
 * behind it come the things that machine lacks.
 */
#include "refdev/refdev.h"

/* JSON as it is, made a string by the preprocessor. */
#define TEXT(...) #__VA_ARGS__

// clang-format off
const char refdev_default_machine[] = TEXT(
{"schema_version": 1,
 "shared_formats": [["vtd", "mock"]],
 "drivers": ["virtio-pci", "xhci_hcd", "nvme", "igb", "edu"],

 "iommus": [
  {"name": "dmar0", "format": "vtd", "address_bits": 48, "page_sizes": ["4K", "2M", "1G"],
   "nesting": true, "nested_formats": ["vtd-s1", "x86-64"], "viommu_types": ["default"],
   "hw_queues": 2, "dirty_tracking": true, "snoop_control": true, "pasid_bits": 20},
  {"name": "dmar1", "format": "vtd", "address_bits": 39, "page_sizes": ["4K", "2M"]},
  {"name": "dmar2", "format": "vtd", "address_bits": 48, "page_sizes": ["4K", "2M", "1G"],
   "snoop_control": true},
  {"name": "smmu0", "format": "arm-smmuv3", "address_bits": 48,
   "page_sizes": ["4K", "2M", "1G"], "nesting": true, "dirty_tracking": true, "pasid_bits": 20},
  {"name": "mock0", "format": "mock", "address_bits": 31, "page_sizes": ["2K"],
   "aperture": {"first": "0x1000000", "last": "0x7fffffff"}, "nesting": true,
   "nested_formats": ["mock"], "viommu_types": ["mock"], "hw_queues": 2,
   "dirty_tracking": true, "pasid_bits": 20}
 ],

 "groups": [
  {"id": 0, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 1, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 2, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 3, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 4, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 5, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 6, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 7, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 8, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 9, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"},
                         {"first": "0xc0000000", "last": "0xc0ffffff", "type": "direct"}]},
  {"id": 10, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 11, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 12, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 13, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 14, "reserved": [{"first": "0xfee00000", "last": "0xfeefffff", "type": "msi"}]},
  {"id": 20, "reserved": [{"first": "0x8000000", "last": "0x80fffff", "type": "msi"}]},
  {"id": 21, "reserved": [{"first": "0x8000000", "last": "0x80fffff", "type": "msi"}]},
  {"id": 22, "reserved": [{"first": "0x8000000", "last": "0x80fffff", "type": "msi"}]},
  {"id": 30}, {"id": 31}, {"id": 32}, {"id": 33}
 ],

 "devices": [
  {"pci": "0000:00:00.0", "vendor": "0x8086", "device": "0x29c0", "class": "0x060000",
   "iommu": "dmar0", "group": 0, "bridge": true},
  {"pci": "0000:00:01.0", "vendor": "0x1af4", "device": "0x1009", "class": "0x000200",
   "driver": "virtio-pci", "iommu": "dmar0", "group": 1},
  {"pci": "0000:00:03.0", "vendor": "0x1234", "device": "0x11e8", "class": "0x00ff00",
   "iommu": "dmar0", "group": 2},
  {"pci": "0000:00:04.0", "vendor": "0x1b36", "device": "0x0005", "class": "0x00ff00",
   "iommu": "dmar0", "group": 3},
  {"pci": "0000:00:05.0", "vendor": "0x1b36", "device": "0x000c", "class": "0x060400",
   "driver": "pcieport", "iommu": "dmar0", "group": 4, "bridge": true},
  {"pci": "0000:00:07.0", "vendor": "0x1b36", "device": "0x000c", "class": "0x060400",
   "driver": "pcieport", "iommu": "dmar0", "group": 5, "bridge": true},
  {"pci": "0000:00:1f.0", "vendor": "0x8086", "device": "0x2918", "class": "0x060100",
   "iommu": "dmar0", "group": 6, "bridge": true},
  {"pci": "0000:00:1f.2", "vendor": "0x8086", "device": "0x2922", "class": "0x010601",
   "driver": "ahci", "iommu": "dmar0", "group": 6},
  {"pci": "0000:00:1f.3", "vendor": "0x8086", "device": "0x2930", "class": "0x0c0500",
   "iommu": "dmar0", "group": 6},
  {"pci": "0000:01:00.0", "vendor": "0x8086", "device": "0x10d3", "class": "0x020000",
   "driver": "e1000e", "iommu": "dmar0", "group": 7},
  {"pci": "0000:02:00.0", "vendor": "0x1b36", "device": "0x000e", "class": "0x060400",
   "iommu": "dmar0", "group": 8, "bridge": true},
  {"pci": "0000:03:01.0", "vendor": "0x1234", "device": "0x11e8", "class": "0x00ff00",
   "iommu": "dmar0", "group": 8},
  {"pci": "0000:03:02.0", "vendor": "0x1234", "device": "0x11e8", "class": "0x00ff00",
   "iommu": "dmar0", "group": 8},

  {"pci": "0000:04:00.0", "vendor": "0x1002", "device": "0x73bf", "class": "0x030000",
   "iommu": "dmar2", "group": 9, "no_snoop": true},
  {"pci": "0000:05:00.0", "vendor": "0x15b3", "device": "0x101d", "class": "0x020000",
   "driver": "mlx5_core", "iommu": "dmar0", "group": 10, "pasid_bits": 20, "page_faults": true},
  {"pci": "0000:05:00.1", "vendor": "0x15b3", "device": "0x101d", "class": "0x020000",
   "driver": "mlx5_core", "iommu": "dmar0", "group": 10, "pasid_bits": 20},
  {"pci": "0000:06:00.0", "vendor": "0x10ec", "device": "0x8168", "class": "0x020000",
   "iommu": "dmar1", "group": 11},
  {"mdev": "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001", "iommu": "dmar0", "group": 12},
  {"vdpa": "vdpa0", "driver": "vhost_vdpa", "iommu": "dmar0", "group": 13},
  {"vdpa": "vdpa1", "driver": "virtio_vdpa", "iommu": "dmar0", "group": 14},

  {"pci": "0001:00:00.0", "vendor": "0x144d", "device": "0xa80a", "class": "0x010802",
   "driver": "nvme", "iommu": "smmu0", "group": 20},
  {"platform": "fff00000.dma", "iommu": "smmu0", "group": 21},
  {"platform": "fff51000.ethernet", "driver": "xgmac", "iommu": "smmu0", "group": 22},

  {"mock": 0, "iommu": "mock0", "group": 30, "pasid_bits": 20, "page_faults": true},
  {"mock": 1, "iommu": "mock0", "group": 31, "pasid_bits": 20, "page_faults": true},
  {"mock": 2, "iommu": "mock0", "group": 32, "pasid_bits": 20, "page_faults": true},
  {"mock": 3, "iommu": "mock0", "group": 33, "pasid_bits": 20, "page_faults": true},

  {"pci": "0000:ff:0b.0", "vendor": "0x8086", "device": "0x2f81", "class": "0x088000"}
 ]}
);
// clang-format on
