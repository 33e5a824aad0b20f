/* equivalence.h - does a Workload still describe its job? Digests instead of stored templates.
 *
 * Containers and tolerations are reduced to a canonical text (keys sorted, empty values left out,
 * quantities by value, environment entries unique) and hashed to 128 bits. Pure.
 * Rules: spec/integrations.md 1.9 "Sanitising", 1.13. */
#pragma once

#include <jansson.h>
#include "admitter/jobs/job.h"

struct digest digest_containers(const json_t *pod_spec);
struct digest digest_tolerations(const json_t *pod_spec);
bool digest_equal(const struct digest *a, const struct digest *b);
/* Environment entries with a repeated name keep the first place and the last value, in place. */
void pod_spec_sanitise(json_t *pod_spec);
