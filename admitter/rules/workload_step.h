/* workload_step.h - what the files of the Workload's rules share: one step on its way.
 *
 * A rule looks at the tree, changes it when something is due and says so by its answer: true ends
 * the step, also when the rule only found that there is something to wait for. Pure. */
#pragma once

#include "admitter/rules/workload_rules.h"

struct step {
    json_t *workload;
    const struct loop_settings *settings;
    const struct workload_surroundings *around;
    int64_t now;
    uint64_t random;
    struct arena *arena;
    struct step_result *result;
};

/* Set a condition, with the generation; true: changed. */
bool step_put(struct step *s, const char *type, const char *status, const char *reason,
              const char *message);
bool step_write_status(
    struct step *s); /* always true: the last word of a rule that changed the status */
/* To be posted once the write succeeded; texts are copied. */
void step_event(struct step *s, bool warning, const char *reason, const char *note);
void step_look_again(struct step *s, int64_t at);
bool step_evict(struct step *s, const char *reason, const char *cause, const char *message);
/* status.requeueState, made when absent. */
json_t *step_requeue_state(struct step *s);
int64_t requeue_at(const json_t *workload); /* TIME_NONE: absent */

/* Rules of a Workload that holds quota and is not evicted (workload_quota.c), in order. */
bool step_check_states(struct step *s);
bool step_local_queue(struct step *s);
bool step_cluster_queue(struct step *s);
bool step_pods_ready(struct step *s);
bool step_execution_time(struct step *s);
