// SPDX-License-Identifier: GPL-2.0-or-later
/* The question asked beforehand, on fake trees: what is in the way is named, with the way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "host/explain.h"
#include "host/root.h"
#include "support_tree.h"

#define NIC "0000:01:00.0"
#define DIR "/sys/devices/pci0000:00/"

static struct tree tree;
static struct host host;
static struct explanation answer;

static void forget(void)
{
	explanation_done(&answer);
	host_done(&host);
}

static void ask_for(const struct explain_device *devices, size_t n, uint64_t memory)
{
	forget();
	assert_int_equal(host_read(tree.root, &host, NULL), 0);
	assert_int_equal(host_explain(tree.root, &host, devices, n, memory, &answer), 0);
}

static void ask(const char *address)
{
	ask_for(&(struct explain_device){SELECTOR_PCI, address}, 1, 0);
}

static const struct finding *find_in(const struct finding *list, size_t n, const char *check,
				     const char *state)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].check, check) && !strcmp(list[i].state, state))
			return &list[i];
	return NULL;
}

static void print_all(const struct finding *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print_error("%s %s: %s -> %s\n", list[i].check, list[i].state, list[i].text,
			    list[i].remedy ? list[i].remedy : "");
}

static void expect_in(const struct finding *list, size_t n, const char *check, const char *state,
		      const char *text, const char *remedy)
{
	const struct finding *f = find_in(list, n, check, state);

	if (!f || !strstr(f->text, text) ||
	    (remedy && (!f->remedy || !strstr(f->remedy, remedy)))) {
		print_all(list, n);
		fail_msg("no %s %s: %s -> %s", check, state, text, remedy ? remedy : "");
	}
}

#define EXPECT(check, state, text, remedy)                                                      \
	expect_in(answer.devices[0].findings, answer.devices[0].n_findings, check, state, text, \
		  remedy)
#define EXPECT_MACHINE(check, state, text, remedy) \
	expect_in(answer.machine, answer.n_machine, check, state, text, remedy)
#define EXPECT_TOGETHER(check, state, text) \
	expect_in(answer.together, answer.n_together, check, state, text, NULL)

/* A machine on which everything is as it should be, with NIC alone in group 7 on vfio-pci. */
static int setup(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_dir(&tree, "/proc");
	tree_dir(&tree, "/sys/class/misc/iommu");
	tree_dir(&tree, "/sys/class/vfio");
	tree_file(&tree, "Character devices:\n240 vfio-dev\n", "/proc/devices");
	tree_file(&tree, "30: 0 IR-PCI-MSIX-0000:00:01.0 0-edge\n", "/proc/interrupts");
	tree_file(&tree, "intel_iommu=on quiet\n", "/proc/cmdline");
	tree_file(&tree, "Max locked memory 8388608 8388608 bytes\n", "/proc/self/limits");
	tree_file(&tree, "Uid:\t0\t0\nCapEff:\t0\n", "/proc/self/status");
	tree_link(&tree, "/dev/null", "/dev/iommu");
	tree_pci(&tree, NIC, 7, "vfio-pci", "vfio0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	forget();
	tree_remove(&tree);
	return 0;
}

static void test_yes(void **state)
{
	(void)state;
	ask(NIC);
	if (strcmp(answer.verdict, "yes"))
		print_all(answer.devices[0].findings, answer.devices[0].n_findings);
	assert_string_equal(answer.verdict, "yes");
	assert_string_equal(answer.interface, "iommufd");
	assert_string_equal(answer.devices[0].driver, "vfio-pci");
	assert_int_equal(answer.devices[0].group, 7);
	assert_string_equal(answer.devices[0].entry, "{name: dev0, pci: \"" NIC "\"}");
	EXPECT("group", "fine", "it is alone in IOMMU group 7", NULL);
	EXPECT("held", "fine", "nobody has it open", NULL);
	assert_int_equal(answer.one_fd, HOST_UNKNOWN);
	assert_int_equal(answer.n_together, 0);
}

static void test_named_twice(void **state)
{
	(void)state;
	ask_for((struct explain_device[]){{SELECTOR_PCI, NIC},
					  {SELECTOR_PCI, "0000:77:00.0"},
					  {SELECTOR_PCI, NIC},
					  {SELECTOR_PCI, "0000:77:00.0"}},
		4, 0);
	assert_int_equal(answer.n_devices, 2);
	assert_string_equal(answer.devices[0].address, NIC);
	assert_string_equal(answer.devices[1].address, "0000:77:00.0");
	ask_for((struct explain_device[]){{SELECTOR_PCI, NIC}, {SELECTOR_PCI, NIC}}, 2, 0);
	assert_int_equal(answer.n_devices, 1);
	assert_int_equal(answer.one_fd, HOST_UNKNOWN);
	assert_int_equal(answer.n_together, 0);
	assert_string_equal(answer.verdict, "yes");
}

static void hide(const char *what, const char *as)
{
	_cleanup_free_ char *from = root_path(tree.root, "%s", what);
	_cleanup_free_ char *to = root_path(tree.root, "%s", as);

	assert_int_equal(rename(from, to), 0);
}

/* Then that nobody has it open isn't known. */
static void test_processes_that_are_not_listed(void **state)
{
	(void)state;
	tree_link(&tree, "pid:[4026532215]", "/proc/self/ns/pid");
	ask(NIC);
	EXPECT("held", "unseen", "processes that /proc doesn't list here", "outside of containers");
	hide("/proc", "/proc.away");
	ask(NIC);
	hide("/proc.away", "/proc");
	EXPECT("held", "unseen", "processes that /proc doesn't list here", NULL);
	tree_link(&tree, "pid:[4026531836]", "/proc/self/ns/pid");
	tree_file(&tree, "Uid:\t1000\t1000\nCapEff:\t0\n", "/proc/self/status");
	ask(NIC);
	EXPECT("held", "unseen", "captured without root", NULL);
	tree_file(&tree, "Uid:\t0\t0\nCapEff:\t0\n", "/proc/self/status");
	EXPECT("held", "unseen", "processes that /proc doesn't list here", "outside of containers");
	assert_int_equal(answer.n_unseen > 0, 1);
	tree_link(&tree, "pid:[4026531836]", "/proc/self/ns/pid");
	ask(NIC);
	EXPECT("held", "fine", "nobody has it open", NULL);
	tree_process(&tree, 99, "vmm\n", "/dev/null");
	tree_file(&tree, "7f01-7f02 rw-s 00000000 00:06 4  /dev/vfio/devices/vfio0\n",
		  "/proc/99/maps");
	ask(NIC);
	EXPECT("held", "obstacle", "pid 99 (vmm; by a mapping) has it open", "end that process");
}

static void test_what_a_config_does(void **state)
{
	(void)state;
	tree_pci(&tree, "0000:02:00.0", 8, "e1000e", NULL);
	tree_pci(&tree, "0000:02:00.1", 8, "e1000e", NULL);
	ask("0000:02:00.0");
	assert_string_equal(answer.verdict, "config");
	EXPECT("driver", "config", "the host's driver e1000e has it", "`driver: vfio-pci`");
	EXPECT("group", "config",
	       "0000:02:00.1 of its IOMMU group 8 has a host driver, e1000e, that is in the way",
	       "`group: take` in its entry binds 0000:02:00.1");
	assert_string_equal(answer.devices[0].entry, "{name: dev0, pci: \"0000:02:00.0\", driver: "
						     "vfio-pci, group: take}");
	/* Asked for together, each takes care of itself. */
	ask_for((struct explain_device[]){{SELECTOR_PCI, "0000:02:00.0"},
					  {SELECTOR_PCI, "0000:02:00.1"}},
		2, 0);
	assert_string_equal(answer.verdict, "config");
	EXPECT("group", "fine", "none of its IOMMU group 8 (2) is in the way", NULL);
	assert_string_equal(answer.devices[1].entry,
			    "{name: dev1, pci: \"0000:02:00.1\", driver: vfio-pci}");
	assert_int_equal(answer.one_ioasid, 1);
	EXPECT_TOGETHER("group", "fine", "0000:02:00.0 and 0000:02:00.1 are in IOMMU group 8");
}

static void test_what_is_not_there(void **state)
{
	(void)state;
	ask_for((struct explain_device[]){{SELECTOR_PCI, "0000:09:00.0"}, {SELECTOR_PCI, NIC}}, 2,
		0);
	assert_string_equal(answer.verdict, "no");
	EXPECT("present", "obstacle", "this machine has no pci 0000:09:00.0", "`ioasidctl host`");
	assert_null(answer.devices[0].entry);
	assert_string_equal(answer.devices[1].verdict, "yes");
	assert_int_equal(answer.one_fd, 0);
	assert_int_equal(answer.one_ioasid, 0);
	EXPECT_TOGETHER("present", "obstacle", "0000:09:00.0 can't be in any IOASID");
}

static void test_no_iommu(void **state)
{
	(void)state;
	tree_pci(&tree, "0000:09:00.0", UINT32_MAX, "e1000e", NULL);
	ask("0000:09:00.0");
	EXPECT("iommu", "obstacle", "it is in no IOMMU group: no IOMMU translates for it", "");
	assert_int_equal(answer.devices[0].n_findings, 1);
	/* None at all. */
	tree_unlink(&tree, "/sys/kernel/iommu_groups/7/devices/" NIC);
	tree_unlink(&tree, DIR NIC "/iommu_group");
	tree_file(&tree, "quiet\n", "/proc/cmdline");
	ask(NIC);
	EXPECT("iommu", "obstacle", "it is in no IOMMU group", "");
}

static void test_drivers(void **state)
{
	(void)state;
	tree_bridge(&tree, "0000:00:1c.0", 8, "pcieport");
	ask("0000:00:1c.0");
	EXPECT("driver", "obstacle", "a bridge to another PCI bus", "the devices behind it");
	ask_for((struct explain_device[]){{SELECTOR_PCI, "0000:00:1c.0"}, {SELECTOR_PCI, NIC}}, 2,
		0);
	assert_int_equal(answer.one_ioasid, 0);
	EXPECT_TOGETHER("driver", "obstacle",
			"0000:00:1c.0 can't be in any IOASID: it is a bridge");
	tree_pci(&tree, "0000:02:00.0", 9, NULL, NULL);
	ask("0000:02:00.0");
	EXPECT("driver", "config", "it has no driver", "`driver: vfio-pci`");
	/* The driver isn't there. */
	tree_unlink(&tree, "/sys/bus/pci/drivers/vfio-pci/unbind");
	tree_remove_dir(&tree, "/sys/bus/pci/drivers/vfio-pci");
	ask("0000:02:00.0");
	EXPECT("driver", "obstacle", "the driver vfio-pci isn't there", "modprobe vfio-pci");
	tree_file(&tree, "6.12.1\n", "/proc/sys/kernel/osrelease");
	tree_file(&tree, "", "/lib/modules/6.12.1/modules.builtin");
	tree_file(&tree, "", "/lib/modules/6.12.1/modules.dep");
	ask("0000:02:00.0");
	EXPECT("driver", "obstacle", "this kernel was built without vfio-pci", "CONFIG_VFIO_PCI");
}

static void test_members_that_nobody_takes(void **state)
{
	(void)state;
	tree_pci(&tree, "0000:02:00.0", 8, NULL, NULL);
	tree_pci(&tree, "0000:02:00.1", 8, "lpc_ich", NULL);
	tree_file(&tree, "DRIVER=lpc_ich\nPCI_CLASS=60100\n", DIR "0000:02:00.1/uevent");
	ask("0000:02:00.0");
	assert_string_equal(answer.verdict, "no");
	EXPECT("group", "obstacle", "0000:02:00.1 of its IOMMU group 8 is a bridge",
	       "never touches");
	/* What leaves DMA to others isn't in the way. */
	tree_pci(&tree, "0000:02:00.1", 8, "pci-stub", NULL);
	ask("0000:02:00.0");
	EXPECT("group", "fine", "none of its IOMMU group 8 (2) is in the way", NULL);
}

static void test_what_the_host_needs(void **state)
{
	(void)state;
	tree_pci(&tree, "0000:02:00.0", 8, "e1000e", NULL);
	tree_pci(&tree, "0000:02:00.1", 8, "e1000e", NULL);
	tree_dir(&tree, DIR "0000:02:00.1/net/eth1");
	tree_link(&tree, DIR "0000:02:00.1/net/eth1", "/sys/class/net/eth1");
	tree_file(&tree, "eth1\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		  "/proc/net/route");
	ask("0000:02:00.1");
	assert_string_equal(answer.verdict, "no");
	EXPECT("needed-by-host", "obstacle", "eth1 has the default route", "`force: true`");
	/* By its group. */
	ask("0000:02:00.0");
	EXPECT("needed-by-host", "obstacle",
	       "the host itself needs 0000:02:00.1 of its group: eth1 has the default route",
	       "`force: true`");
}

static void test_who_holds_it(void **state)
{
	(void)state;
	tree_process(&tree, 4321, "qemu\n", "/dev/vfio/devices/vfio0");
	tree_file(&tree, "0::/machine.slice/vm0.service\n", "/proc/4321/cgroup");
	ask(NIC);
	assert_string_equal(answer.verdict, "no");
	EXPECT("held", "obstacle", "pid 4321 (qemu, vm0.service) has it open", "end that process");
	/* Another of its group. */
	tree_pci(&tree, "0000:01:00.1", 7, "vfio-pci", "vfio1");
	ask("0000:01:00.1");
	EXPECT("held", "obstacle", "has its IOMMU group open, or another device of it", NULL);
	tree_pci(&tree, "0000:02:00.0", 8, "vfio-pci", "vfio2");
	ask("0000:02:00.0");
	EXPECT("held", "fine", "nobody has it open", NULL);
}

static void test_interfaces(void **state)
{
	(void)state;
	tree_remove_dir(&tree, "/sys/class/misc/iommu");
	tree_link(&tree, "/dev/null", "/dev/vfio/vfio");
	ask(NIC);
	EXPECT_MACHINE("interface", "obstacle", "VFIO is there, but not its type 1",
		       "modprobe vfio_iommu_type1");
	tree_dir(&tree, "/sys/module/vfio_iommu_type1");
	ask(NIC);
	assert_string_equal(answer.interface, "vfio");
	EXPECT_MACHINE("interface", "fine", "VFIO's containers; the kernel has no iommufd", NULL);
	tree_remove_dir(&tree, "/sys/class/vfio");
	ask(NIC);
	assert_null(answer.interface);
	EXPECT_MACHINE("interface", "obstacle", "neither iommufd nor VFIO", "modprobe vfio-pci");
	tree_dir(&tree, "/sys/class/misc/iommu");
	tree_unlink(&tree, "/dev/iommu");
	ask(NIC);
	EXPECT_MACHINE("node", "obstacle", "/dev/iommu isn't here", "pass /dev/iommu in");
}

/* `driver: auto` takes iommufd, which then has no way to the devices. */
static void test_iommufd_without_device_nodes(void **state)
{
	(void)state;
	tree_link(&tree, "/dev/null", "/dev/vfio/vfio");
	tree_dir(&tree, "/sys/module/vfio_iommu_type1");
	tree_file(&tree, "Character devices:\n10 misc\n", "/proc/devices");
	ask(NIC);
	assert_string_equal(answer.interface, "vfio");
	assert_string_equal(answer.verdict, "config");
	EXPECT_MACHINE("interface", "config", "VFIO devices have no nodes of their own",
		       "`driver: vfio` in the fd");
	assert_null(find_in(answer.machine, answer.n_machine, "interface", "fine"));
	assert_string_equal(answer.devices[0].verdict, "yes");
	assert_string_equal(answer.devices[0].entry, "{name: dev0, pci: \"" NIC "\"}");
	/* Without type 1 no config helps. */
	tree_remove_dir(&tree, "/sys/module/vfio_iommu_type1");
	ask(NIC);
	assert_string_equal(answer.verdict, "no");
	tree_remove_dir(&tree, "/sys/class/misc/iommu");
	tree_dir(&tree, "/sys/module/vfio_iommu_type1");
	ask(NIC);
	EXPECT_MACHINE("interface", "fine", "the kernel has no iommufd", NULL);
	assert_string_equal(answer.verdict, "yes");
}

/* vDPA devices need nothing of VFIO's. */
static void test_vdpa(void **state)
{
	const struct explain_device vdpa = {SELECTOR_VDPA, "vdpa0"};

	(void)state;
	tree_file(&tree, "DRIVER=vhost_vdpa\n", "/sys/devices/vdpa0/uevent");
	tree_dir(&tree, "/sys/devices/vdpa0/vhost-vdpa-0");
	tree_link(&tree, "/sys/devices/vdpa0", "/sys/bus/vdpa/devices/vdpa0");
	tree_link(&tree, "/dev/null", "/dev/vhost-vdpa-0");
	tree_file(&tree, "Character devices:\n10 misc\n", "/proc/devices");
	ask_for(&vdpa, 1, 0);
	assert_string_equal(answer.interface, "iommufd");
	EXPECT_MACHINE("interface", "fine", "the kernel has iommufd", NULL);
	assert_string_equal(answer.verdict, "yes");
	tree_remove_dir(&tree, "/sys/class/vfio");
	ask_for(&vdpa, 1, 0);
	assert_string_equal(answer.interface, "iommufd");
	EXPECT_MACHINE("interface", "fine", "the kernel has iommufd", NULL);
	EXPECT("node", "unseen", "/dev/vhost-vdpa-0", NULL);
	assert_string_equal(answer.verdict, "yes");
	/* Another that is asked for does. */
	ask_for((struct explain_device[]){vdpa, {SELECTOR_PCI, NIC}}, 2, 0);
	assert_string_equal(answer.verdict, "no");
	EXPECT_MACHINE("interface", "obstacle", "the kernel has iommufd, but no VFIO",
		       "modprobe vfio-pci");
}

static void test_interrupts_that_are_not_isolated(void **state)
{
	(void)state;
	tree_file(&tree, "2: 0 IO-APIC 2-edge timer\n", "/proc/interrupts");
	ask(NIC);
	EXPECT_MACHINE("interrupts", "obstacle", "no interrupt remapping",
		       "iommufd.allow_unsafe_interrupts=1");
	assert_string_equal(answer.devices[0].verdict, "yes");
	assert_string_equal(answer.verdict, "no");
	tree_file(&tree, "Y\n", "/sys/module/iommufd/parameters/allow_unsafe_interrupts");
	ask(NIC);
	EXPECT_MACHINE("interrupts", "fine", "told to go without", NULL);
	assert_string_equal(answer.verdict, "yes");
	tree_file(&tree, "N\n", "/sys/module/iommufd/parameters/allow_unsafe_interrupts");
	tree_unlink(&tree, "/proc/interrupts");
	ask(NIC);
	EXPECT_MACHINE("interrupts", "unseen", "doesn't tell", NULL);
	assert_string_equal(answer.verdict, "yes");
}

static void test_memory(void **state)
{
	const struct explain_device nic = {SELECTOR_PCI, NIC};

	(void)state;
	ask(NIC);
	EXPECT_MACHINE("memory", "fine", "this user may pin 8M of memory", NULL);
	ask_for(&nic, 1, 8 << 20);
	EXPECT_MACHINE("memory", "fine", "this user may pin 8M of memory", NULL);
	ask_for(&nic, 1, (uint64_t)4 << 30);
	assert_string_equal(answer.verdict, "no");
	EXPECT_MACHINE("memory", "obstacle", "4G can't be pinned: the limit of locked memory is 8M",
		       "memlock 4194304");
	tree_file(&tree, "Uid:\t1000\t1000\nCapEff:\t4000\n", "/proc/self/status");
	ask_for(&nic, 1, (uint64_t)4 << 30);
	EXPECT_MACHINE("memory", "fine", "as much memory as there is", NULL);
}

static void test_addresses(void **state)
{
	(void)state;
	tree_pci(&tree, "0000:02:00.0", 8, "vfio-pci", "vfio1");
	tree_file(&tree,
		  "0x00000000fee00000 0x00000000feefffff msi\n"
		  "0x00000000000a0000 0x00000000000bffff direct-relaxable\n",
		  "/sys/kernel/iommu_groups/7/reserved_regions");
	tree_file(&tree,
		  "0x00000000fee00000 0x00000000feefffff msi\n"
		  "0x00000000c0000000 0x00000000c0ffffff direct\n",
		  "/sys/kernel/iommu_groups/8/reserved_regions");
	ask_for((struct explain_device[]){{SELECTOR_PCI, NIC}, {SELECTOR_PCI, "0000:02:00.0"}}, 2,
		0);
	assert_string_equal(answer.verdict, "yes");
	EXPECT_TOGETHER("addresses", "fine",
			"nothing can be mapped at 0xfee00000-0xfeefffff (msi), "
			"0xc0000000-0xc0ffffff (direct)");
}

static void test_virtual_functions(void **state)
{
	(void)state;
	tree_pci(&tree, "0000:02:00.0", 8, "ice", NULL);
	tree_file(&tree, "4\n", DIR "0000:02:00.0/sriov_totalvfs");
	tree_file(&tree, "1\n", DIR "0000:02:00.0/sriov_numvfs");
	tree_pci(&tree, "0000:02:10.0", 9, "vfio-pci", "vfio1");
	tree_link(&tree, DIR "0000:02:10.0", DIR "0000:02:00.0/virtfn0");
	tree_link(&tree, DIR "0000:02:00.0", DIR "0000:02:10.0/physfn");
	ask_for(&(struct explain_device){SELECTOR_VF, "0000:02:00.0/virtfn0"}, 1, 0);
	assert_string_equal(answer.verdict, "yes");
	assert_int_equal(answer.devices[0].group, 9);
	ask_for(&(struct explain_device){SELECTOR_VF, "0000:02:00.0/virtfn1"}, 1, 0);
	EXPECT("present", "obstacle", "no vf 0000:02:00.0/virtfn1", NULL);
	ask("0000:02:00.0");
	EXPECT("needed-by-host", "obstacle", "it has 1 virtual functions", "sriov_numvfs");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_yes),
		TEST(test_named_twice),
		TEST(test_processes_that_are_not_listed),
		TEST(test_what_a_config_does),
		TEST(test_what_is_not_there),
		TEST(test_no_iommu),
		TEST(test_drivers),
		TEST(test_members_that_nobody_takes),
		TEST(test_what_the_host_needs),
		TEST(test_who_holds_it),
		TEST(test_interfaces),
		TEST(test_iommufd_without_device_nodes),
		TEST(test_vdpa),
		TEST(test_interrupts_that_are_not_isolated),
		TEST(test_memory),
		TEST(test_addresses),
		TEST(test_virtual_functions),
	};

	return cmocka_run_group_tests_name("host-explain", tests, NULL, NULL);
}
