/* topology_assignment.h - the two written forms of a topology assignment.
 *
 * v1beta1 lists every domain: {levels, domains: [{values, count}]}. v1beta2 packs neighbours into
 * slices that share prefixes, suffixes and counts: {levels, slices: [...]}. Both say the same.
 * Trees in, new trees out; pure. Rules: spec/api.md 5.10. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include "quota/base/err.h"

/* v1beta1 to v1beta2; new reference. 'by_host_prefix' is gate
 * TASAssignmentsEncodingByHostnamePrefix. NULL and ERR_INVALID when a domain has not one value per
 * level. */
json_t *topology_assignment_pack(const json_t *assignment, bool by_host_prefix, struct err *e);
/* v1beta2 to v1beta1; new reference. NULL and ERR_INVALID when lists have not the lengths that
 * domainCount and levels say. */
json_t *topology_assignment_unpack(const json_t *assignment, struct err *e);
