# The oracle: the scheduler's rules once more, slowly, compared with the program on random worlds.
#   make oracle ORACLE_WORLDS=5000 ORACLE_SEED=1
ORACLE_WORLDS := 250
ORACLE_SEED   := 1
ORACLE_RUN    = PYTHONPYCACHEPREFIX=$(OUT)/tests/oracle python3 tests/oracle/compare.py $(OUT)/admitter.bin \
                --out $(OUT)/tests/oracle

.PHONY: oracle check-long
oracle: build ## random worlds decided by the program and by a slow reading of the rules (ORACLE_WORLDS, ORACLE_SEED)
	@$(ORACLE_RUN) --worlds $(ORACLE_WORLDS) --seed $(ORACLE_SEED)

check-long:: build
	@$(ORACLE_RUN) --worlds 20000 --seed 1000000
