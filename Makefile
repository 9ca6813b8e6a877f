# SPDX-License-Identifier: GPL-2.0-or-later
# GNU make; no generator. `make help` lists what there is. O=DIR builds somewhere else.

VERSION   := 0.1.0
SOVERSION := 0

O         ?= build
CROSS     ?=
CC        := $(if $(filter default,$(origin CC)),$(CROSS)gcc,$(CC))
AR        := $(if $(filter default,$(origin AR)),$(CROSS)ar,$(AR))
PKG_CONFIG ?= pkg-config
prefix    ?= /usr/local
bindir    ?= $(prefix)/bin
libdir    ?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir    ?= $(prefix)/share/man
datadir   ?= $(prefix)/share
DESTDIR   ?=

PACKAGES  := libcyaml yaml-0.1 jansson libmnl
CFLAGS    ?= -O2 -g
WARNINGS  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CPPFLAGS  += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Ilibioasidctl -DIOASIDCTL_VERSION='"$(VERSION)"'
ALL_CFLAGS = -std=gnu17 $(WARNINGS) -fPIC -fvisibility=hidden -pthread $(CFLAGS) \
	$(shell $(PKG_CONFIG) --cflags $(PACKAGES)) $(EXTRA_CFLAGS)
LIBS       = $(shell $(PKG_CONFIG) --libs $(PKG_STATIC) $(PACKAGES)) -pthread

LIB_SRC   := $(sort $(wildcard libioasidctl/*.c libioasidctl/*/*.c))
CLI_SRC   := $(sort $(wildcard cli/*.c))
UNIT_SRC  := $(sort $(wildcard tests/unit/test_*.c))
CONF_SRC  := $(sort $(wildcard tests/conformance/test_*.c))
CLI_TESTS := $(sort $(wildcard tests/cli/test_*.sh))
BENCH_SRC := $(sort $(wildcard tests/bench/bench_*.c))
FUZZ_SRC  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
VM_SRC    := $(sort $(wildcard tests/vm/*.c))
LIB_OBJ   := $(LIB_SRC:%.c=$(O)/%.o)
CLI_OBJ   := $(CLI_SRC:%.c=$(O)/%.o)
TEST_BIN  := $(UNIT_SRC:%.c=$(O)/%) $(CONF_SRC:%.c=$(O)/%)
VM_BIN    := $(VM_SRC:%.c=$(O)/%)
BENCH_BIN := $(BENCH_SRC:%.c=$(O)/%)
# What several tests of one kind share: support_*.c beside them.
UNIT_SUPPORT := $(patsubst %.c,$(O)/%.o,$(wildcard tests/unit/support_*.c))
CONF_SUPPORT := $(patsubst %.c,$(O)/%.o,$(wildcard tests/conformance/support_*.c))

LIB_A     := $(O)/libioasidctl.a
LIB_SO    := $(O)/libioasidctl.so.$(VERSION)
BIN       := $(O)/ioasidctl

.PHONY: all
all: $(BIN) $(LIB_A) $(LIB_SO) $(O)/libioasidctl.pc  ## build the command, the library and its pkg-config file

$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LIB_A): $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(LIB_SO): $(LIB_OBJ) libioasidctl/libioasidctl.sym
	$(CC) -shared -Wl,-soname,libioasidctl.so.$(SOVERSION) -Wl,-z,defs \
		-Wl,--version-script=libioasidctl/libioasidctl.sym $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $(LIB_OBJ) $(LIBS)
	ln -sf $(@F) $(O)/libioasidctl.so.$(SOVERSION)
	ln -sf $(@F) $(O)/libioasidctl.so

$(BIN): $(CLI_OBJ) $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(O)/libioasidctl.pc: Makefile
	@mkdir -p $(@D)
	printf 'prefix=%s\nlibdir=%s\nincludedir=%s\n\nName: libioasidctl\nDescription: declare, apply and show I/O address spaces\nVersion: %s\nRequires.private: %s\nLibs: -L$${libdir} -lioasidctl\nCflags: -I$${includedir}/ioasidctl\n' \
		'$(prefix)' '$(libdir)' '$(includedir)' '$(VERSION)' '$(PACKAGES)' > $@

include tests/tests.mk

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d)

.PHONY: clean
clean:  ## remove what was built
	rm -rf build build-*

.PHONY: help
help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  \1\t\2/p' Makefile tests/tests.mk | expand -t 16
