# The demo: see tests/demo/run.
.PHONY: demo demo-down
demo: ## watch Jobs wait, start, borrow and be preempted on a real control plane
	@tests/install-packages demo
	@$(MAKE) --no-print-directory build
	@tests/demo/run $(OUT)/admitter.bin

demo-down: ## end the demo: every process and file it made
	@tests/demo/down
