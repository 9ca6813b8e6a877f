// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The iommufd driver: an fd and its devices for another process. What is written down, that it
 * comes back the same, that nothing else is believed, and that leaving makes no call.
 */
#include <fcntl.h>
#include <sys/socket.h>

#include "iommufd_objects.h"

static int faults[2], events[2];
static struct driver_device *dev, *mock;

static void expect_queue(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
			 0);
}

static void make_faulting(void)
{
	struct ioasid spec;
	uint32_t id;

	expect_queue(faults);
	EXPECT(IOMMUFD_FAULT_QUEUE_ALLOC, iommufd_fault_alloc, .size = 16);
	ANSWER(iommufd_fault_alloc, .size = 16, .out_fault_id = 25,
	       .out_fault_fd = (uint32_t)faults[0]);
	expect_ioas(8);
	ioasid_init(&spec);
	spec.name = (char *)"faulting";
	spec.flags = IOASID_FLAG_FAULT_QUEUE | IOASID_FLAG_DIRTY;
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &id, NULL), 0);
	EXPECT(IOMMUFD_HWPT_ALLOC, iommufd_hwpt_alloc, .size = 48, .flags = 4 | 2, .dev_id = 3,
	       .pt_id = 8, .fault_id = 25);
	ANSWER(iommufd_hwpt_alloc, .size = 48, .out_hwpt_id = 21);
	expect_attach(21, NO_PASID, 21);
	assert_int_equal(D.attach(fd, dev, 8, NO_PASID, NULL), 0);
}

static void make_viommu(void)
{
	struct viommu spec;
	uint32_t id;

	expect_queue(events);
	gpa(7, IOASID_FLAG_NEST_PARENT);
	expect_hwpt(1, 3, 7, 20);
	EXPECT(IOMMUFD_VIOMMU_ALLOC, iommufd_viommu_alloc, .size = 40, .type = 0xdeadbeef,
	       .dev_id = 3, .hwpt_id = 20);
	ANSWER(iommufd_viommu_alloc, .size = 40, .hwpt_id = 20, .out_viommu_id = 40);
	viommu_init(&spec);
	spec.name = (char *)"v";
	spec.type = VIOMMU_MOCK;
	assert_int_equal(D.viommu_alloc(fd, &spec, 7, dev, &id, NULL), 0);
	EXPECT(IOMMUFD_VDEVICE_ALLOC, iommufd_vdevice_alloc, .size = 24, .viommu_id = 40,
	       .dev_id = 3, .virt_id = 0x8000000000000018);
	ANSWER(iommufd_vdevice_alloc, .size = 24, .out_vdevice_id = 41);
	assert_int_equal(D.vdevice_alloc(fd, 40, dev, 0x8000000000000018, &id, NULL), 0);
	EXPECT(IOMMUFD_VEVENTQ_ALLOC, iommufd_veventq_alloc, .size = 32, .viommu_id = 40,
	       .type = 0xbeefbeef, .veventq_depth = 9);
	ANSWER(iommufd_veventq_alloc, .size = 32, .out_veventq_id = 42,
	       .out_veventq_fd = (uint32_t)events[0]);
	assert_int_equal(D.events_alloc(fd, 40, 9, &id, NULL), 0);
}

/* A device of the mock IOMMU, parked in IOAS 1 with HWPT 5. */
static void make_mock(void)
{
	const struct device spec = {
		.name = (char *)"m0", .selector = SELECTOR_MOCK, .address = (char *)"0"};
	uint32_t id;

	assert_int_equal(D.device_open(&env, &spec, &mock, NULL), 0);
	expect_ioas(1);
	EXPECT(IOMMUFD_TEST, iommufd_test, .size = 72, .op = 12, .id = 1, .mock_device.flags = 4);
	ANSWER(iommufd_test, .size = 72, .mock_device = {.out_mock_id = 2, .out_device_id = 6});
	expect_hwpt(8, 6, 1, 5);
	EXPECT(IOMMUFD_TEST, iommufd_test, .size = 72, .op = 10, .id = 2, .replace.pt_id = 5);
	ANSWER(iommufd_test, .size = 72, .replace.pt_id = 5);
	assert_int_equal(D.device_bind(fd, mock, &id, NULL), 0);
}

/* Short events, of which more come than there is room for: the last one waits in this process. */
static void read_half(void)
{
	static const struct iommufd_event_header raw[] = {
		{IOMMUFD_VEVENT_LOST, 0}, {IOMMUFD_VEVENT_LOST, 1}, {IOMMUFD_VEVENT_LOST, 2}};
	struct viommu_event event[2];
	size_t n;

	assert_int_equal(write(events[1], raw, sizeof(raw)), sizeof(raw));
	assert_int_equal(D.events_read(fd, 42, event, 2, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(event[1].sequence, 1);
}

static int make_all(void **state)
{
	open_one(state);
	dev = device(3, 8);
	make_viommu();
	make_faulting();
	make_mock();
	read_half();
	return 0;
}

struct recorded {
	struct descriptors given;
	json_t *fd, *dev, *mock;
};

static void record(struct driver_fd *of, struct driver_device *d, struct driver_device *m,
		   struct recorded *out)
{
	*out = (struct recorded){0};
	assert_int_equal(D.fd_record(of, "fd/main", &out->given, &out->fd, NULL), 0);
	assert_int_equal(D.device_record(d, "device/nic", &out->given, &out->dev, NULL), 0);
	assert_int_equal(D.device_record(m, "device/m0", &out->given, &out->mock, NULL), 0);
}

/* What another process would get. */
static void duplicate(struct descriptors *d)
{
	for (size_t i = 0; i < d->n; i++)
		d->list[i].fd = fcntl(d->list[i].fd, F_DUPFD_CLOEXEC, 3);
}

static void forget(struct recorded *r)
{
	descriptors_close(&r->given);
	json_decref(r->fd);
	json_decref(r->dev);
	json_decref(r->mock);
}

static void leave_all(void)
{
	D.leave(fd);
	D.device_close(dev);
	D.device_close(mock);
}

static int finish(void **state)
{
	close(events[1]);
	close(faults[1]);
	return teardown(state);
}

static void assert_is(const json_t *json, const char *text)
{
	json_t *wanted = json_loads(text, 0, NULL);
	_cleanup_free_ char *got = json_dumps(json, JSON_COMPACT);

	assert_non_null(wanted);
	if (!json_equal(json, wanted))
		fail_msg("%s", got);
	json_decref(wanted);
}

static void test_what_is_written_down(void **state)
{
	static const char *const names[] = {"fd/main", "fd/main/faults.25", "fd/main/events.42",
					    "device/nic"};
	const int numbers[] = {D.fd_number(fd), faults[0], events[0], D.device_fd_number(dev)};
	json_t *unread = NULL;
	struct recorded r;

	(void)state;
	record(fd, dev, mock, &r);
	assert_int_equal(r.given.n, ARRAY_SIZE(names));
	for (size_t i = 0; i < r.given.n; i++) {
		assert_string_equal(r.given.list[i].name, names[i]);
		assert_int_equal(r.given.list[i].fd, numbers[i]);
	}
	unread = json_object_get(
		json_object_get(json_array_get(json_object_get(r.fd, "viommus"), 0), "events"),
		"unread");
	assert_int_equal(json_array_size(unread), sizeof(struct iommufd_event_header));
	assert_int_equal(json_integer_value(json_array_get(unread, 4)), 2);
	json_array_clear(unread);
	assert_is(r.fd,
		  "{\"node\": \"/dev/iommu\", \"map_file\": true, \"parking_ioas\": 1,"
		  " \"parking_hwpt\": 5, \"spaces\": ["
		  "{\"id\": 8, \"name\": \"faulting\", \"flags\": 10,"
		  " \"faults\": {\"id\": 25, \"unread\": []}, \"hwpts\": [21], \"dirty\": false,"
		  " \"format\": \"none\", \"parent_hwpt\": 0, \"viommu\": 4294967295},"
		  "{\"id\": 7, \"name\": \"gpa\", \"flags\": 1, \"faults\": null, \"hwpts\": [20],"
		  " \"dirty\": false, \"format\": \"none\", \"parent_hwpt\": 0,"
		  " \"viommu\": 4294967295}],"
		  " \"viommus\": [{\"id\": 40, \"name\": \"v\", \"type\": \"mock\","
		  " \"parent_hwpt\": 20,"
		  " \"vdevices\": [{\"id\": 41, \"virt_id\": -9223372036854775784}],"
		  " \"events\": {\"id\": 42, \"unread\": []}}]}");
	json_object_set_new(r.dev, "dir", json_null()); /* in a directory of its own */
	assert_is(r.dev,
		  "{\"label\": \"nic (0000:03:03.0)\", \"dir\": null,"
		  " \"node\": \"/dev/vfio/devices/vfio3\", \"selector\": \"pci\", \"group\": 8,"
		  " \"id\": 3, \"mock_id\": 0, \"bound\": true,"
		  " \"places\": [{\"pasid\": 4294967295, \"ioasid\": 8, \"hwpt\": 21}]}");
	assert_is(r.mock,
		  "{\"label\": \"m0 (0)\", \"dir\": null, \"node\": null, \"selector\": \"mock\","
		  " \"group\": 4294967295, \"id\": 6, \"mock_id\": 2, \"bound\": true,"
		  " \"places\": []}");
	for (size_t i = 0; i < r.given.n; i++)
		r.given.list[i].fd = -1;
	forget(&r);
	leave_all();
}

static void restore(struct recorded *r, struct driver_fd **other, struct driver_device **d,
		    struct driver_device **m)
{
	assert_int_equal(D.fd_restore(&env, "fd/main", r->fd, &r->given, other, NULL), 0);
	assert_int_equal(D.device_restore(*other, "device/nic", r->dev, &r->given, d, NULL), 0);
	assert_int_equal(D.device_restore(*other, "device/m0", r->mock, &r->given, m, NULL), 0);
}

static void test_it_comes_back(void **state)
{
	struct driver_device *d, *m;
	struct recorded r, again;
	struct viommu_event event;
	struct driver_fd *other;
	size_t n;

	(void)state;
	record(fd, dev, mock, &r);
	duplicate(&r.given);
	restore(&r, &other, &d, &m);
	record(other, d, m, &again);
	assert_true(json_equal(r.fd, again.fd) && json_equal(r.dev, again.dev) &&
		    json_equal(r.mock, again.mock));
	for (size_t i = 0; i < again.given.n; i++) {
		assert_string_equal(again.given.list[i].name, r.given.list[i].name);
		assert_int_equal(r.given.list[i].fd, -1);
		again.given.list[i].fd = -1;
	}
	forget(&again);
	forget(&r);
	/* The one before goes without a call, and all goes on with the new one. */
	leave_all();
	assert_int_equal(D.events_read(other, 42, &event, 1, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(event.sequence, 2);
	expect_attach(20, NO_PASID, 20);
	expect_destroy(21);
	assert_int_equal(D.attach(other, d, 7, NO_PASID, NULL), 0);
	expect_destroy(41);
	assert_int_equal(D.vdevice_free(other, 41, NULL), 0);
	expect_destroy(42);
	assert_int_equal(D.events_free(other, 42, NULL), 0);
	expect_destroy(40);
	assert_int_equal(D.viommu_free(other, 40, NULL), 0);
	expect_destroy(20);
	D.device_close(d);
	expect_destroy(2);
	expect_destroy(5);
	expect_destroy(1);
	D.device_close(m);
	D.close(other);
}

static size_t open_files(void)
{
	size_t n = 0;

	for (int i = 0; i < 256; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static json_t *without(const json_t *object, const char *key, bool wrong)
{
	json_t *copy = json_deep_copy(object);

	if (wrong)
		json_object_set_new(copy, key, json_real(1.5));
	else
		json_object_del(copy, key);
	return copy;
}

static void refuse_fd(const struct recorded *r, json_t *state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct descriptors copy = {0};
	struct driver_fd *other;

	for (size_t i = 0; i < r->given.n; i++)
		assert_int_equal(descriptors_add(&copy,
						 fcntl(r->given.list[i].fd, F_DUPFD_CLOEXEC, 3),
						 r->given.list[i].name),
				 0);
	assert_int_equal(D.fd_restore(&env, "fd/main", state, &copy, &other, &err), -EINVAL);
	assert_int_equal(err->kind, ERROR_PROTOCOL);
	assert_string_equal(err->message, "what is told of fd/main doesn't make sense");
	descriptors_close(&copy);
	json_decref(state);
}

static json_t *with_element(const json_t *state, const char *array, json_t *element)
{
	json_t *copy = json_deep_copy(state);

	json_array_set_new(json_object_get(copy, array), 0, element);
	return copy;
}

static void test_what_is_not_believed_of_an_fd(void **state)
{
	json_t *space, *viommu, *value;
	const size_t before = open_files();
	struct recorded r;
	const char *key;

	(void)state;
	record(fd, dev, mock, &r);
	space = json_array_get(json_object_get(r.fd, "spaces"), 0);
	viommu = json_array_get(json_object_get(r.fd, "viommus"), 0);
	for (int wrong = 0; wrong < 2; wrong++) {
		json_object_foreach (r.fd, key, value)
			refuse_fd(&r, without(r.fd, key, wrong));
		json_object_foreach (space, key, value)
			refuse_fd(&r, with_element(r.fd, "spaces", without(space, key, wrong)));
		json_object_foreach (viommu, key, value)
			refuse_fd(&r, with_element(r.fd, "viommus", without(viommu, key, wrong)));
	}
	json_object_set_new(space, "hwpts", json_pack("[i]", 0));
	refuse_fd(&r, json_incref(r.fd));
	json_object_set_new(space, "hwpts", json_array());
	json_object_set_new(space, "format", json_string("other"));
	refuse_fd(&r, json_incref(r.fd));
	json_object_set_new(space, "format", json_string("none"));
	json_object_set_new(space, "id", json_integer(1LL << 32));
	refuse_fd(&r, json_incref(r.fd));
	json_object_set_new(space, "id", json_integer(8));
	json_object_set_new(space, "faults", json_pack("{s:i, s:[i]}", "id", 25, "unread", 256));
	refuse_fd(&r, json_incref(r.fd));
	/* A queue whose descriptor didn't come. */
	json_object_set_new(space, "faults", json_pack("{s:i, s:[]}", "id", 26, "unread"));
	refuse_fd(&r, json_incref(r.fd));
	for (size_t i = 0; i < r.given.n; i++)
		r.given.list[i].fd = -1;
	refuse_fd(&r, json_incref(r.fd));
	forget(&r);
	assert_int_equal(open_files(), before);
	leave_all();
}

static void refuse_device(const char *name, json_t *state, int given)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct descriptors copy = {0};
	struct driver_device *d;

	if (given >= 0)
		assert_int_equal(descriptors_add(&copy, fcntl(given, F_DUPFD_CLOEXEC, 3), name), 0);
	assert_int_equal(D.device_restore(fd, name, state, &copy, &d, &err), -EINVAL);
	assert_int_equal(err->kind, ERROR_PROTOCOL);
	descriptors_close(&copy);
	json_decref(state);
}

static void test_what_is_not_believed_of_a_device(void **state)
{
	const int number = D.device_fd_number(dev);
	const size_t before = open_files();
	struct recorded r;
	json_t *value;
	const char *key;

	(void)state;
	record(fd, dev, mock, &r);
	for (int wrong = 0; wrong < 2; wrong++)
		json_object_foreach (r.dev, key, value)
			refuse_device("device/nic", without(r.dev, key, wrong), number);
	refuse_device("device/nic", json_incref(r.dev), -1);
	/* A mock device has no file, and others have a place in sysfs. */
	refuse_device("device/m0", json_incref(r.mock), number);
	json_object_set_new(r.dev, "node", json_null());
	refuse_device("device/nic", json_incref(r.dev), number);
	json_object_set_new(r.dev, "node", json_string("x"));
	json_object_set_new(r.dev, "places", json_pack("[{s:i, s:i}]", "pasid", 1, "ioasid", 7));
	refuse_device("device/nic", json_incref(r.dev), number);
	for (size_t i = 0; i < r.given.n; i++)
		r.given.list[i].fd = -1;
	forget(&r);
	assert_int_equal(open_files(), before);
	leave_all();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_all, finish)
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_written_down),
		TEST(test_it_comes_back),
		TEST(test_what_is_not_believed_of_an_fd),
		TEST(test_what_is_not_believed_of_a_device),
	};

	return cmocka_run_group_tests_name("iommufd-takeover", tests, NULL, NULL);
}
