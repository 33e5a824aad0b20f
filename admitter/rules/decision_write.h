/* decision_write.h - what a decision of the engine does to the tree of a Workload.
 *
 * Trees are changed in place, writing them is the caller's. Pure.
 * Rules: spec/scheduling.md 4.13, 4.14, 5.8; spec/api.md 5.2, 5.3. */
#pragma once

#include <jansson.h>
#include "admitter/rules/settings.h"
#include "quota/engine/engine.h"

/* status.admission in v1beta2 form; new reference. */
json_t *admission_json(const struct admission *admission);

/* Admitted or Reserved: QuotaReserved=True, what an earlier eviction left becomes False, Admitted
 * computed when every required check is listed. True when the Workload is admitted at once. */
bool decision_reserve(json_t *workload, const struct decision *decision,
                      const struct loop_settings *settings, int64_t now);

/* Pending, Skipped or Preempting: what is to be said, as a tree that outlives the decision. New
 * reference: "reason", "message", "requests" (as in the status), "gated", "quiet" (no Event). */
json_t *decision_refusal(const struct decision *decision);
/* Say it: QuotaReserved=False with the reason and what was asked for. True: something changed. */
bool decision_wait(json_t *workload, const json_t *refusal, const struct loop_settings *settings,
                   int64_t now);

/* A victim: Preempted and Evicted, and all that an eviction resets. */
void decision_preempt(json_t *workload, const struct victim *victim, int64_t now);
