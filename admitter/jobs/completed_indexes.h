/* completed_indexes.h - counts of "1,3-5,7" lists of a batch Job. Pure. Rules:
 * spec/integrations.md 2.1. */
#pragma once

#include <stdint.h>

/* Distinct indexes below 'completions' in the union of both lists; malformed or descending
 * intervals are ignored. 0 when completions <= 0. */
int64_t completed_indexes_count(const char *completed, const char *failed, int64_t completions);
