/* label_syntax.h - which texts may be keys and values of labels, and what is wrong with the others.
 *
 * Pure; any thread. The texts are those of k8s.io/apimachinery, because users meet them in
 * conditions. */
#pragma once

#include "quota/base/arena.h"

/* NULL when well formed; else what is wrong, several problems joined by "; ". */
const char *label_key_problem(const char *key, struct arena *a);
const char *label_value_problem(const char *value, struct arena *a);
