# Sluice: one build for the program, its tests and its packages. `make help` lists the targets.
# Everything made lies under out/<BUILD>/; BUILD is release (default), asan, tsan, fuzz or cov.
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DEFAULT_GOAL := build

BUILD ?= release
OUT   := out/$(BUILD)
CC    ?= gcc
ifeq ($(origin CC),default)
CC    := gcc
endif
ifeq ($(BUILD),fuzz)
CC    := clang
endif

VERSION  := 0.1.0
PACKAGES := libmicrohttpd gnutls jansson libcurl openssl sqlite3 yaml-0.1
# Rooms in the order of the design's table: a room may call those before it only.
ROOMS := quota/base quota/engine quota/ledger webhook admitter/kube admitter/objects admitter/jobs admitter/metrics \
         admitter/rules admitter/loop admitter/configuration admitter/simulate admitter/explain admitter

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
HARDEN   := -fstack-protector-strong -fPIE -fno-strict-aliasing
CFLAGS.release := -O2 -g1 -D_FORTIFY_SOURCE=2
CFLAGS.asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS.tsan    := -O1 -g -fsanitize=thread
CFLAGS.fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
CFLAGS.cov     := -O0 -g --coverage
LDFLAGS.fuzz   := -fsanitize=fuzzer,address,undefined
LDFLAGS.asan   := -fsanitize=address,undefined
LDFLAGS.tsan   := -fsanitize=thread
LDFLAGS.cov    := --coverage

PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -DSLUICE_VERSION='"$(VERSION)"' $(WARNINGS) $(HARDEN) $(CFLAGS.$(BUILD)) $(PKG_CFLAGS) -I. -pthread $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -pthread $(LDFLAGS.$(BUILD)) $(LDFLAGS)

room_sources = $(filter-out admitter/main.c,$(sort $(wildcard $(1)/*.c)))
SOURCES  := $(foreach room,$(ROOMS),$(call room_sources,$(room)))
ARCHIVES := $(foreach room,$(ROOMS),$(OUT)/$(room).a)
# Link order: the highest room first, so that calls resolve downwards only.
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))

# make V=1 shows the commands.
say = $(if $(V),,@printf '  %-3s %s\n' '$(1)' '$(2)';)

.PHONY: build
build: $(OUT)/admitter.bin ## the program: out/release/admitter.bin

# A change of flags or compiler rebuilds.
$(OUT)/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' > $@
FORCE:

$(OUT)/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

define room_rule
$(OUT)/$(1).a: $(patsubst %.c,$(OUT)/%.o,$(call room_sources,$(1)))
	@mkdir -p $$(@D); rm -f $$@; ar rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_rule,$(room))))

$(OUT)/admitter.bin: $(OUT)/admitter/main.o $(call reverse,$(ARCHIVES))
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# Unit tests: tests/unit/<room>/test_<file>.c is linked with its room and the rooms below it only,
# so that a call up the table does not link. tests/unit/<room>/support*.c is linked into each;
# SUPPORT.<room> names the rooms whose support its tests share.
SUPPORT.admitter/jobs  := admitter/objects
SUPPORT.admitter/rules := admitter/objects
SUPPORT.admitter/loop  := admitter/objects admitter/rules
UNIT_SOURCES := $(sort $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c))
UNIT_TESTS   := $(UNIT_SOURCES:%.c=$(OUT)/%)
rooms_upto = $(if $(2),$(firstword $(2)) $(if $(filter $(1),$(firstword $(2))),,$(call rooms_upto,$(1),$(wordlist 2,$(words $(2)),$(2)))))
unit_room  = $(patsubst tests/unit/%/,%,$(dir $(1)))
define unit_rule
$(OUT)/$(1): $(OUT)/$(1).o $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/unit/$(2)/support*.c $(SUPPORT.$(2):%=tests/unit/%/support*.c))) $(foreach room,$(call reverse,$(call rooms_upto,$(2),$(ROOMS))),$(OUT)/$(room).a)
	$$(call say,LD,$$@)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ -lcmocka $$(PKG_LIBS)
endef
$(foreach source,$(UNIT_SOURCES),$(eval $(call unit_rule,$(source:%.c=%),$(call unit_room,$(source)))))

.PHONY: unit
unit: $(filter $(OUT)/tests/unit/$(UNIT)%,$(UNIT_TESTS)) ## build and run the unit tests (UNIT=quota/base for one room)
	@tests/unit/run $(filter $(OUT)/tests/unit/$(UNIT)%,$(UNIT_TESTS))

PREFIX ?= /usr/local
.PHONY: install
install: build ## copy the program to PREFIX/bin (default /usr/local), below DESTDIR
	install -D -m 755 $(OUT)/admitter.bin $(DESTDIR)$(PREFIX)/bin/admitter

# Further targets live beside what they serve.
-include $(wildcard tests/*/*.mk charts/*.mk)

.PHONY: clean
clean: ## remove everything made here
	rm -rf out

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | expand -t 18

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
