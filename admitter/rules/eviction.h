/* eviction.h - what an eviction does to a Workload, and how one is finished.
 *
 * Changes the tree of a Workload in place; writing it is the caller's. Pure.
 * Rules: spec/api.md 5.5, spec/admission-checks.md 8. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct eviction {
    const char *reason;           /* "Preempted", "Deactivated", ... */
    const char *underlying_cause; /* "" when none; the condition's reason becomes
                                     <reason>DueTo<cause> for Deactivated */
    const char *message;
};

/* Set Evicted=True and reset what an eviction resets. The reservation stays (its pods still run).
 * *had_admission tells whether an event and metrics are due. */
void workload_evict(json_t *workload, const struct eviction *eviction, int64_t now,
                    bool *had_admission);

/* The condition's reason of an eviction, "DeactivatedDueTo<cause>" joined. Returns 'buffer'. */
const char *eviction_condition_reason(const struct eviction *eviction, char *buffer, size_t size);

/* Give up the reservation of a Workload: QuotaReserved=False with this reason and message,
 * admission removed, Admitted recomputed ('observability': as for workload_sync_admitted). True:
 * changed. */
bool workload_release(json_t *workload, const char *reason, const char *message, bool observability,
                      int64_t now);

/* Recompute the Admitted condition from QuotaReserved, the check states and delayed topology (5.3).
 * 'observability' and 'explicit_status' are the gates UnadmittedWorkloadsObservability and
 * UnadmittedWorkloadsExplicitStatus. True: changed. */
bool workload_sync_admitted(json_t *workload, bool observability, bool explicit_status,
                            int64_t now);
