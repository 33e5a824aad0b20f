# Style and static analysis: make lint installs the tools.
LINT_C := $(SOURCES) admitter/main.c
LINT_H := $(wildcard $(addsuffix /*.h,$(ROOMS)))
.PHONY: lint format
lint: ## clang-format, clang-tidy, pmccabe (15), banned names, rooms, headers alone, shellcheck
	@tests/install-packages lint
	@tests/lint/run "$(subst ",\",$(subst ',,$(ALL_CFLAGS)))" $(LINT_C) $(LINT_H)

format: ## put every C file into the project's format
	@clang-format -i $(LINT_C) $(LINT_H) $(wildcard tests/*/*.[ch] tests/*/*/*.[ch] tests/*/*/*/*.[ch])
