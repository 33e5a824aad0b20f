/* flavor_scan.h - one pass over the flavors of one resource group (spec/scheduling.md 4.5.2). */
#pragma once

#include "quota/engine/assignment.h"

struct pod_group { /* pod sets that are placed together; mostly one */
    const struct assign_input *input;
    struct assignment *out;
    struct pod_set_pick **members;
    size_t member_count;
    struct pick *total; /* requests of all members, hash order */
    size_t total_count;
};

enum scan_end { SCAN_FOUND, SCAN_NONE, SCAN_ERROR };
/* Choose a flavor for all resources of 'group'; fills flavors of members and totals. */
enum scan_end flavor_scan(struct pod_group *pods, const struct quota_group *group,
                          uint32_t resource);
