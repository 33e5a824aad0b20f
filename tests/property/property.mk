# Properties: random worlds against a slow oracle, and the cases kept from earlier findings.
#   make property              a few seconds; part of make test
#   make check-long            ten million operations, and what else takes long
#   make property PROPERTY="--first 1000 --worlds 50"
PROPERTY      := --worlds 150 --steps 1500
PROPERTY_LONG := --first 100000 --worlds 6000 --steps 2000
PROPERTY_BIN  := $(OUT)/tests/property/property
PROPERTY_JOBS := $(shell nproc 2>/dev/null || echo 1)

$(PROPERTY_BIN): $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/property/*.c)) $(OUT)/quota/engine.a $(OUT)/quota/base.a
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

.PHONY: property check-long
property: $(PROPERTY_BIN) ## random worlds with their invariants checked at every step, and kept cases
	@tests/property/run $(PROPERTY_BIN) --jobs $(PROPERTY_JOBS) $(PROPERTY)

check-long:: $(PROPERTY_BIN) ## ten million random operations (minutes)
	@tests/property/run $(PROPERTY_BIN) --jobs $(PROPERTY_JOBS) $(PROPERTY_LONG)
