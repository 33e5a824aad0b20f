/* job_step_private.h - what the files behind job_step share: job_rules.c and job_ensure.c. Pure. */
#pragma once

#include "admitter/rules/job_rules.h"

struct job_rule {
    const struct job_facts *facts;
    const struct job *job;
    const struct loop_settings *settings;
    int64_t now;
    struct arena *arena;
    struct job_choice *choice;
    const struct workload_facts *replaced; /* by the slice that is to be made; NULL */
};

/* Each fills in the choice and answers true: the step ends here. */
bool job_choose(struct job_rule *s, enum job_action action, const struct workload_facts *workload);
bool job_stop(struct job_rule *s, const struct workload_facts *workload, const char *message);
bool job_finish_workload(struct job_rule *s, const struct workload_facts *workload,
                         const char *reason, const char *message);
/* The Event that goes with the choice. */
void job_report(struct job_rule *s, const char *reason, const char *note);

const char *job_workload_key(struct job_rule *s, const struct workload_facts *workload);
bool facts_finished(const struct workload_facts *workload);
bool facts_reserving(const struct workload_facts *workload);
bool facts_deleting(const struct workload_facts *workload);
bool facts_have_finalizer(const struct workload_facts *workload);

/* R7, ensureOneWorkload (1.12, 1.20): *match is the Workload to go on with, or NULL. True: the step
 * ends here. */
bool job_find_workload(struct job_rule *s, const struct workload_facts **match);
