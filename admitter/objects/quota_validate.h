/* quota_validate.h - rules that ClusterQueues and Cohorts share. Private to admitter/objects.
 * Rules: spec/api.md 3.4 rows 1 to 5b and 9. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include "admitter/objects/field_error.h"

struct quota_rules {
    bool has_parent;            /* spec.cohortName or spec.parentName is not empty */
    const char *without_parent; /* "must be nil when cohort is empty" */
    bool lending_within_nominal;
};
void resource_groups_validate(const json_t *groups, const struct quota_rules *rules,
                              const char *path, struct field_errors *errors);
/* spec.fairSharing. */
void fair_sharing_validate(const json_t *fair_sharing, const char *path,
                           struct field_errors *errors);
