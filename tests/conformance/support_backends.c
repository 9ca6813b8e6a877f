// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include "base/cleanup.h"
#include "hardware.h"
#include "uapi/iommufd_test.h"

#define HARDWARE_LACKS           \
	{                        \
		ERROR_REFUSED, 0 \
	}
#define NOT_ASKED           \
	{                   \
		NO_ERROR, 0 \
	}

/* The PCI devices of the VM's machines, which the default machine of the reference device copies.
 */
#define PCI_SINGLES                                                \
	{"edu", "pci: '0000:00:03.0', driver: vfio-pci"},          \
		{"test", "pci: '0000:00:04.0', driver: vfio-pci"}, \
	{                                                          \
		"nic", "pci: '0000:01:00.0'"                       \
	}
#define PCI_DEVICES                                                     \
	PCI_SINGLES, {"left", "pci: '0000:03:01.0', driver: vfio-pci"}, \
	{                                                               \
		"right", "pci: '0000:03:02.0', driver: vfio-pci"        \
	}
#define MOCK_DEVICES              \
	{"edu", "mock: 0"},       \
	{                         \
		"test", "mock: 1" \
	}

/* The window: where no device may reach by a mapping. */
#define X86_WINDOW                          \
	{"window", "0xfee00000"},           \
	{                                   \
		"window_last", "0xfee0ffff" \
	}

/* Nested IOASIDs on the parent alone. */
#define BARE                             \
	{"on", ""},                      \
	{                                \
		"viommus", "viommus: []" \
	}

static const struct word vtd_words[] = {
	PCI_DEVICES,
	X86_WINDOW,
	BARE,
	{"table", "{format: vtd-s1, address: 0x10000}"},
	{"other_table", "{format: vtd-s1, address: 0x20000}"},
	{"wrong_table", "{format: mock}"},
	{"unknown_table", "{format: x86-64, address: 0x10000}"},
	{"type", "default"},
	{"wrong_type", "arm-smmuv3"},
	{"eventless_type", "default"},
	{"entry", "0x0-0xfff"},
	{"cache", "s1"},
	{"bad_entry", "0x100-0x1ff"},
	{NULL, NULL},
};

static const struct word reference_words[] = {
	PCI_DEVICES,
	X86_WINDOW,
	BARE,
	{"table", "{format: x86-64, address: 0x10000}"},
	{"other_table", "{format: x86-64, address: 0x20000}"},
	{"wrong_table", "{format: mock}"},
	{"unknown_table", "{format: arm-smmuv3, ste: [0x1000b, 0xd4]}"},
	{"type", "default"},
	{"wrong_type", "mock"},
	{"eventless_type", "default"},
	{"entry", "0x0-0xfff"},
	{"cache", "s1"},
	{"bad_entry", "0x100-0x1ff"},
	{NULL, NULL},
};

/* What Linux's mock IOMMU can't reach is below its aperture. */
static const struct word mock_words[] = {
	MOCK_DEVICES,
	{"window", "0x0"},
	{"window_last", "0xffff"},
	BARE,
	{"table", "{format: mock, iotlb: 0x11}"},
	{"other_table", "{format: mock, iotlb: 0x22}"},
	{"wrong_table", "{format: vtd-s1, address: 0x4000}"},
	{"unknown_table", "{format: x86-64, address: 0x10000}"},
	{"type", "mock"},
	{"wrong_type", "arm-smmuv3"},
	{"eventless_type", "default"},
	{"entry", "command:1"},
	{"cache", "s1"},
	{"bad_entry", "command:0x7fff"},
	{NULL, NULL},
};

static const struct word reference_mock_words[] = {
	MOCK_DEVICES,
	{"window", "0x0"},
	{"window_last", "0xffff"},
	BARE,
	{"table", "{format: mock, iotlb: 0x11}"},
	{"other_table", "{format: mock, iotlb: 0x22}"},
	{"wrong_table", "{format: vtd-s1, address: 0x4000}"},
	{"unknown_table", "{format: arm-smmuv3, ste: [0x1000b, 0xd4]}"},
	{"type", "mock"},
	{"wrong_type", "arm-smmuv3"},
	{"eventless_type", "default"},
	{"entry", "command:1"},
	{"cache", "s1"},
	{"bad_entry", "command:0x7fff"},
	{NULL, NULL},
};

/*
 * A guest's table is a stream table entry here: valid, stage 1 only, a context descriptor in the
 * memory at @0x10000; and it takes a vIOMMU that knows the device.
 */
static const struct word smmuv3_words[] = {
	PCI_SINGLES,
	{"left", "pci: '0000:00:09.0', driver: vfio-pci"},
	{"right", "pci: '0000:00:09.1', driver: vfio-pci"},
	{"window", "0x8000000"},
	{"window_last", "0x800ffff"},
	{"on", ", viommu: near"},
	{"viommus", "viommus: [{name: near, parent: gpa, device: edu, type: arm-smmuv3, vdevices: "
		    "[{device: edu, id: 0x18}, {device: test, id: 0x20}]}]"},
	{"table", "{format: arm-smmuv3, ste: [0x4001000b, 0xd4]}"},
	{"other_table", "{format: arm-smmuv3, ste: [0x4002000b, 0xd4]}"},
	{"wrong_table", "{format: vtd-s1, address: 0x4000}"},
	{"unknown_table", "{format: x86-64, address: 0x10000}"},
	{"type", "arm-smmuv3"},
	{"wrong_type", "mock"},
	{"eventless_type", "default"},
	{"entry", "0x0-0xfff"},
	{"cache", "near"},
	{"bad_entry", "command:0x1,0"},
	{NULL, NULL},
};

#define LONE_MOCK_DEVICES                                                             \
	{FEATURE_PAIR, "each of its devices is alone in its IOMMU group", NOT_ASKED}, \
	{                                                                             \
		FEATURE_HOST_DRIVER, "its devices have no host drivers", NOT_ASKED    \
	}

static const struct lack reference_lacks[] = {
	{CAP_PASID, "the devices of the machine it copies have no PASIDs", HARDWARE_LACKS},
	{CAP_FAULT_QUEUE, "those devices can't wait for pages", HARDWARE_LACKS},
	{FEATURE_TWO_VIOMMUS, "its vIOMMUs have event queues, whatever their type", NOT_ASKED},
	{0, NULL, NOT_ASKED},
};

static const struct lack reference_mock_lacks[] = {
	LONE_MOCK_DEVICES,
	{FEATURE_GUEST_FAULT, "its mock tables let every address through to the parent", NOT_ASKED},
	{FEATURE_TWO_VIOMMUS, "its vIOMMUs have event queues, whatever their type", NOT_ASKED},
	{0, NULL, NOT_ASKED},
};

static const struct lack mock_lacks[] = {
	LONE_MOCK_DEVICES,
	{FEATURE_QUEUE_STACK,
	 "Linux's mock IOMMU forgets the index of a queue (mock_hw_queue is never given it), so "
	 "that the place of a freed one isn't free",
	 NOT_ASKED},
	{0, NULL, NOT_ASKED},
};

#define NO_PASIDS \
	"its devices have no PASIDs; Linux takes any PASID of such a device, which changes nothing"

static const struct lack vtd_lacks[] = {
	{CAP_NESTED, "QEMU's VT-d has no nested translation", HARDWARE_LACKS},
	{CAP_NEST_PARENT, "QEMU's VT-d has no nested translation", HARDWARE_LACKS},
	{CAP_VIOMMU, "QEMU's VT-d has no nested translation", HARDWARE_LACKS},
	{CAP_EVENTS, "Linux has no vIOMMU for VT-d", HARDWARE_LACKS},
	{CAP_HW_QUEUE, "Linux has no vIOMMU for VT-d", HARDWARE_LACKS},
	{CAP_FAULT_QUEUE, "QEMU's VT-d takes no page requests", HARDWARE_LACKS},
	{CAP_DIRTY, "QEMU's VT-d doesn't record what devices write", HARDWARE_LACKS},
	{FEATURE_PASID_DMA, NO_PASIDS, NOT_ASKED},
	{0, NULL, NOT_ASKED},
};

static const struct lack vfio_lacks[] = {
	{FEATURE_TABLE_COUNT, "a container doesn't say", NOT_ASKED},
	{0, NULL, NOT_ASKED},
};

static const struct lack smmuv3_lacks[] = {
	{FEATURE_PAGE_REQUEST,
	 "its devices can't wait for pages; Linux takes a fault queue for them, which stays empty",
	 NOT_ASKED},
	{CAP_DIRTY, "QEMU's SMMUv3 doesn't record what devices write", HARDWARE_LACKS},
	{CAP_HW_QUEUE, "only Tegra's CMDQV has hardware queues for guests", HARDWARE_LACKS},
	{FEATURE_PASID_DMA, NO_PASIDS, NOT_ASKED},
	{FEATURE_NESTED_PASID,
	 "a stream table entry stands for all of a device: PASIDs are in the guest's own table",
	 HARDWARE_LACKS},
	{FEATURE_BARE_NESTED,
	 "Linux takes a stream table entry only for a vIOMMU",
	 {ERROR_REFUSED, EOPNOTSUPP}},
	{0, NULL, NOT_ASKED},
};

const struct backend backends[BACKEND_COUNT] = {
	[BACKEND_REFERENCE] = {"reference", "the reference device", "make check", &driver_ioasid, 0,
			       reference_words, reference_lacks, &reference_hardware, true},
	[BACKEND_REFERENCE_MOCK] = {"reference-mock", "its devices like Linux's mock ones",
				    "make check", &driver_ioasid, IOMMUFD_TEST_APERTURE_FIRST,
				    reference_mock_words, reference_mock_lacks, &reference_hardware,
				    true},
	[BACKEND_CUSE] = {"cuse", "the reference device behind /dev/ioasid",
			  "tests/vm/guest/86-cuse-cases", &driver_ioasid, 0, reference_words,
			  reference_lacks, &reference_hardware, false},
	[BACKEND_CUSE_MOCK] = {"cuse-mock", "the same with its mock devices",
			       "tests/vm/guest/86-cuse-cases", &driver_ioasid,
			       IOMMUFD_TEST_APERTURE_FIRST, reference_mock_words,
			       reference_mock_lacks, &reference_hardware, false},
	[BACKEND_MOCK] = {"mock", "Linux's iommufd, mock IOMMU", "tests/vm/guest/70-conformance",
			  &driver_iommufd, IOMMUFD_TEST_APERTURE_FIRST, mock_words, mock_lacks,
			  &mock_hardware, false},
	[BACKEND_VTD] = {"vt-d", "Linux's iommufd, VT-d", "tests/vm/guest/70-conformance",
			 &driver_iommufd, 0, vtd_words, vtd_lacks, &edu_hardware, false},
	[BACKEND_VFIO] = {"vfio", "VFIO's containers",
			  "tests/vm/guest/70-conformance, guest-stock/70-conformance", &driver_vfio,
			  0, vtd_words, vfio_lacks, &edu_hardware, false},
	[BACKEND_SMMUV3] = {"smmuv3", "Linux's iommufd, SMMUv3",
			    "tests/vm/guest-arm64/70-conformance", &driver_iommufd, 0x40000000,
			    smmuv3_words, smmuv3_lacks, &edu_hardware, false},
};

const struct backend *backend_find(const char *name)
{
	for (size_t i = 0; i < BACKEND_COUNT; i++)
		if (!strcmp(backends[i].name, name))
			return &backends[i];
	return NULL;
}

const char *backend_lacks(const struct backend *b, int feature, struct outcome *refusal)
{
	const struct lack *l = b->lacks;

	if (feature < CAP_COUNT && b->driver->missing[feature]) {
		*refusal = (struct outcome){ERROR_REFUSED, EOPNOTSUPP};
		return b->driver->missing[feature];
	}
	while (l->reason && l->feature != feature)
		l++;
	*refusal = l->refusal;
	return l->reason;
}

static const char *find_word(const struct backend *b, const char *at, size_t length)
{
	for (const struct word *w = b->words; w->name; w++)
		if (strlen(w->name) == length && !strncmp(w->name, at, length))
			return w->text;
	fprintf(stderr, "%s has no word $%.*s\n", b->name, (int)length, at);
	exit(1);
}

char *backend_expand(const struct backend *b, const char *text)
{
	char *out = NULL, *end;
	size_t size, length;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		abort();
	while (*text) {
		length = strcspn(text, "$@");
		fwrite(text, 1, length, f);
		text += length;
		if (*text == '@') {
			fprintf(f, "0x%" PRIx64, b->base + strtoul(text + 1, &end, 0));
			text = end;
		} else if (*text == '$') {
			length = strspn(++text, "abcdefghijklmnopqrstuvwxyz_");
			fputs(find_word(b, text, length), f);
			text += length;
		}
	}
	fclose(f);
	return out;
}

void print_address(FILE *out, const struct backend *b, uint64_t address)
{
	if (address < b->base)
		fprintf(out, "0x%" PRIx64, address);
	else
		fprintf(out, "@0x%" PRIx64, address - b->base);
}

const char *feature_text(int feature)
{
	static const char *const texts[] = {
		[FEATURE_PAIR - CAP_COUNT] = "two devices of one group",
		[FEATURE_HOST_DRIVER - CAP_COUNT] = "a device with a host driver",
		[FEATURE_BARE_NESTED - CAP_COUNT] = "nested IOASIDs without a vIOMMU",
		[FEATURE_TWO_VIOMMUS - CAP_COUNT] = "vIOMMUs without event queues",
		[FEATURE_DMA - CAP_COUNT] = "DMA",
		[FEATURE_PASID_DMA - CAP_COUNT] = "DMA with a PASID",
		[FEATURE_NESTED_PASID - CAP_COUNT] = "PASIDs in nested IOASIDs",
		[FEATURE_TABLE_COUNT - CAP_COUNT] = "a count of page tables",
		[FEATURE_QUEUE_STACK - CAP_COUNT] = "hardware queues that come again",
		[FEATURE_PAGE_REQUEST - CAP_COUNT] = "devices that wait for pages",
		[FEATURE_GUEST_FAULT - CAP_COUNT] = "pages missing in a guest's table",
	};

	return feature < CAP_COUNT ? capability_text((enum capability)feature)
				   : texts[feature - CAP_COUNT];
}
