/* support.h - short ways to write objects in tests: JSON with single quotes. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include "quota/base/arena.h"
#include "quota/base/err.h"

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
