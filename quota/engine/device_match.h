/* device_match.h - which of the devices that drivers publish satisfy selectors.
 *
 * Private to the engine; engine thread. Rules: spec/lifecycle.md 14.2, 14.3. */
#pragma once

#include "quota/engine/cel.h"
#include "quota/engine/engine_private.h"

struct device_filter {
    const struct cel_node **selectors; /* all must be true */
    size_t count;
    const char *driver;  /* NULL: any */
    bool complete_pools; /* leave out pools of which a slice is missing */
};

/* The expressions go into the filter, too. ERR_INVALID: one is no expression. */
MUST_USE int device_filter_add(struct device_filter *filter, const char *const *texts, size_t count,
                               struct arena *a, struct err *e);
/* Devices that pass the filter, in order of slice and place. The list lives in 'a'. */
const struct device **device_match(const struct engine *engine, const struct device_filter *filter,
                                   struct arena *a, size_t *count);
