// SPDX-License-Identifier: GPL-2.0-or-later
/* Machine descriptions: what is read, what is refused, and what is said then. */
#include "support_refdev.h"

#include <errno.h>
#include <stdio.h>

#include "refdev/machine.h"

#define IOMMU	   "{\"name\":\"i\",\"format\":\"x\",\"address_bits\":48,\"page_sizes\":[\"4K\"]}"
#define ROOT(rest) "{\"schema_version\":1," rest "}"
#define DEVICE(rest)                                                      \
	ROOT("\"iommus\":[" IOMMU "],\"groups\":[{\"id\":1},{\"id\":2}]," \
	     "\"devices\":[" rest "]")
#define IN_GROUP "\"iommu\":\"i\",\"group\":1"

static void test_default(void **state)
{
	struct machine *m = NULL;
	char *why = NULL;

	(void)state;
	assert_int_equal(
		machine_parse(refdev_default_machine, strlen(refdev_default_machine), &m, &why), 0);
	assert_null(why);
	assert_true(m->n_iommus >= 2);
	for (size_t i = 1; i < m->n_groups; i++)
		assert_true(m->groups[i].id > m->groups[i - 1].id);
	machine_free(m);
}

static void test_everything_is_read(void **state)
{
	static const char text[] = ROOT(
		"\"max_domains\":3,\"max_pinned_bytes\":\"1G\",\"info\":{\"host\":\"any\"},"
		"\"drivers\":[\"edu\"],\"shared_formats\":[[\"x\",\"y\"]],\"iommus\":[{\"name\":\"i\","
		"\"format\":\"x\",\"address_bits\":40,\"page_sizes\":[\"0x1000\",\"2M\"],\"aperture\":"
		"{\"first\":\"64K\",\"last\":\"0xffffffff\"},\"nesting\":true,\"dirty_tracking\":true,"
		"\"snoop_control\":true,\"pasid_bits\":16}],\"groups\":[{\"id\":9},{\"id\":3,"
		"\"reserved\":[{\"first\":\"0x10\",\"last\":\"0x1f\",\"type\":\"direct\"},"
		"{\"first\":\"0\",\"last\":\"0\"}]}],\"devices\":[{\"pci\":\"0000:01:00.0\",\"vendor\":"
		"\"0x8086\",\"device\":\"0x1\",\"class\":\"0x2\",\"driver\":\"e1000e\",\"iommu\":\"i\","
		"\"group\":3,\"bridge\":false,\"no_snoop\":true,\"pasid_bits\":8},{\"mock\":7,"
		"\"driver\":null,\"iommu\":null,\"group\":null}]");
	struct machine *m = NULL;
	char *why = NULL;

	(void)state;
	if (machine_parse(text, strlen(text), &m, &why))
		fail_msg("%s", why);
	assert_int_equal(m->max_domains, 3);
	assert_int_equal(m->max_pinned_bytes, 1 << 30);
	assert_string_equal(m->drivers[0], "edu");
	assert_true(machine_formats_share(m, "y", "x"));
	assert_true(machine_formats_share(m, "z", "z"));
	assert_false(machine_formats_share(m, "x", "z"));
	assert_int_equal(m->iommus[0].address_bits, 40);
	assert_int_equal(m->iommus[0].page_sizes, 0x201000);
	assert_int_equal(m->iommus[0].first, 65536);
	assert_int_equal(m->iommus[0].last, 0xffffffff);
	assert_true(m->iommus[0].nesting && m->iommus[0].dirty_tracking);
	assert_true(m->iommus[0].snoop_control);
	assert_int_equal(m->iommus[0].pasid_bits, 16);
	assert_int_equal(machine_find_group(m, 3), 0);
	assert_int_equal(machine_find_group(m, 9), 1);
	assert_int_equal(machine_find_group(m, 4), -1);
	assert_int_equal(m->groups[0].n_reserved, 2);
	assert_int_equal(m->groups[0].reserved[0].type, IOASID_RESERVED_DIRECT);
	assert_int_equal(m->groups[0].reserved[1].type, IOASID_RESERVED_OTHER);
	assert_int_equal(m->groups[0].n_members, 1);
	assert_ptr_equal(m->groups[0].iommu, &m->iommus[0]);
	assert_string_equal(m->devices[0].driver, "e1000e");
	assert_true(m->devices[0].no_snoop);
	assert_int_equal(m->devices[0].pasid_bits, 8);
	assert_int_equal(m->devices[1].selector, IOASID_SELECT_MOCK);
	assert_string_equal(m->devices[1].name, "7");
	assert_int_equal(m->devices[1].group, IOASID_NONE);
	machine_free(m);
}

static const struct {
	const char *text, *why;
} broken[] = {
	{"", "line 1 column 0: "},
	{"{", "line 1 column 1: "},
	{"{\"schema_version\":1,\"schema_version\":1}", "line 1 column 36: duplicate object key"},
	{"[]", "expected an object"},
	{"{}", "schema_version: is required"},
	{"{\"schema_version\":2}", "schema_version: expected 1"},
	{"{\"schema_version\":\"1\"}", "schema_version: expected 1"},
	{ROOT("\"iommu\":[]"), "iommu: unknown key"},
	{ROOT("\"iommus\":{}"), "iommus: expected an array"},
	{ROOT("\"iommus\":[7]"), "iommus[0]: expected an object"},
	{ROOT("\"iommus\":[" IOMMU "," IOMMU "]"), "iommus: IOMMU \"i\" is there twice"},
	{ROOT("\"iommus\":[{\"name\":\"a b\"}]"), "iommus[0].name: expected printable ASCII"},
	{ROOT("\"iommus\":[{\"name\":\"\"}]"), "iommus[0].name: expected a string of 1 to 63"},
	{ROOT("\"iommus\":[{\"name\":\"a\",\"format\":\"b\",\"address_bits\":65}]"),
	 "iommus[0].address_bits: expected an integer from 20 to 64"},
	{ROOT("\"iommus\":[{\"name\":\"a\",\"format\":\"b\",\"address_bits\":48}]"),
	 "iommus[0].page_sizes: expected a smallest size"},
	{ROOT("\"iommus\":[{\"name\":\"a\",\"format\":\"b\",\"address_bits\":48,"
	      "\"page_sizes\":[\"3K\"]}]"),
	 "iommus[0].page_sizes: expected powers of two"},
	{ROOT("\"iommus\":[{\"name\":\"a\",\"format\":\"b\",\"address_bits\":48,"
	      "\"page_sizes\":[\"256\"]}]"),
	 "iommus[0].page_sizes: expected a smallest size from 512 to 64K"},
	{ROOT("\"iommus\":[{\"name\":\"a\",\"format\":\"b\",\"address_bits\":32,\"page_sizes\":"
	      "[\"4K\"],\"aperture\":{\"first\":\"0\",\"last\":\"4G\"}}]"),
	 "iommus[0].aperture: expected first <= last, within address_bits"},
	{ROOT("\"iommus\":[{\"name\":\"a\",\"format\":\"b\",\"address_bits\":32,\"page_sizes\":"
	      "[\"4K\"],\"nesting\":1}]"),
	 "iommus[0].nesting: expected true or false"},
	{ROOT("\"groups\":[{\"id\":1},{\"id\":1}]"), "groups: group 1 is there twice"},
	{ROOT("\"groups\":[{\"id\":-1}]"), "groups[0].id: expected an integer"},
	{ROOT("\"groups\":[{\"id\":1,\"reserved\":[{\"first\":\"2\",\"last\":\"1\"}]}]"),
	 "groups[0].reserved[0]: expected first <= last"},
	{ROOT("\"groups\":[{\"id\":1,\"reserved\":[{\"first\":\"64Q\",\"last\":\"1\"}]}]"),
	 "groups[0].reserved[0].first: expected a number in a string"},
	{ROOT("\"groups\":[{\"id\":1,\"reserved\":[{\"first\":\"0\",\"last\":\"1\",\"type\":"
	      "\"odd\"}]}]"),
	 "groups[0].reserved[0].type: expected msi, direct or reserved"},
	{DEVICE("{}"), "devices[0]: expected one of pci, mdev, platform, vdpa, mock"},
	{DEVICE("{\"pci\":\"a\",\"mock\":1}"),
	 "devices[0].mock: the device is named by pci already"},
	{DEVICE("{\"mock\":\"1\"}"), "devices[0].mock: expected an integer"},
	{DEVICE("{\"pci\":\"a\"},{\"pci\":\"a\"}"), "devices: pci a is there twice"},
	{DEVICE("{\"pci\":\"a\",\"group\":1}"), "devices[0].iommu: iommu and group go together"},
	{DEVICE("{\"pci\":\"a\",\"iommu\":\"i\"}"),
	 "devices[0].group: iommu and group go together"},
	{DEVICE("{\"pci\":\"a\",\"iommu\":\"j\",\"group\":1}"),
	 "devices[0].iommu: there is no IOMMU \"j\" in iommus"},
	{DEVICE("{\"pci\":\"a\",\"iommu\":\"i\",\"group\":7}"),
	 "devices[0].group: there is no group 7 in groups"},
	{DEVICE("{\"pci\":\"a\"," IN_GROUP ",\"pasid_bits\":21}"),
	 "devices[0].pasid_bits: expected an integer from 0 to 20"},
	{DEVICE("{\"pci\":\"a\"," IN_GROUP ",\"drivers\":\"x\"}"),
	 "devices[0].drivers: unknown key"},
	{ROOT("\"shared_formats\":[[\"a\"]]"), "shared_formats[0]: expected a pair"},
	{ROOT("\"drivers\":[\"\"]"), "drivers[0]: expected the name of a driver"},
	{ROOT("\"max_pinned_bytes\":7"), "max_pinned_bytes: expected a number in a string"},
};

static void test_broken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct refdev *refdev = NULL;
		char *why = NULL;

		assert_int_equal(refdev_new(broken[i].text, strlen(broken[i].text), &refdev, &why),
				 -EINVAL);
		assert_null(refdev);
		assert_non_null(why);
		if (strncmp(why, broken[i].why, strlen(broken[i].why)))
			fail_msg("%s\nsaid:     %s\nexpected: %s", broken[i].text, why,
				 broken[i].why);
		free(why);
	}
}

static void test_one_group_one_iommu(void **state)
{
	static const char text[] = ROOT(
		"\"iommus\":[" IOMMU ",{\"name\":\"j\",\"format\":\"x\",\"address_bits\":48,"
		"\"page_sizes\":[\"4K\"]}],\"groups\":[{\"id\":1}],\"devices\":[{\"pci\":\"a\"," IN_GROUP
		"},{\"pci\":\"b\",\"iommu\":\"j\",\"group\":1}]");
	struct refdev *refdev;
	char *why = NULL;

	(void)state;
	assert_int_equal(refdev_new(text, strlen(text), &refdev, &why), -EINVAL);
	assert_string_equal(why, "devices[1].iommu: other members of group 1 are behind i");
	free(why);
}

static void test_too_large(void **state)
{
	char *text = malloc(MACHINE_MAX_BYTES + 1), *why = NULL;
	struct refdev *refdev;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', MACHINE_MAX_BYTES + 1);
	assert_int_equal(refdev_new(text, MACHINE_MAX_BYTES + 1, &refdev, &why), -EINVAL);
	assert_string_equal(why, "a machine description has at most 16777216 bytes");
	free(why);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),	  cmocka_unit_test(test_everything_is_read),
		cmocka_unit_test(test_broken),	  cmocka_unit_test(test_one_group_one_iommu),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
