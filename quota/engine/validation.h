/* validation.h - pod sets that can never run as written.
 *
 * Pure; engine thread. Rules: spec/scheduling.md 4.2 rows 7 and 8. Both look at adjusted templates
 * (requests.h pod_adjust). The texts are an interface: the QuotaReserved condition shows them. */
#pragma once

#include "quota/engine/requests.h"

/* Quick tests of one template, for heads that are fine (nearly all): no allocation but row 8's pod
 * total in 'a'. */
bool pod_exceeds_limits(const struct pod_template *pod);
bool pod_violates_limit_range(const struct pod_template *pod, const struct limit_summary *limits,
                              struct arena *a);

/* Row 7. NULL when no container asks for more than its limit, else
 * "resources validation failed: <field errors>". 'pods' are the templates in spec order. */
const char *validation_resources(const struct pod_template *const *pods, size_t count,
                                 struct arena *a);

/* Row 8. NULL when the namespace's limits hold, else
 * "resources didn't satisfy LimitRange constraints: <field errors>". */
const char *validation_limit_range(const struct pod_template *const *pods, size_t count,
                                   const struct limit_summary *limits, struct arena *a);
