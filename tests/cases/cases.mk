# The engine cases: one program that shares the simulator's code, over every case file.
CASE_RUNNER := $(OUT)/tests/cases/run_cases

$(CASE_RUNNER): $(OUT)/tests/cases/run_cases.o $(call reverse,$(ARCHIVES))
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

.PHONY: cases
cases: $(CASE_RUNNER) ## run the engine cases (CASES=preemption for one group)
	@tests/cases/run $(CASE_RUNNER) $(CASES)
