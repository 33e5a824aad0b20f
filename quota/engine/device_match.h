/* device_match.h - which of the devices that drivers publish satisfy selectors.
 *
 * Thousands of workloads select alike, so the engine remembers the answers until a slice changes.
 * Private to the engine; engine thread. Rules: spec/lifecycle.md 14.2, 14.3. */
#pragma once

#include "quota/engine/engine_private.h"

struct device_filter {
    const char **selectors; /* CEL expressions, all of which must be true */
    size_t count;
    const char *driver;  /* NULL: any */
    bool complete_pools; /* leave out pools of which a slice is missing */
};

/* The expressions, which are borrowed, count, too. */
void device_filter_add(struct device_filter *filter, const char *const *selectors, size_t count,
                       struct arena *a);
/* Devices that pass the filter, in order of slice and place; they are the engine's, until the next
 * call that is no question. NULL and *e, ERR_INVALID: an expression is none. 'a' is for
 * intermediate values. */
const struct device *const *device_match(const struct engine *engine,
                                         const struct device_filter *filter, struct arena *a,
                                         size_t *count, struct err *e);
void device_matches_drop(struct engine *engine); /* a slice changes */
