/* workload_name.h - the name of the Workload of a job. Pure. Rules: spec/integrations.md 1.8. */
#pragma once

#include <stdbool.h>
#include "quota/base/arena.h"

/* 'extra' may be NULL. 'short_names': 63 bytes at most instead of 253. In 'arena'. */
char *workload_name(struct arena *arena, const char *kind, const char *group,
                    const char *owner_name, const char *owner_uid, const char *extra,
                    bool short_names);
