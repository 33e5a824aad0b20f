/* owner_kinds.h - the kinds that may own a job, and what is known of each.
 *
 * Numbers: a kind that is built here has the same number as in job_kinds(); the other kinds of the
 * API's world follow, then the external frameworks of the configuration. Filled once, then shared
 * read-only by all threads. Rules: spec/integrations.md 1.1 and 1.4. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "quota/base/arena.h"

struct owner_kind {
    const char *framework; /* name in integrations.frameworks; "": none of its own */
    const char *group, *version, *kind, *plural;
    bool is_managed;  /* an enabled integration or an external framework manages it */
    bool is_followed; /* what its objects say of themselves is watched; else walks end there */
};

struct owner_kinds {
    struct owner_kind *items;
    size_t count, built; /* the first 'built' ones are those of job_kinds() */
};

/* 'frameworks': names of the enabled integrations; 'externals': "Kind.version.group". The texts are
 * borrowed, the list lives in 'arena'. */
void owner_kinds_init(struct owner_kinds *kinds, struct arena *arena, const char *const *frameworks,
                      size_t framework_count, const char *const *externals, size_t external_count);
/* The number of a kind; -1: no integration knows it. */
int owner_kinds_find(const struct owner_kinds *kinds, const char *api_version, const char *kind);
