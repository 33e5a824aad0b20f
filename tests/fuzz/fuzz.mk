# Fuzz targets: tests/fuzz/fuzz_<name>.c, whose first line names the room to link up to
# ("/* room: quota/base. ..."). Kept inputs lie in tests/fuzz/corpus/<name>/. What a run finds stays
# in out/fuzz/: new inputs in found/<name>/, inputs that fail in crash-<name>-*.
#   make fuzz-short              every target, FUZZ_SECONDS each (default 5)
#   make fuzz-short FUZZ=json    one target
#   make fuzz-short FUZZ_SEED=0  other inputs each time; by default a run makes the same ones, as far as it gets
FUZZ_SECONDS ?= 5
FUZZ_SEED    ?= 1
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_NAMES   := $(if $(FUZZ),$(FUZZ),$(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SOURCES)))

# Never set in other builds: libFuzzer brings its own main.
ifeq ($(BUILD),fuzz)
fuzz_room = $(shell sed -n '1s|.*room: *\([a-z/]*\).*|\1|p' tests/fuzz/fuzz_$(1).c)
define fuzz_rule
$(OUT)/tests/fuzz/fuzz_$(1): $(OUT)/tests/fuzz/fuzz_$(1).o $(foreach room,$(call reverse,$(call rooms_upto,$(2),$(ROOMS))),$(OUT)/$(room).a)
	$$(CC) $$(ALL_LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) $$(PKG_LIBS)
endef
# Event streams are those of the property tests, with their model and their checks.
$(OUT)/tests/fuzz/fuzz_events: $(patsubst %.c,$(OUT)/%.o,$(filter-out %/property.c,$(wildcard tests/property/*.c)))
$(foreach name,$(FUZZ_NAMES),$(eval $(call fuzz_rule,$(name),$(call fuzz_room,$(name)))))

.PHONY: fuzz-run
fuzz-run: $(FUZZ_NAMES:%=$(OUT)/tests/fuzz/fuzz_%)
	@tests/fuzz/run $(OUT) $(FUZZ_SECONDS) $(FUZZ_SEED) $(FUZZ_NAMES)
endif

.PHONY: fuzz-short
fuzz-short: ## every fuzz target for some seconds, with clang
	@$(MAKE) --no-print-directory BUILD=fuzz fuzz-run
