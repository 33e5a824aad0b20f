# Benchmarks: figures and ratios for people; they never fail because something is slow.
#   make bench                 everything, some minutes
#   make bench BENCH_QUICK=1   small sizes, some seconds
BENCH_ROOMS   := $(foreach room,$(call reverse,$(call rooms_upto,quota/ledger,$(ROOMS))),$(OUT)/$(room).a)
BENCH_SUPPORT := $(OUT)/tests/bench/measure.o
BENCHES       := $(OUT)/tests/bench/bench_engine $(OUT)/tests/bench/bench_ledger
BENCH_WEBHOOK := $(OUT)/tests/bench/bench_webhook

$(OUT)/tests/bench/bench_engine: $(OUT)/tests/bench/bench_engine.o $(OUT)/tests/bench/town.o
$(OUT)/tests/bench/bench_ledger: $(OUT)/tests/bench/bench_ledger.o
$(BENCHES): $(BENCH_SUPPORT) $(BENCH_ROOMS)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PKG_LIBS)

$(BENCH_WEBHOOK): $(OUT)/tests/bench/bench_webhook.o $(BENCH_SUPPORT) $(foreach room,$(call reverse,$(call rooms_upto,admitter/loop,$(ROOMS))),$(OUT)/$(room).a)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

.PHONY: bench
bench: $(BENCHES) $(BENCH_WEBHOOK) $(OUT)/admitter.bin ## speed and memory of engine, ledger, webhook and simulator (BENCH_QUICK=1: seconds)
	@BENCH_QUICK=$(BENCH_QUICK) tests/bench/run $(OUT)
