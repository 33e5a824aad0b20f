# Everything, in the order of cost. Each part prints what it is and closes with "N passed, N failed".
.PHONY: test
test: ## install what is missing, build, run all tests; closes with one line of counts
	@tests/install-packages test fuzz
	@tests/run-all $(MAKE)

.PHONY: check
check: ## the quick part of the tests: unit tests and engine cases, no cluster
	@tests/install-packages test
	@tests/run-all --quick $(MAKE)
