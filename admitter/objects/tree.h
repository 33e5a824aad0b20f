/* tree.h - short ways to read and compare jansson trees of Kubernetes objects. Pure; results are
 * borrowed. Private to admitter/objects. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "quota/base/quantity.h"

/* Follow member names, ended by NULL: tree_at(object, "spec", "podSets", NULL). NULL when
 * absent. */
json_t *tree_at(const json_t *object, ...) __attribute__((sentinel));
/* "" when absent or no string. */
const char *tree_text(const json_t *object, const char *key);
bool tree_has(const json_t *object, const char *key); /* present and not null */
int64_t tree_integer(const json_t *object, const char *key, int64_t otherwise);
const char *tree_annotation(const json_t *object, const char *key); /* "" when absent */
bool tree_condition_is_true(const json_t *object, const char *type);
/* The entry of a list whose member 'key' is 'text'; NULL when there is none. */
json_t *tree_entry(const json_t *list, const char *key, const char *text);
bool tree_list_has(const json_t *list, const char *text); /* a list of strings */

/* A quantity written as string or number. False when it is neither or malformed. */
bool tree_quantity(const json_t *value, struct quantity *quantity);
/* Replace the member's text by the canonical one, when it is a quantity. */
void tree_canonical(json_t *object, const char *key);

/* Do both mean the same? Absent, null and empty are equal, and quantities compare by value in the
 * maps that hold quantities (requests, limits, overhead, resourceUsage). */
bool tree_same(const json_t *a, const json_t *b);
