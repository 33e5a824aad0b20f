/* status.h - what happens to the stored state of a simulated Workload.
 *
 * Works on the condition list and the admission of a struct simulate_workload, which own their
 * memory. Times are cut to whole seconds, as the API keeps them.
 * Rules: spec/scheduling.md 4.13, 4.14, 5.8, 8.2; spec/api.md 5. One thread. */
#pragma once

#include "admitter/simulate/world.h"

const struct condition *status_condition(const struct workload *workload, const char *type);
bool status_is_true(const struct workload *workload, const char *type);

/* Make the borrowed conditions of a fresh workload our own. */
void status_own_conditions(struct simulate_workload *workload);
void status_finish(struct simulate_workload *workload);

/* Append or update a condition; its time moves only with its status. */
void status_set(struct simulate_workload *workload, const char *type, enum condition_status status,
                const char *reason, const char *message, int64_t now);
/* Admitted or Reserved: quota is held from now on. */
void status_reserve(struct simulate_workload *workload, const struct decision *decision,
                    int64_t now);
/* Exactly the checks that are required now; new ones are pending, and live in 'a'. */
void status_checks_sync(struct workload *workload, const char *const *required, size_t count,
                        int64_t now, struct arena *a);
/* Every check that is listed is Ready. */
bool status_checks_ready(const struct workload *workload);
void status_admit(struct simulate_workload *workload, int64_t now);
/* QuotaReserved=False with the decision's reason and message. */
void status_wait(struct simulate_workload *workload, const struct decision *decision, int64_t now);
/* Preempted and Evicted; the reservation stays. */
void status_preempt(struct simulate_workload *workload, const char *reason, const char *message,
                    int64_t now);
/* The eviction is through: reservation gone, Requeued says whether it may queue again. */
void status_release(struct simulate_workload *workload, bool observability, int64_t now);
