/* tree.h - lists, quantities and sameness in jansson trees of Kubernetes objects, for the rules
 * that compare them. Pure; results are borrowed. Private to admitter/objects. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include "admitter/objects/json_read.h"
#include "quota/base/quantity.h"

bool tree_has(const json_t *object, const char *key); /* present and not null */
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
