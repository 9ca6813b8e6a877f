// SPDX-License-Identifier: GPL-2.0-or-later
/* What a holder writes down for the next one, and what is done with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/bindings.h"
#include "holder/journal.h"
#include "holder/journal_json.h"
#include "support_fake_driver.h"
#include "support_holder.h"

static struct test_holder place; /* only its directory */
static struct journal *journal;

static int setup(void **state)
{
	(void)state;
	test_holder_prepare(&place);
	assert_int_equal(journal_open(place.socket, &journal, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	journal_free(journal);
	test_holder_clean(&place);
	return 0;
}

static void make_entry(struct journal_entry *out, const char *name)
{
	struct journal_binding *b;

	*out = (struct journal_entry){.name = strdup(name),
				      .owner = 1000,
				      .kept = true,
				      .driver = DRIVER_IOMMUFD,
				      .config = strdup("version: 1\nname: \"\xc3\xa4\"\n")};
	b = journal_add_binding(out);
	assert_non_null(b);
	*b = (struct journal_binding){.device = strdup("nic0"),
				      .selector = SELECTOR_PCI,
				      .address = strdup("0000:01:00.0"),
				      .interface = DRIVER_IOMMUFD,
				      .driver = strdup("vfio-pci"),
				      .original_driver = strdup(""),
				      .original_override = strdup("pci-stub"),
				      .vfs = 4,
				      .original_vfs = 2,
				      .management = strdup("vdpasim_net"),
				      .taken_for = strdup("nic1")};
}

static void test_who_only_looks_changes_nothing(void **state)
{
	struct journal *look = NULL;
	struct journal_entry entry;
	char missing[256], **names;

	(void)state;
	snprintf(missing, sizeof(missing), "%s-missing", place.socket);
	assert_int_equal(journal_look(missing, &look), -ENOENT);
	assert_null(look);
	strcat(missing, ".state");
	assert_int_equal(access(missing, F_OK), -1);

	assert_int_equal(journal_look(place.socket, &look), 0);
	journal_free(look);
	make_entry(&entry, "vm0");
	/* Into a directory that an empty journal's end would have taken away. */
	assert_int_equal(journal_write(journal, &entry, NULL), 0);
	journal_entry_done(&entry);
	assert_int_equal(journal_look(place.socket, &look), 0);
	assert_int_equal(journal_names(look, &names, NULL), 0);
	assert_string_equal(names[0], "vm0");
	assert_null(names[1]);
	journal_free_names(&names);
	journal_free(look);
	assert_int_equal(journal_remove(journal, "vm0", NULL), 0);
}

static void test_what_is_written_is_read(void **state)
{
	_cleanup_entry_ struct journal_entry written, read = {0};

	(void)state;
	make_entry(&written, "vm0");
	assert_int_equal(journal_write(journal, &written, NULL), 0);
	assert_int_equal(journal_read(journal, "vm0", &read, NULL), 0);
	assert_string_equal(read.name, "vm0");
	assert_int_equal(read.owner, 1000);
	assert_true(read.kept);
	assert_int_equal(read.driver, DRIVER_IOMMUFD);
	assert_null(read.file);
	assert_null(read.machine);
	assert_string_equal(read.config, written.config);
	assert_int_equal(read.n_bindings, 1);
	assert_string_equal(read.bindings[0].device, "nic0");
	assert_int_equal(read.bindings[0].selector, SELECTOR_PCI);
	assert_string_equal(read.bindings[0].address, "0000:01:00.0");
	assert_int_equal(read.bindings[0].interface, DRIVER_IOMMUFD);
	assert_string_equal(read.bindings[0].driver, "vfio-pci");
	assert_string_equal(read.bindings[0].original_driver, "");
	assert_string_equal(read.bindings[0].original_override, "pci-stub");
	assert_string_equal(read.bindings[0].taken_for, "nic1");
	assert_string_equal(read.bindings[0].management, "vdpasim_net");
	assert_int_equal(read.bindings[0].vfs, 4);
	assert_int_equal(read.bindings[0].original_vfs, 2);
}

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s.state/%s", place.socket, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_names(void **state)
{
	_cleanup_(journal_free_names)
	char **names = NULL;
	_cleanup_entry_ struct journal_entry entry;

	(void)state;
	make_entry(&entry, "vm0");
	assert_int_equal(journal_write(journal, &entry, NULL), 0);
	put("vm1.tmp", "");
	put("VM2.json", "");
	put(".json", "");
	put("..json", "");
	put("vm3.damaged", "");
	assert_int_equal(journal_names(journal, &names, NULL), 0);
	assert_string_equal(names[0], "vm0");
	assert_null(names[1]);
	assert_int_equal(journal_remove(journal, "vm0", NULL), 0);
	assert_int_equal(journal_remove(journal, "vm0", NULL), 0);
	journal_entry_done(&entry);
	assert_int_equal(journal_read(journal, "vm0", &entry, NULL), -ENOENT);
}

#define HEAD "{\"schema_version\":1,\"name\":\"vm0\",\"owner\":0,\"kept\":false,"
#define REST "\"driver\":\"auto\",\"config\":\"\",\"bindings\":"

static void test_damaged_entries(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		HEAD REST "[]",
		HEAD REST "[]} x",
		HEAD REST "{}}",
		HEAD REST "[1]}",
		HEAD REST "[{}]}",
		HEAD "\"more\":1," REST "[]}",
		HEAD "\"driver\":\"none\",\"config\":\"\",\"bindings\":[]}",
		"{\"schema_version\":2,\"name\":\"vm0\",\"owner\":0,\"kept\":false," REST "[]}",
		"{\"schema_version\":1,\"name\":\"vm0\",\"owner\":-1,\"kept\":false," REST "[]}",
		"{\"schema_version\":1,\"name\":\"vm1\",\"owner\":0,\"kept\":false," REST "[]}",
		HEAD REST "[{\"device\":\"a\",\"selector\":\"usb\",\"address\":\"\",\"interface\":"
			  "\"vfio\",\"driver\":\"\",\"original_driver\":\"\"}]}",
	};
	struct journal_entry entry = {0};

	(void)state;
	put("vm0.json", HEAD REST "[]}");
	assert_int_equal(journal_read(journal, "vm0", &entry, NULL), 0);
	journal_entry_done(&entry);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		put("vm0.json", texts[i]);
		assert_int_equal(journal_read(journal, "vm0", &entry, &err), -EINVAL);
		assert_non_null(strstr(err->message, "vm0.json: it is damaged"));
		assert_null(entry.config);
	}
	assert_int_equal(journal_put_aside(journal, "vm0", NULL), 0);
	assert_int_equal(journal_read(journal, "vm0", &entry, NULL), -ENOENT);
}

static void test_no_links_and_no_pipes(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct journal_entry entry;
	char path[256], victim[256];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s.state/vm0.json", place.socket);
	snprintf(victim, sizeof(victim), "%s/victim", place.directory);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(journal_read(journal, "vm0", &entry, &err), -ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(journal_read(journal, "vm0", &entry, NULL), -EINVAL);
	assert_int_equal(unlink(path), 0);
	/* A link where the temporary file goes isn't written through. */
	snprintf(path, sizeof(path), "%s.state/vm0.tmp", place.socket);
	assert_int_equal(symlink(victim, path), 0);
	make_entry(&entry, "vm0");
	assert_int_equal(journal_write(journal, &entry, NULL), -ELOOP);
	assert_int_equal(lstat(victim, &st), -1);
	journal_entry_done(&entry);
}

static void test_failed_write_keeps_the_old(void **state)
{
	_cleanup_entry_ struct journal_entry entry, read = {0};
	char path[256];

	(void)state;
	make_entry(&entry, "vm0");
	assert_int_equal(journal_write(journal, &entry, NULL), 0);
	snprintf(path, sizeof(path), "%s.state/vm0.tmp", place.socket);
	assert_int_equal(mkdir(path, 0700), 0);
	entry.owner = 2000;
	assert_int_equal(journal_write(journal, &entry, NULL), -EISDIR);
	assert_int_equal(journal_read(journal, "vm0", &read, NULL), 0);
	assert_int_equal(read.owner, 1000);
	assert_int_equal(rmdir(path), 0);
}

/* The fake driver, under a choice whose bindings outlive the process. */
static struct driver outliving;
static const struct driver *const fakes[] = {&outliving, NULL};
static const struct driver_env env = {.drivers = fakes, .root = ""};

static void make_drivers(void)
{
	fake_reset();
	outliving = fake_driver;
	outliving.choice = DRIVER_IOMMUFD;
	fake_add_device("0000:01:00.0", "nic", 1);
	fake_add_device("0000:02:00.0", "", 2);
	fake_add_device("0000:03:00.0", "vfio-pci", 3);
}

static char *driver_of(const char *address)
{
	struct device_facts facts = {0};
	struct device spec;
	char *driver;

	device_init(&spec);
	spec.name = (char *)"it";
	spec.address = (char *)address;
	assert_int_equal(outliving.device_find(&env, &spec, &facts, NULL), 0);
	driver = strdup(facts.driver ? facts.driver : "");
	device_facts_done(&facts);
	return driver;
}

static void expect_driver(const char *address, const char *expected)
{
	_cleanup_free_ char *driver = driver_of(address);

	assert_string_equal(driver, expected);
}

static void bind_to(const char *address, const char *driver)
{
	struct device spec;

	device_init(&spec);
	spec.name = (char *)"it";
	spec.address = (char *)address;
	assert_int_equal(outliving.device_set_driver(&env, &spec, driver, NULL, NULL), 0);
}

static struct topology *three_devices(struct iommu_fd *fd, struct device devices[static 3])
{
	static struct topology t;
	static const char *const addresses[] = {"0000:01:00.0", "0000:02:00.0", "0000:03:00.0"};
	static const char *const names[] = {"a", "b", "c"};

	iommu_fd_init(fd);
	fd->name = (char *)"main";
	fd->ops = &outliving;
	for (size_t i = 0; i < 3; i++) {
		device_init(&devices[i]);
		devices[i].name = (char *)names[i];
		devices[i].address = (char *)addresses[i];
		devices[i].driver = (char *)"vfio-pci";
		devices[i].fd = 0;
	}
	t = (struct topology){
		.name = (char *)"vm0", .devices = devices, .n_devices = 3, .fds = fd, .n_fds = 1};
	/* As the survey notes them. */
	devices[0].found.driver = (char *)"nic";
	devices[0].found.override = (char *)"pci-stub";
	devices[2].found.driver = (char *)"vfio-pci";
	return &t;
}

static void test_intended_bindings(void **state)
{
	_cleanup_entry_ struct journal_entry entry = {0};
	struct device devices[3];
	struct iommu_fd fd;
	const struct topology *t = three_devices(&fd, devices);

	(void)state;
	devices[1].taken_for = 0;
	make_drivers();
	assert_int_equal(bindings_add_intended(&entry, t), 0);
	/* The third one is bound already, so nothing will be done to it. */
	assert_int_equal(entry.n_bindings, 2);
	assert_string_equal(entry.bindings[0].device, "a");
	assert_string_equal(entry.bindings[0].driver, "vfio-pci");
	assert_string_equal(entry.bindings[0].original_driver, "nic");
	assert_string_equal(entry.bindings[0].original_override, "pci-stub");
	assert_null(entry.bindings[0].taken_for);
	assert_int_equal(entry.bindings[0].interface, DRIVER_IOMMUFD);
	assert_string_equal(entry.bindings[1].device, "b");
	assert_string_equal(entry.bindings[1].original_driver, "");
	assert_null(entry.bindings[1].original_override);
	assert_string_equal(entry.bindings[1].taken_for, "a");
	/* What is known from before stays as it is. */
	devices[0].found.driver = (char *)"other";
	assert_int_equal(bindings_add_intended(&entry, t), 0);
	assert_int_equal(entry.n_bindings, 2);
	assert_string_equal(entry.bindings[0].original_driver, "nic");
}

/* What the topology is to make, and has made, is to be deleted; its driver is of no interest. */
static void test_made_devices(void **state)
{
	_cleanup_entry_ struct journal_entry entry = {0}, later = {0};
	struct device devices[3];
	struct iommu_fd fd;
	const struct topology *t = three_devices(&fd, devices);

	(void)state;
	make_drivers();
	outliving.vdpa = &driver_vdpa;
	for (size_t i = 0; i < 3; i++) {
		devices[i].selector = SELECTOR_VDPA;
		devices[i].vdpa.management = (char *)"sim";
	}
	devices[0].found.driver = NULL; /* not there yet */
	devices[1].found.name = devices[2].found.name = (char *)"there";
	devices[1].found.driver = devices[1].driver;
	assert_int_equal(bindings_add_intended(&entry, t), 0);
	assert_int_equal(entry.n_bindings, 1);
	assert_string_equal(entry.bindings[0].device, "a");
	assert_string_equal(entry.bindings[0].management, "sim");
	assert_null(entry.bindings[0].driver);
	devices[0].live.made = true;
	devices[0].live.original_driver = (char *)"virtio_vdpa";
	assert_int_equal(bindings_add_live(&later, t), 0);
	assert_int_equal(later.n_bindings, 1);
	assert_string_equal(later.bindings[0].management, "sim");
	assert_null(later.bindings[0].driver);
}

static void test_live_bindings(void **state)
{
	_cleanup_entry_ struct journal_entry entry = {0};
	struct device devices[3];
	struct iommu_fd fd;
	const struct topology *t = three_devices(&fd, devices);

	(void)state;
	make_drivers();
	devices[1].live.original_driver = (char *)"nic";
	assert_int_equal(bindings_add_live(&entry, t), 0);
	assert_int_equal(entry.n_bindings, 1);
	assert_string_equal(entry.bindings[0].address, "0000:02:00.0");
	assert_string_equal(entry.bindings[0].original_driver, "nic");
}

static void collect(void *data, const char *line)
{
	strcat(data, line);
	strcat(data, "\n");
}

static void test_taken_members_come_back(void **state)
{
	_cleanup_entry_ struct journal_entry entry = {0};
	_cleanup_topology_ struct topology *t = topology_new();
	struct device devices[3];
	struct iommu_fd fd;
	const struct topology *was = three_devices(&fd, devices);

	(void)state;
	devices[1].taken_for = 0;
	assert_int_equal(bindings_add_intended(&entry, was), 0);
	t->devices = calloc(1, sizeof(*t->devices));
	t->n_devices = 1;
	device_init(t->devices);
	t->devices[0].name = strdup("a");
	t->devices[0].address = strdup("0000:01:00.0");
	assert_int_equal(bindings_take(&entry, t), 0);
	assert_int_equal(t->n_devices, 2);
	assert_string_equal(t->devices[1].name, "pci:0000:02:00.0");
	assert_string_equal(t->devices[1].address, "0000:02:00.0");
	assert_string_equal(t->devices[1].driver, "vfio-pci");
	assert_int_equal(t->devices[1].taken_for, 0);
	assert_true(t->devices[1].host_only);
}

static void test_restore_after_a_crash(void **state)
{
	_cleanup_entry_ struct journal_entry entry = {.name = strdup("vm0")};
	struct device devices[3];
	struct iommu_fd fd;
	const struct topology *t = three_devices(&fd, devices);
	char said[1024] = "";

	(void)state;
	make_drivers();
	assert_int_equal(bindings_add_intended(&entry, t), 0);
	/* The crash came after the first was bound; nothing had been done to the second. */
	bind_to("0000:01:00.0", "vfio-pci");
	bindings_restore(&entry, &env, collect, said);
	expect_driver("0000:01:00.0", "nic");
	expect_driver("0000:02:00.0", "");
	expect_driver("0000:03:00.0", "vfio-pci");
	assert_string_equal(said, "topology vm0: device a (0000:01:00.0) given back to nic\n"
				  "topology vm0: device b (0000:02:00.0) has its original driver, "
				  "no driver\n");
	/* The second, bound as well; but now giving back fails for the first. */
	bind_to("0000:01:00.0", "vfio-pci");
	bind_to("0000:02:00.0", "vfio-pci");
	fake_fail_at(0);
	said[0] = '\0';
	bindings_restore(&entry, &env, collect, said);
	expect_driver("0000:02:00.0", "");
	assert_non_null(strstr(said, "device a (0000:01:00.0) could not be given back to nic: "));
	assert_non_null(strstr(said, "device b (0000:02:00.0) given back to no driver\n"));
}

/* Between unbinding and binding, with driver_override set for the one or the other. */
static void test_restore_what_was_cut_off(void **state)
{
	static const struct {
		const char *driver, *override, *restored, *restored_override;
	} cases[] = {
		{"", "", "nic", ""},
		{"", "vfio-pci", "nic", "pci-stub"},
		{"vfio-pci", "vfio-pci", "nic", "pci-stub"},
		{"", "nic", "nic", "pci-stub"},
		{"nic", "nic", "nic", "pci-stub"},
		/* Somebody else's. */
		{"vfio-pci", "uio", "nic", "uio"},
		{"uio", "uio", "uio", "uio"},
	};
	_cleanup_entry_ struct journal_entry entry = {.name = strdup("vm0")};
	struct device devices[3];
	struct iommu_fd fd;

	(void)state;
	assert_int_equal(bindings_add_intended(&entry, three_devices(&fd, devices)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(device_facts_done)
		struct device_facts facts = {0};
		char said[1024] = "";

		make_drivers();
		bind_to("0000:01:00.0", cases[i].driver);
		fake_override("0000:01:00.0", cases[i].override);
		bindings_restore(&entry, &env, collect, said);
		expect_driver("0000:01:00.0", cases[i].restored);
		assert_int_equal(outliving.device_find(&env, &devices[0], &facts, NULL), 0);
		assert_string_equal(facts.override ? facts.override : "",
				    cases[i].restored_override);
	}
}

/* A physical function "pf" with another number of VFs and another driver, and one of its VFs. */
static void physical_and_virtual(struct journal_entry *entry, uint32_t vfs, uint32_t original)
{
	static struct device devices[2];
	static struct iommu_fd fd;
	struct topology t = {
		.name = (char *)"vm0", .devices = devices, .n_devices = 2, .fds = &fd, .n_fds = 1};

	iommu_fd_init(&fd);
	fd.ops = &outliving;
	for (size_t i = 0; i < 2; i++) {
		device_init(&devices[i]);
		devices[i].fd = 0;
	}
	devices[0].name = (char *)"vf0";
	devices[0].selector = SELECTOR_VF;
	devices[0].address = (char *)"0000:05:00.0/virtfn0";
	devices[0].driver = (char *)"vfio-pci";
	devices[0].found.driver = (char *)"nic";
	devices[1].name = (char *)"pf";
	devices[1].address = (char *)"0000:05:00.0";
	devices[1].driver = (char *)"other";
	devices[1].found.driver = (char *)"ice";
	devices[1].vfs = vfs;
	devices[1].found.vfs = original;
	entry->name = strdup("vm0");
	assert_int_equal(bindings_add_intended(entry, &t), 0);
}

static uint32_t vfs_of(const char *address)
{
	const struct device spec = {.address = (char *)address};
	struct device_facts facts = {.group = NO_INDEX};
	uint32_t vfs;

	assert_int_equal(outliving.device_find(&env, &spec, &facts, NULL), 0);
	vfs = facts.vfs;
	device_facts_done(&facts);
	return vfs;
}

static void make_physical(uint32_t vfs)
{
	const struct device pf = {.address = (char *)"0000:05:00.0"};

	make_drivers();
	fake_add_physical("0000:05:00.0", "other", 5, 8);
	assert_int_equal(outliving.device_set_vfs(&env, &pf, vfs, false, NULL, NULL), 0);
}

static void test_restore_virtual_functions(void **state)
{
	_cleanup_entry_ struct journal_entry made = {0}, found = {0};
	char said[1024] = "";

	(void)state;
	/* They were made: all goes. */
	physical_and_virtual(&made, 4, 1);
	assert_int_equal(made.n_bindings, 2);
	assert_int_equal(made.bindings[1].vfs, 4);
	assert_int_equal(made.bindings[1].original_vfs, 1);
	make_physical(4);
	bind_to("0000:05:00.0/virtfn0", "vfio-pci");
	bindings_restore(&made, &env, collect, said);
	assert_int_equal(vfs_of("0000:05:00.0"), 1);
	expect_driver("0000:05:00.0", "ice");
	assert_string_equal(said, "topology vm0: device pf (0000:05:00.0) has the 1 virtual "
				  "functions of before\n"
				  "topology vm0: device pf (0000:05:00.0) given back to ice\n");
	/* They were there: they stay, with their drivers. */
	said[0] = '\0';
	physical_and_virtual(&found, 2, 2);
	assert_int_equal(found.bindings[1].original_vfs, NO_INDEX);
	make_physical(2);
	bind_to("0000:05:00.0/virtfn0", "vfio-pci");
	bindings_restore(&found, &env, collect, said);
	assert_int_equal(vfs_of("0000:05:00.0"), 2);
	expect_driver("0000:05:00.0/virtfn0", "nic");
	expect_driver("0000:05:00.0", "ice");
}

#define JOURNAL_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOURNAL_TEST(test_who_only_looks_changes_nothing),
		JOURNAL_TEST(test_what_is_written_is_read),
		JOURNAL_TEST(test_names),
		JOURNAL_TEST(test_damaged_entries),
		JOURNAL_TEST(test_no_links_and_no_pipes),
		JOURNAL_TEST(test_failed_write_keeps_the_old),
		cmocka_unit_test(test_intended_bindings),
		cmocka_unit_test(test_made_devices),
		cmocka_unit_test(test_live_bindings),
		cmocka_unit_test(test_taken_members_come_back),
		cmocka_unit_test(test_restore_after_a_crash),
		cmocka_unit_test(test_restore_what_was_cut_off),
		cmocka_unit_test(test_restore_virtual_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
