# SPDX-License-Identifier: GPL-2.0-or-later
# How tests, benches and fuzz targets are built and run; included by the Makefile.

TEST_LIBS = $(shell $(PKG_CONFIG) --libs cmocka)

$(O)/tests/unit/test_%: $(O)/tests/unit/test_%.o $(UNIT_SUPPORT) $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(LIBS)

$(O)/tests/conformance/test_%: $(O)/tests/conformance/test_%.o $(CONF_SUPPORT) $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(LIBS)

# Programs for inside the VM: what a user of the handed-over fds would write, without the library.
$(O)/tests/vm/%: $(O)/tests/vm/%.o
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^

$(O)/tests/bench/bench_%: $(O)/tests/bench/bench_%.o $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

.PRECIOUS: $(O)/tests/%.o

.PHONY: test-programs
test-programs: all $(TEST_BIN) $(VM_BIN)

.PHONY: check
check: test-programs  ## the tests that need no VM, once
	BUILD='$(O)' tests/run $(TEST_BIN) $(CLI_TESTS)

# UAPI_HEADERS=DIR: kernel headers newer than the system's; every definition of ours is compared.
UAPI_HEADERS ?=
UAPI_FLAGS = $(if $(UAPI_HEADERS),-isystem $(UAPI_HEADERS) -DASSERT_ALL)
$(O)/tests/unit/test_uapi_asserts.o: CPPFLAGS += $(UAPI_FLAGS)

.PHONY: check-uapi
check-uapi:  ## compare our ABI headers with those of Linux 7.3: UAPI_HEADERS=DIR
	@test -n '$(UAPI_HEADERS)' || { echo 'say UAPI_HEADERS=DIR, the include directory of linux-libc-dev 7.3'; exit 64; }
	$(CC) $(CPPFLAGS) $(UAPI_FLAGS) $(ALL_CFLAGS) -fsyntax-only tests/unit/test_uapi_asserts.c
