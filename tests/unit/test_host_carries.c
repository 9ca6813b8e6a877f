// SPDX-License-Identifier: GPL-2.0-or-later
/* What the host uses a device for: found through whatever is built on it, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "host/carries.h"
#include "host/root.h"
#include "support_tree.h"

#define NVME "0000:01:00.0"
#define NIC  "0000:02:00.0"
#define P    "/sys/devices/pci0000:00/"

static struct tree tree;

static void expect(const char *address, const char *text)
{
	_cleanup_free_ char *dir = root_path(tree.root, "/sys/bus/pci/devices/%s", address);
	_cleanup_free_ char *is = NULL;

	assert_int_equal(host_device_carries(tree.root, dir, &is), 0);
	if (text && is)
		assert_string_equal(is, text);
	else if (text || is)
		fail_msg("%s carries %s, expected %s", address, is ? is : "nothing",
			 text ? text : "nothing");
}

static void block(const char *dir, const char *name, const char *numbers)
{
	char path[256];

	tree_dir(&tree, "%s/%s/slaves", dir, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	tree_link(&tree, path, "/sys/class/block/%s", name);
	tree_link(&tree, path, "/sys/dev/block/%s", numbers);
}

static void net(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/net/%s", dir, name);
	tree_dir(&tree, "%s/statistics", path);
	tree_link(&tree, path, "/sys/class/net/%s", name);
}

static int setup(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_pci(&tree, NVME, 1, "nvme", NULL);
	tree_pci(&tree, NIC, 2, "e1000e", NULL);
	block(P NVME "/nvme/nvme0", "nvme0n1", "259:0");
	block(P NVME "/nvme/nvme0/nvme0n1", "nvme0n1p2", "259:2");
	net(P NIC, "eth0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
}

static void test_nothing(void **state)
{
	(void)state;
	expect(NVME, NULL);
	expect(NIC, NULL);
	tree_file(&tree, "25 1 0:5 / /proc rw - proc proc rw\n", "/proc/self/mountinfo");
	tree_file(&tree, "Filename Type Size Used Priority\n", "/proc/swaps");
	tree_file(&tree, "Iface\tDestination\tGateway\n", "/proc/net/route");
	expect(NVME, NULL);
	expect(NIC, NULL);
}

static void test_mounts(void **state)
{
	(void)state;
	tree_file(&tree,
		  "26 25 259:2 / /boot rw shared:3 - ext4 /dev/nvme0n1p2 rw\n"
		  "25 1 259:2 / / rw,relatime - ext4 /dev/nvme0n1p2 rw\n"
		  "garbage\n\n - \n1 2 259:2 / - ext4\n",
		  "/proc/self/mountinfo");
	/* The same again, as the first process sees it. */
	tree_file(&tree, "25 1 259:2 / / rw,relatime - ext4 /dev/nvme0n1p2 rw\n",
		  "/proc/1/mountinfo");
	expect(NVME, "/ is mounted from nvme0n1p2; /boot is mounted from nvme0n1p2");
	expect(NIC, NULL);
}

static void test_file_systems_with_numbers_of_their_own(void **state)
{
	(void)state;
	tree_file(&tree, "25 1 0:31 /root / rw - btrfs /dev/nvme0n1p2 rw\n",
		  "/proc/self/mountinfo");
	expect(NVME, "/ is mounted from nvme0n1p2");
}

static void test_through_device_mapper(void **state)
{
	(void)state;
	block("/sys/devices/virtual/block", "dm-0", "253:0");
	tree_link(&tree, P NVME "/nvme/nvme0/nvme0n1/nvme0n1p2",
		  "/sys/devices/virtual/block/dm-0/slaves/nvme0n1p2");
	block("/sys/devices/virtual/block", "dm-1", "253:1");
	tree_link(&tree, "/sys/devices/virtual/block/dm-0",
		  "/sys/devices/virtual/block/dm-1/slaves/dm-0");
	tree_link(&tree, "../dm-1", "/dev/mapper/vg-swap");
	tree_file(&tree, "25 1 253:1 / /srv rw - xfs /dev/mapper/vg-srv rw\n",
		  "/proc/self/mountinfo");
	tree_file(&tree,
		  "Filename Type Size Used Priority\n/dev/mapper/vg-swap partition 8 0 -2\n"
		  "/swapfile file 8 0 -3\n",
		  "/proc/swaps");
	expect(NVME, "/srv is mounted from vg-srv; vg-swap is swap");
}

static void test_a_partition_of_an_array(void **state)
{
	(void)state;
	block("/sys/devices/virtual/block", "md0", "9:0");
	tree_link(&tree, P NVME "/nvme/nvme0/nvme0n1",
		  "/sys/devices/virtual/block/md0/slaves/nvme0n1");
	tree_dir(&tree, "/sys/devices/virtual/block/md0/md0p1");
	tree_link(&tree, "/sys/devices/virtual/block/md0/md0p1", "/sys/dev/block/259:9");
	tree_file(&tree, "25 1 259:9 / /var rw - ext4 /dev/md0p1 rw\n", "/proc/self/mountinfo");
	expect(NVME, "/var is mounted from md0p1");
}

static void test_slaves_in_a_circle_end(void **state)
{
	(void)state;
	block("/sys/devices/virtual/block", "dm-0", "253:0");
	tree_link(&tree, "/sys/devices/virtual/block/dm-0",
		  "/sys/devices/virtual/block/dm-0/slaves/dm-0");
	tree_file(&tree, "25 1 253:0 / /srv rw - xfs /dev/dm-0 rw\n", "/proc/self/mountinfo");
	expect(NVME, NULL);
}

static void test_multipath_of_nvme(void **state)
{
	(void)state;
	block("/sys/devices/virtual/nvme-subsystem/nvme-subsys0", "nvme1n1", "259:7");
	tree_link(&tree, P NVME "/nvme/nvme0",
		  "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0");
	tree_file(&tree, "25 1 259:7 / /data rw - ext4 /dev/nvme1n1 rw\n", "/proc/self/mountinfo");
	expect(NVME, "/data is mounted from nvme1n1");
	expect(NIC, NULL);
}

/* A file system that is on several: each is needed. */
static void test_file_systems_on_several_devices(void **state)
{
	(void)state;
	block("/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block", "sda",
	      "8:0");
	tree_link(&tree, P "0000:00:17.0", "/sys/bus/pci/devices/0000:00:17.0");
	tree_dir(&tree, "/sys/fs/btrfs/features");
	tree_link(&tree, P NVME "/nvme/nvme0/nvme0n1/nvme0n1p2",
		  "/sys/fs/btrfs/8f1d/devices/nvme0n1p2");
	tree_link(&tree,
		  "/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda",
		  "/sys/fs/btrfs/8f1d/devices/sda");
	tree_file(&tree, "25 1 0:31 /root / rw - btrfs /dev/nvme0n1p2 rw\n",
		  "/proc/self/mountinfo");
	expect(NVME, "/ is mounted from nvme0n1p2");
	expect("0000:00:17.0", "/ is mounted from nvme0n1p2");
	expect(NIC, NULL);
	/* Another one of the same kind. */
	tree_file(&tree, "25 1 0:31 /root / rw - btrfs /dev/nvme0n1 rw\n", "/proc/self/mountinfo");
	expect("0000:00:17.0", NULL);
	tree_file(&tree, "25 1 0:32 / / rw - bcachefs /dev/nvme0n1p2:/dev/sda rw\n",
		  "/proc/self/mountinfo");
	expect(NVME, "/ is mounted from /dev/nvme0n1p2:/dev/sda");
	expect("0000:00:17.0", "/ is mounted from /dev/nvme0n1p2:/dev/sda");
}

static void test_virtio(void **state)
{
	(void)state;
	block(P NIC "/virtio0/block", "vda", "252:0");
	block(P NIC "/virtio0/block/vda", "vda1", "252:1");
	net(P NVME "/virtio1", "eth1");
	tree_file(&tree, "25 1 252:1 / / rw - ext4 /dev/vda1 rw\n", "/proc/self/mountinfo");
	tree_file(&tree, "eth1\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		  "/proc/net/route");
	expect(NIC, "/ is mounted from vda1");
	expect(NVME, "eth1 has the default route");
}

static void test_virtual_file_systems(void **state)
{
	(void)state;
	tree_file(&tree, "rootfs\n", P NIC "/virtio0/mount_tag");
	tree_file(&tree, "shared\n", "/sys/fs/virtiofs/3/tag");
	tree_dir(&tree, P NVME "/virtio1");
	tree_link(&tree, P NVME "/virtio1", "/sys/fs/virtiofs/3/device");
	tree_file(&tree,
		  "25 1 0:31 / / rw - 9p rootfs rw\n26 25 0:32 / /mnt rw - virtiofs shared rw\n",
		  "/proc/self/mountinfo");
	expect(NIC, "/ is mounted from rootfs");
	expect(NVME, "/mnt is mounted from shared");
}

static void test_default_routes(void **state)
{
	(void)state;
	tree_file(&tree,
		  "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
		  "eth0\t00000A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
		  "/proc/net/route");
	expect(NIC, NULL);
	tree_file(&tree, "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		  "/proc/net/route");
	expect(NIC, "eth0 has the default route");
	tree_file(&tree, "*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n",
		  "/proc/net/route");
	tree_file(&tree,
		  "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
		  "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"
		  "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		  "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n",
		  "/proc/net/ipv6_route");
	expect(NIC, NULL);
	tree_file(&tree,
		  "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		  "fe800000000000000000000000000001 00000400 00000003 00000000 00000003     eth0\n",
		  "/proc/net/ipv6_route");
	expect(NIC, "eth0 has the default route");
	expect(NVME, NULL);
}

static void test_through_a_bridge_on_a_bond(void **state)
{
	(void)state;
	net("/sys/devices/virtual", "bond0");
	net("/sys/devices/virtual", "br0");
	tree_link(&tree, P NIC "/net/eth0", "/sys/devices/virtual/net/bond0/lower_eth0");
	tree_link(&tree, "/sys/devices/virtual/net/bond0",
		  "/sys/devices/virtual/net/br0/lower_bond0");
	tree_file(&tree, "br0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		  "/proc/net/route");
	expect(NIC, "br0 has the default route");
	expect(NVME, NULL);
}

/* A network of its own for storage, which has no default route. */
static void test_what_is_mounted_from_a_network(void **state)
{
	static const char iscsi[] =
		"/sys/devices/platform/host2/session3/target2:0:0/2:0:0:1/block",
			  fabrics[] = "/sys/devices/virtual/nvme-fabrics/ctl/nvme7";

	(void)state;
	net(P NVME "/virtio1", "eth1");
	tree_file(&tree,
		  "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
		  "eth1\t0000007F\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
		  "eth1\t0003007F\t00000000\t0001\t0\t0\t9\t00FFFFFF\t0\t0\t0\n"
		  "eth0\t0003007F\t00000000\t0001\t0\t0\t1\t00FFFFFF\t0\t0\t0\n",
		  "/proc/net/route");
	tree_file(&tree,
		  "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		  "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
		  "00000000000000000000000000000000 70 00000000000000000000000000000000 00 "
		  "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n",
		  "/proc/net/ipv6_route");
	/* The longest prefix, then the smallest metric; the server, not the client. */
	tree_file(&tree,
		  "25 1 0:31 / / rw - nfs4 srv:/root rw,clientaddr=127.0.1.2,addr=127.0.3.9\n"
		  "26 1 0:32 / /home rw - nfs srv:/home rw,addr=::5\n"
		  "27 1 0:33 / /no rw - nfs srv:/no rw,addr=nonsense\n"
		  "28 1 0:34 / /away rw - nfs srv:/away rw,addr=127.9.0.1\n",
		  "/proc/self/mountinfo");
	expect(NIC, "/ is mounted from srv:/root; /home is mounted from srv:/home");
	expect(NVME, NULL);
	block(iscsi, "sda", "8:0");
	tree_file(&tree, "127.0.3.1\n", "/sys/class/iscsi_connection/connection3:0/address");
	block(fabrics, "nvme7n1", "259:7");
	tree_file(&tree, "traddr=127.0.1.1,trsvcid=4420,src_addr=127.0.3.2\n",
		  "/sys/devices/virtual/nvme-fabrics/ctl/nvme7/address");
	tree_file(&tree,
		  "25 1 8:0 / / rw - ext4 /dev/sda rw\n26 1 259:7 / /x rw - ext4 /dev/nvme7n1 rw\n",
		  "/proc/self/mountinfo");
	expect(NIC, "/ is mounted from sda");
	expect(NVME, "/x is mounted from nvme7n1");
}

static void test_through_a_vlan(void **state)
{
	(void)state;
	net("/sys/devices/virtual", "eth0.5");
	tree_link(&tree, P NIC "/net/eth0", "/sys/devices/virtual/net/eth0.5/lower_eth0");
	tree_file(&tree,
		  "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		  "fe800000000000000000000000000001 00000400 00000003 00000000 00000003   eth0.5\n",
		  "/proc/net/ipv6_route");
	expect(NIC, "eth0.5 has the default route");
	expect(NVME, NULL);
}

static void test_more_than_fit(void **state)
{
	(void)state;
	tree_file(&tree,
		  "26 1 259:2 / /a rw - ext4 /dev/nvme0n1p2 rw\n"
		  "27 1 259:2 / /b rw - ext4 /dev/nvme0n1p2 rw\n"
		  "28 1 259:2 / /c rw - ext4 /dev/nvme0n1p2 rw\n"
		  "29 1 259:2 / /d rw - ext4 /dev/nvme0n1p2 rw\n"
		  "30 1 259:2 / /e rw - ext4 /dev/nvme0n1p2 rw\n"
		  "31 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n",
		  "/proc/self/mountinfo");
	expect(NVME, "/ is mounted from nvme0n1p2; /a is mounted from nvme0n1p2; /b is mounted "
		     "from nvme0n1p2; /c is mounted from nvme0n1p2; and 2 more");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),
		TEST(test_mounts),
		TEST(test_file_systems_with_numbers_of_their_own),
		TEST(test_through_device_mapper),
		TEST(test_a_partition_of_an_array),
		TEST(test_slaves_in_a_circle_end),
		TEST(test_multipath_of_nvme),
		TEST(test_file_systems_on_several_devices),
		TEST(test_virtio),
		TEST(test_virtual_file_systems),
		TEST(test_default_routes),
		TEST(test_through_a_bridge_on_a_bond),
		TEST(test_what_is_mounted_from_a_network),
		TEST(test_through_a_vlan),
		TEST(test_more_than_fit),
	};

	return cmocka_run_group_tests_name("host-carries", tests, NULL, NULL);
}
