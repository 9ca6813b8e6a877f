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
CPPFLAGS  += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Ilibioasidctl -DIOASIDCTL_VERSION='"$(VERSION)"' \
	$(if $(filter libmnl,$(PACKAGES)),,-DIOASIDCTL_NO_LIBMNL)
ALL_CFLAGS = -std=gnu17 $(WARNINGS) -fPIC -fvisibility=hidden -pthread $(CFLAGS) \
	$(shell $(PKG_CONFIG) --cflags $(PACKAGES)) $(EXTRA_CFLAGS)
LIBS       = $(shell $(PKG_CONFIG) --libs $(PKG_STATIC) $(PACKAGES)) -pthread

# Optional, for the command alone: the reference device as a character device.
FUSE      ?= $(if $(shell $(PKG_CONFIG) --exists fuse3 2>/dev/null && echo yes),fuse3)
CLI_LIBS   = $(LIBS) $(if $(FUSE),$(shell $(PKG_CONFIG) --libs $(FUSE)))

LIB_SRC   := $(sort $(wildcard libioasidctl/*.c libioasidctl/*/*.c))
CLI_SRC   := $(sort $(wildcard cli/*.c))
UNIT_SRC  := $(sort $(wildcard tests/unit/test_*.c))
CONF_SRC  := $(sort $(wildcard tests/conformance/test_*.c))
CLI_TESTS := $(sort $(wildcard tests/cli/test_*.sh))
BENCH_SRC := $(sort $(wildcard tests/bench/bench_*.c))
FUZZ_SRC  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
VM_SRC    := $(sort $(filter-out tests/vm/support_%,$(wildcard tests/vm/*.c)))
LIB_OBJ   := $(LIB_SRC:%.c=$(O)/%.o)
CLI_OBJ   := $(CLI_SRC:%.c=$(O)/%.o)
TEST_BIN  := $(UNIT_SRC:%.c=$(O)/%) $(CONF_SRC:%.c=$(O)/%)
VM_BIN    := $(VM_SRC:%.c=$(O)/%)
VM_PRELOAD := $(patsubst %.c,$(O)/%.so,$(wildcard tests/vm/preload/*.c))
BENCH_BIN := $(BENCH_SRC:%.c=$(O)/%)
# What several tests of one kind share: support_*.c beside them.
UNIT_SUPPORT := $(patsubst %.c,$(O)/%.o,$(wildcard tests/unit/support_*.c))
VM_SUPPORT   := $(patsubst %.c,$(O)/%.o,$(wildcard tests/vm/support_*.c))
CONF_SUPPORT := $(patsubst %.c,$(O)/%.o,$(wildcard tests/conformance/support_*.c))

LIB_A     := $(O)/libioasidctl.a
LIB_SO    := $(O)/libioasidctl.so.$(VERSION)
BIN       := $(O)/ioasidctl

.PHONY: all
all: $(BIN) $(LIB_A) $(LIB_SO) $(O)/libioasidctl.pc  ## build the command, the library and its pkg-config file

$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/cli/cuse.o: EXTRA_CFLAGS += $(if $(FUSE),-DIOASIDCTL_CUSE $(shell $(PKG_CONFIG) --cflags $(FUSE)))

$(LIB_A): $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(LIB_SO): $(LIB_OBJ) libioasidctl/libioasidctl.sym
	$(CC) -shared -Wl,-soname,libioasidctl.so.$(SOVERSION) -Wl,-z,defs \
		-Wl,--version-script=libioasidctl/libioasidctl.sym $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $(LIB_OBJ) $(LIBS)
	ln -sf $(@F) $(O)/libioasidctl.so.$(SOVERSION)
	ln -sf $(@F) $(O)/libioasidctl.so

$(BIN): $(CLI_OBJ) $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)

# What the installation decides, filled into templates.
FILL = sed -e 's|@prefix@|$(prefix)|' -e 's|@bindir@|$(bindir)|' -e 's|@libdir@|$(libdir)|' \
	-e 's|@includedir@|$(includedir)|' -e 's|@version@|$(VERSION)|' -e 's|@packages@|$(PACKAGES)|'

$(O)/libioasidctl.pc: libioasidctl/libioasidctl.pc.in Makefile
	@mkdir -p $(@D)
	$(FILL) $< > $@

include tests/tests.mk

# --- Files that come from the tables of verbs, options, fields and test cases; they are committed.

GENERATOR   := $(O)/cli/generate/generate
SCHEMAS     := show plan result check translate version host explain invalidate dirty faults event error
COMPLETIONS := completions/ioasidctl.bash completions/_ioasidctl completions/ioasidctl.fish
GENERATED   := $(SCHEMAS:%=schemas/%.schema.json) schemas/io.ioasidctl.varlink $(COMPLETIONS) man/ioasidctl.1.scd \
	docs/conformance.md

$(GENERATOR): $(O)/cli/generate/generate.o $(filter-out $(O)/cli/main.o,$(CLI_OBJ)) $(LIB_A)
	$(CC) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)

# The tests compare, and must not have to link: by then nobody knows with which flags.
test-programs: $(GENERATOR) $(GENERATED:%=$(O)/generated/%)

$(O)/generated/schemas/%.schema.json: $(GENERATOR)
	@mkdir -p $(@D)
	$(GENERATOR) schema $* > $@

$(O)/generated/schemas/%.varlink: $(GENERATOR)
	@mkdir -p $(@D)
	$(GENERATOR) interface $* > $@

$(O)/generated/completions/ioasidctl.bash: SHELL_NAME = bash
$(O)/generated/completions/_ioasidctl: SHELL_NAME = zsh
$(O)/generated/completions/ioasidctl.fish: SHELL_NAME = fish
$(COMPLETIONS:%=$(O)/generated/%): $(BIN)
	@mkdir -p $(@D)
	$(BIN) completion $(SHELL_NAME) > $@

$(O)/generated/man/%.scd: man/%.scd $(GENERATOR)
	@mkdir -p $(@D)
	$(GENERATOR) man < $< > $@

$(O)/generated/docs/conformance.md: $(O)/tests/conformance/test_cases
	@mkdir -p $(@D)
	$< --document > $@

.PHONY: generate
generate: $(GENERATED:%=$(O)/generated/%)  ## renew schemas, completions and man page from the code
	@for f in $(GENERATED); do \
		mkdir -p $$(dirname $$f); cmp -s $(O)/generated/$$f $$f || cp -v $(O)/generated/$$f $$f; \
	done

.PHONY: check-generated
check-generated: $(GENERATED:%=$(O)/generated/%)  ## fail when one of them is stale
	@for f in $(GENERATED); do \
		diff -u $$f $(O)/generated/$$f || { echo "$$f is stale: make generate"; exit 1; }; \
	done

# --- Manual pages

MAN_SRC  := $(sort $(wildcard man/*.scd))
MAN_PAGE := $(MAN_SRC:%.scd=$(O)/%)

$(O)/man/%: man/%.scd
	@mkdir -p $(@D)
	scdoc < $< > $@

.PHONY: man
man: $(MAN_PAGE)  ## the manual pages, with scdoc

# --- Installation

unitdir    ?= $(prefix)/lib/systemd/system
bashdir    ?= $(datadir)/bash-completion/completions
zshdir     ?= $(datadir)/zsh/site-functions
fishdir    ?= $(datadir)/fish/vendor_completions.d
INSTALL    ?= install
INSTALLED_SCHEMAS = $(wildcard schemas/*.schema.json schemas/*.varlink)
# SOURCE:TARGET of every file that is copied as it is, 0644.
INSTALL_FILES = \
	$(LIB_A):$(libdir)/libioasidctl.a \
	libioasidctl/ioasidctl.h:$(includedir)/ioasidctl/ioasidctl.h \
	libioasidctl/uapi/ioasid.h:$(includedir)/ioasidctl/uapi/ioasid.h \
	$(foreach m,$(MAN_PAGE),$(m):$(mandir)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
	$(foreach s,$(INSTALLED_SCHEMAS),$(s):$(datadir)/ioasidctl/$(s)) \
	completions/ioasidctl.bash:$(bashdir)/ioasidctl \
	completions/_ioasidctl:$(zshdir)/_ioasidctl \
	completions/ioasidctl.fish:$(fishdir)/ioasidctl.fish \
	systemd/ioasidctl.socket:$(unitdir)/ioasidctl.socket
INSTALL_LINKS = $(libdir)/libioasidctl.so.$(SOVERSION) $(libdir)/libioasidctl.so
INSTALL_FILLED = \
	libioasidctl/libioasidctl.pc.in:$(libdir)/pkgconfig/libioasidctl.pc \
	systemd/ioasidctl.service.in:$(unitdir)/ioasidctl.service
target_of = $(foreach pair,$(1),$(lastword $(subst :, ,$(pair))))

.PHONY: install
install: all man  ## command, library, headers, manual, completions, schemas, units: DESTDIR=, prefix=
	$(INSTALL) -D -m 755 $(BIN) '$(DESTDIR)$(bindir)/ioasidctl'
	$(INSTALL) -D -m 755 $(LIB_SO) '$(DESTDIR)$(libdir)/$(notdir $(LIB_SO))'
	$(INSTALL) -D -m 755 contrib/collect-host '$(DESTDIR)$(datadir)/ioasidctl/collect-host'
	@set -e; for pair in $(INSTALL_FILES); do \
		echo "$(INSTALL) $${pair%%:*} $(DESTDIR)$${pair#*:}"; \
		$(INSTALL) -D -m 644 "$${pair%%:*}" "$(DESTDIR)$${pair#*:}"; \
	done; \
	for link in $(INSTALL_LINKS); do ln -sf $(notdir $(LIB_SO)) "$(DESTDIR)$$link"; done; \
	for pair in $(INSTALL_FILLED); do \
		echo "fill $${pair%%:*} $(DESTDIR)$${pair#*:}"; \
		mkdir -p "$$(dirname "$(DESTDIR)$${pair#*:}")"; \
		$(FILL) "$${pair%%:*}" > "$(DESTDIR)$${pair#*:}"; \
		chmod 644 "$(DESTDIR)$${pair#*:}"; \
	done

.PHONY: uninstall
uninstall:  ## remove what install put there, with the same DESTDIR and prefix
	rm -f '$(DESTDIR)$(bindir)/ioasidctl' '$(DESTDIR)$(datadir)/ioasidctl/collect-host' '$(DESTDIR)$(libdir)/$(notdir $(LIB_SO))' \
		$(patsubst %,'$(DESTDIR)%',$(INSTALL_LINKS) $(call target_of,$(INSTALL_FILES) $(INSTALL_FILLED)))
	-rmdir '$(DESTDIR)$(includedir)/ioasidctl/uapi' '$(DESTDIR)$(includedir)/ioasidctl' \
		'$(DESTDIR)$(datadir)/ioasidctl/schemas' '$(DESTDIR)$(datadir)/ioasidctl' 2>/dev/null

# --- Other builds

# A library that the distribution ships without an archive (Debian: libmnl) can't be linked in.
# Without libmnl there are no device events, and the program says so; the link tells of others.
has_archive = $(wildcard $(shell $(PKG_CONFIG) --variable=libdir $(1))/lib$(patsubst \
	-l%,%,$(firstword $(shell $(PKG_CONFIG) --libs-only-l $(1)))).a)
STATIC_PACKAGES = $(foreach p,$(PACKAGES),$(if $(call has_archive,$(p)),$(p)))

.PHONY: static
static:  ## a fully static ioasidctl, in static/ below O
	@for p in $(filter-out $(STATIC_PACKAGES),$(PACKAGES)); do echo "no static library of $$p here; left out"; done
	$(MAKE) O='$(O)/static' FUSE= PACKAGES='$(STATIC_PACKAGES)' PKG_STATIC=--static LDFLAGS='$(LDFLAGS) -static' \
		$(addprefix '$(O)'/static/,ioasidctl $(STATIC_TARGETS))

.PHONY: dist
dist:  ## ioasidctl-VERSION.tar.gz of the last commit
	git archive --prefix=ioasidctl-$(VERSION)/ -o ioasidctl-$(VERSION).tar.gz HEAD
	@echo ioasidctl-$(VERSION).tar.gz

# cppcheck doesn't know attribute cleanup: every automatic release is a leak to it.
.PHONY: lint
lint:  ## format, a clang build, and cppcheck where it is installed
	git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
	$(MAKE) O='$(O)/clang' CC=clang
	@if command -v cppcheck >/dev/null; then \
		cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability \
			--suppress=missingIncludeSystem --suppress=memleak --suppress=resourceLeak \
			-D_GNU_SOURCE -D'json_array_foreach(a,i,v)=for(i=0;(v=json_array_get(a,i));i++)' \
			-D'json_object_foreach(o,k,v)=for(;(k=json_key(o)) && (v=json_of(o));)' \
			-Ilibioasidctl libioasidctl cli; \
	fi

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(O)/cli/generate/generate.d

.PHONY: clean
clean:  ## remove what was built
	rm -rf build build-*

.PHONY: help
help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  \1\t\2/p' Makefile tests/tests.mk | expand -t 16
