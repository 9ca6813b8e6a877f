# SPDX-License-Identifier: GPL-2.0-or-later
# How tests, benches and fuzz targets are built and run; included by the Makefile.

TEST_LIBS = $(shell $(PKG_CONFIG) --libs cmocka)
# -j for the builds inside, unless make was told how many.
JOBS       = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
SANITIZE  := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
O_ASAN    := $(O)-asan
O_FUZZ    := $(O)-fuzz
O_COVER   := $(O)-coverage
FUZZ_TIME ?= 10
# gcc 12 crashes on these two warnings when it also counts.
COVERAGE  := CFLAGS='-O0 -g -Wno-format-truncation -Wno-format-overflow' EXTRA_CFLAGS=--coverage
FUZZ_BIN  := $(FUZZ_SRC:%.c=$(O)/%)

$(O)/tests/unit/test_%: $(O)/tests/unit/test_%.o $(UNIT_SUPPORT) $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) $(WRAPPED:%=-Wl,--wrap=%) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(LIBS)

# What these make fail, wherever it is called.
$(O)/tests/unit/test_sweep: WRAPPED = malloc calloc realloc reallocarray strdup strndup vasprintf \
	open_memstream memfd_create ftruncate64 fallocate64 mmap64 refdev_ioctl
$(O)/tests/unit/test_sweep_host: WRAPPED = malloc calloc realloc reallocarray strdup vasprintf \
	open_memstream
$(O)/tests/unit/test_refdev_memory: WRAPPED = process_vm_readv process_vm_writev

# Its devices that do real DMA are those of the programs in the VM. The cases run where there is no
# CMocka, too.
$(O)/tests/conformance/test_%: $(O)/tests/conformance/test_%.o $(CONF_SUPPORT) $(O)/tests/vm/support_edu.o $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(if $(findstring /test_mock,$@),$(TEST_LIBS)) $(LIBS)

# Programs for inside the VM: what a user of the handed-over fds would write, without the library.
$(O)/tests/vm/%: $(O)/tests/vm/%.o $(VM_SUPPORT)
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs jansson)

# These have the library do it.
$(addprefix $(O)/tests/vm/,vdpa_net translate_dma): %: %.o $(VM_SUPPORT) $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(O)/tests/vm/preload/%.so: $(O)/tests/vm/preload/%.o
	$(CC) -shared $(LDFLAGS) -o $@ $^

$(O)/tests/bench/bench_%: $(O)/tests/bench/bench_%.o $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(O)/tests/fuzz/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LIBS)

.PRECIOUS: $(O)/%.o
-include $(wildcard $(O)/tests/*/*.d)

.PHONY: test-programs
test-programs: all $(TEST_BIN) $(VM_BIN) $(VM_PRELOAD)

.PHONY: check
check: test-programs  ## the tests that need no VM, once
	BUILD='$(O)' tests/run $(TEST_BIN) $(CLI_TESTS)

.PHONY: test
test:  ## all tests: as built, on a real kernel in a VM, and with sanitizers
	@contrib/install-packages build test
	@contrib/install-packages arm64 || echo 'without them the arm64 machine of the VM stage is left out'
	@$(MAKE) -s $(JOBS) test-programs
	@$(MAKE) -s $(JOBS) arm64 || echo 'the arm64 machine of the VM stage is left out'
	@$(MAKE) -s $(JOBS) O='$(O_ASAN)' EXTRA_CFLAGS='$(SANITIZE)' test-programs
	@tests/run BUILD='$(O)' $(TEST_BIN) $(CLI_TESTS) tests/vm/run \
		BUILD='$(O_ASAN)' $(TEST_BIN:$(O)/%=$(O_ASAN)/%) $(CLI_TESTS)

# --- The arm64 machine of the VM stage runs static programs, and an emulator newer than Debian 12's.
O_ARM64    := $(O)/arm64
ARM64_LIBS := $(O_ARM64)/root/usr/lib/aarch64-linux-gnu/pkgconfig
ARM64_MAKE  = $(MAKE) CROSS=aarch64-linux-gnu- O='$(O_ARM64)' \
	PKG_CONFIG='env PKG_CONFIG_SYSROOT_DIR=$(abspath $(O_ARM64)/root) PKG_CONFIG_LIBDIR=$(abspath $(ARM64_LIBS)) pkg-config'

.PHONY: arm64
arm64:  ## static programs for arm64, and what its machine needs
	@command -v aarch64-linux-gnu-gcc >/dev/null || { echo 'arm64: no aarch64-linux-gnu-gcc (package gcc-aarch64-linux-gnu)'; exit 1; }
	@tests/vm/arm64/fetch '$(O_ARM64)'
	+@$(ARM64_MAKE) STATIC_TARGETS='tests/vm/smmu_dma tests/conformance/test_cases' static

.PHONY: test-vm
test-vm: all $(VM_BIN) $(VM_PRELOAD)  ## the tests on a real kernel in a VM
	@BUILD='$(O)' tests/vm/run

.PHONY: asan
asan:  ## the tests that need no VM, with address and undefined-behaviour sanitizers
	@$(MAKE) -s $(JOBS) O='$(O_ASAN)' EXTRA_CFLAGS='$(SANITIZE)' check

.PHONY: coverage
coverage:  ## which lines those tests run, by directory
	@$(MAKE) -s $(JOBS) O='$(O_COVER)' $(COVERAGE) test-programs
	@find '$(O_COVER)' -name '*.gcda' -delete
	@$(MAKE) -s O='$(O_COVER)' $(COVERAGE) check
	@tests/coverage '$(O_COVER)'

.PHONY: fuzz
fuzz:  ## every parser against libFuzzer, FUZZ_TIME seconds each
	@$(MAKE) -s $(JOBS) O='$(O_FUZZ)' CC=clang \
		EXTRA_CFLAGS='-fsanitize=fuzzer-no-link $(SANITIZE)' fuzz-programs
	@tests/fuzz/run '$(FUZZ_TIME)' $(FUZZ_BIN:$(O)/%=$(O_FUZZ)/%)

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_BIN)

.PHONY: bench
bench: all $(BENCH_BIN)  ## how long the work takes, against the same without this program
	@tests/bench/run '$(O)'

# Where the ABI headers to check ours against are; fetched from Debian when not given.
UAPI_HEADERS ?= $(O)/uapi-headers/usr/include

.PHONY: uapi-check
uapi-check: $(UAPI_HEADERS)/linux/iommufd.h  ## our ABI definitions against those of Linux 7.3
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fsyntax-only -DASSERT_ALL -isystem '$(UAPI_HEADERS)' \
		-isystem '$(UAPI_HEADERS)/$(shell gcc -print-multiarch)' \
		tests/unit/test_uapi_asserts.c

$(O)/uapi-headers/usr/include/linux/iommufd.h:
	@tests/fetch-deb trixie-backports linux-libc-dev '$(O)/uapi-headers'

.PHONY: demo
demo:  ## build, and show a live topology on the reference device
	@contrib/install-packages build
	@$(MAKE) -s $(JOBS) all
	@contrib/demo '$(O)/ioasidctl'
