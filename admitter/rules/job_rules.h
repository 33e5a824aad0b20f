/* job_rules.h - what has to happen next for a job and its Workload: one pure choice.
 *
 * The caller gathers facts about the job and the Workloads it owns, asks job_step, carries out the
 * one action it names, and asks again when that has come back. Rules: spec/integrations.md 1.11
 * (R1 - R20), 1.12, 1.13, 1.15 - 1.19. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "admitter/jobs/job.h"
#include "admitter/rules/settings.h"

/* One pod set of a Workload, as far as equivalence and restoring need it. */
struct workload_pod_set {
    const char *name;
    int32_t count, min_count; /* min_count -1: absent */
    struct digest containers, tolerations;
    const char *injected; /* pod_set_info.h */
};

/* A Workload as the job rules see it. Borrowed for the call. */
struct workload_facts {
    const char *name, *uid;
    int64_t created;
    const json_t *object; /* tree without templates */
    const struct workload_pod_set *pod_sets;
    size_t pod_set_count;
};

struct job_facts {
    const struct job *job; /* NULL: the job object is gone */
    const char *job_name;
    bool namespace_exists, namespace_managed;
    bool is_top_level;            /* no managed ancestor */
    bool ancestor_has_queue;      /* when not top level */
    bool ancestor_lets_run;       /* its newest unfinished Workload does (R6) */
    const char *ancestor_problem; /* why it cannot be told; NULL */
    bool is_nested_too_deep;      /* ... because there are too many owners */
    const struct workload_facts
        *workloads; /* owned by (kind, name), sorted by creation, then uid */
    size_t workload_count;
    const struct workload_facts *prebuilt; /* the prebuilt Workload when it exists, else NULL */
    int32_t priority;                      /* resolved (1.10); meaningful when priority_known */
    const char *priority_group, *priority_kind, *priority_name; /* "" without a reference */
    bool priority_known; /* false: the named class does not exist */
};

enum job_action {
    JOB_NOTHING,
    JOB_SUSPEND_CHILD,    /* R6 */
    JOB_STOP,             /* suspend and restore from 'workload' (or from nothing) */
    JOB_START,            /* R18 */
    JOB_CREATE_WORKLOAD,  /* R14; 'workload' is the slice it replaces, or NULL */
    JOB_RESIZE_WORKLOAD,  /* 'patch' is a JSON patch for its counts */
    JOB_UPDATE_WORKLOAD,  /* 1.12 step 6: spec of 'workload' from the job */
    JOB_DELETE_WORKLOAD,  /* 1.12 step 4 */
    JOB_ADOPT_WORKLOAD,   /* prebuilt: become its controller */
    JOB_WRITE_WORKLOAD,   /* 'tree' holds the changed status */
    JOB_PATCH_WORKLOAD,   /* 'patch' is a merge patch for the Workload's spec or metadata */
    JOB_REMOVE_FINALIZER, /* of 'workload' */
    JOB_DELETE_JOB,       /* 1.19 */
    JOB_ANCESTOR_PROBLEM, /* R4 */
    JOB_MISSING_CLASS,    /* the WorkloadPriorityClass does not exist: event, wait for it */
};

struct job_choice {
    enum job_action action;
    const struct workload_facts *workload; /* the subject, or NULL */
    const char *event_reason, *event_note; /* for the job once the action succeeded; NULL: none */
    json_t *tree; /* owned by the caller afterwards; NULL unless named above */
    json_t *patch;
    int64_t next; /* look again at this time; TIME_NONE */
};

/* 'arena' holds the texts of the choice. */
void job_step(const struct job_facts *facts, const struct loop_settings *settings, int64_t now,
              struct arena *arena, struct job_choice *choice);

/* When JOB_STOP turned out to need no patch any more: what follows for its Workload (R11, R17). */
void job_step_stopped(const struct job_facts *facts, const struct loop_settings *settings,
                      const struct workload_facts *workload, int64_t now, struct arena *arena,
                      struct job_choice *choice);

/* Is this Workload a true description of the job (1.13)? */
bool job_matches_workload(const struct job *job, const struct workload_facts *workload,
                          const struct loop_settings *settings);

/* The infos that starting the job with this admitted Workload needs (1.14). 'flavor' answers a
 * flavor's node labels (object) and tolerations (array) as borrowed trees. ERR_INVALID: permanent
 * conflict. 'infos' holds workload->pod_set_count entries; finish them with pod_set_info_finish. */
struct pod_set_info;
typedef bool flavor_find_fn(void *context, const char *flavor, const json_t **node_labels,
                            const json_t **tolerations);
MUST_USE int workload_infos(const struct workload_facts *workload,
                            const struct loop_settings *settings, flavor_find_fn *flavor,
                            void *context, struct pod_set_info *infos, struct err *e);
