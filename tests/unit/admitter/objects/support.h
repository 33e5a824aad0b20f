/* support.h - an arena for each test, and short ways to write objects: JSON with single quotes. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include "admitter/objects/admission.h"
#include "quota/base/arena.h"
#include "quota/base/err.h"

/* For the texts of one test: fresh before each, released after it. */
extern struct arena arena;
int arena_setup(void **state);
int arena_teardown(void **state);
#define TEST_WITH_ARENA(name) cmocka_unit_test_setup_teardown(name, arena_setup, arena_teardown)

/* ' becomes ". In the arena. */
struct str quoted(struct arena *a, const char *text);
/* A tree of such text; the test fails when it is no JSON. New reference. */
json_t *tree(const char *text);
/* The member at "spec.podSets.0.name" (borrowed); the test fails when it is absent. */
json_t *member(const json_t *object, const char *path);
const char *member_text(const json_t *object, const char *path);
bool has_member(const json_t *object, const char *path);
/* Compact JSON with sorted keys equals the text (single quotes)? Fails the test showing both. */
void assert_json(const json_t *value, const char *expected);

/* What validation says of a change, or of a new object. */
struct rule {
    const char *before, *object; /* before NULL: create */
    const char *expected;        /* field_errors_text; NULL: allowed */
};
/* All of them hold; a failure shows the first that does not. */
void judge(object_validate_function *validate, const struct object_gates *gates,
           const struct rule *rules, size_t count);
