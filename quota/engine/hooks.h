/* hooks.h - where later rooms plug in without the cycle knowing them.
 *
 * Engine thread. Every function may be NULL: the feature is absent. Set once, before the first put.
 * What needs no hook is a fact instead: slices, preemption gates, allowed flavors and device counts
 * are fields of struct workload, controllers of checks are in struct admission_check, and the
 * checks that an admission requires are in its decision. Rules: spec/scheduling.md 4.11 and, per
 * call point, the section named with it. */
#pragma once

#include "quota/engine/engine.h"
#include "quota/engine/requests.h"

/* ---- topology ---- */

/* What an assignment asks for one pod set. */
struct placement_request {
    const char *namespace, *workload, *pod_set, *flavor;
    const struct topology_request *topology;
    const struct pod_template *pod; /* adjusted (1.2) */
    struct amounts per_pod;         /* what one pod takes */
    int32_t count;
};
/* Where the pods of one pod set go. What it points at lives in the arena of the question. */
struct placement {
    const char *topology_assignment; /* of status.admission, as JSON; NULL: none */
    const void *domains;             /* the same for the room that made it */
    bool is_delayed; /* set by the engine: not asked yet, delayedTopologyRequest is Pending */
};
/* A placement that failed names the pod set and says why in words for the user. */
struct placement_failure {
    const char *pod_set, *flavor, *reason;
};
/* The cluster as it is thought of: as it is, less what is named here, plus what was planned since
 * cycle_begin. */
struct placement_scene {
    const char *const *gone; /* "namespace/name" of workloads */
    size_t gone_count;
    bool is_empty; /* no workload and no plan counts */
};

/* ---- second pass (3.12) ---- */

enum second_pass_end {
    SECOND_PASS_DONE,    /* the admission is filled in */
    SECOND_PASS_AGAIN,   /* asked again after 1 s, 2 s, 4 s ... 30 s */
    SECOND_PASS_HOPELESS /* no replacement for a failed node: with gate
                            TASFailedNodeReplacementFailFast it is to be evicted (4.9 step 3),
                            without it asked again */
};

/* ---- concurrent admission ---- */

enum migration { /* of a variant that fits, away from a sibling that is admitted */
                 MIGRATION_NONE,
                 MIGRATION_FORBIDDEN, /* the flavor is beyond lastAcceptableFlavorName */
                 MIGRATION_NEEDED     /* the sibling has to go first */
};

struct engine_hooks {
    void *context;

    /* A cycle begins: plans of the last one are forgotten. */
    void (*cycle_begin)(void *context);
    /* Place all pod sets at once (4.3, 4.5.5, 5.4.3). True fills placements[count]; false *failure.
     * Pod sets without pods, without a topology flavor, or delayed are not asked for. */
    bool (*place)(void *context, const struct placement_request *requests, size_t count,
                  const struct placement_scene *scene, struct placement *placements,
                  struct placement_failure *failure, struct arena *a);
    /* Do placements found earlier in this cycle still hold (4.9 step 1)? NULL: they do. */
    bool (*still_fits)(void *context, const struct placement_request *requests, size_t count,
                       const struct placement *placements, const struct placement_scene *scene);
    /* An entry takes its places, or will when its victims are gone (4.9 steps 7, 10, 12). */
    void (*plan)(void *context, const struct placement_request *requests, size_t count,
                 const struct placement *placements);

    /* Does this reserving workload need another decision (delayed topology, unhealthy node)? */
    bool (*wants_second_pass)(void *context, const struct workload *workload);
    /* Make it: fills *admission (in 'a') with what to write, or says why not in *message. */
    enum second_pass_end (*second_pass)(void *context, const char *namespace, const char *name,
                                        struct admission *admission, const char **message,
                                        struct arena *a);

    /* A more favourable variant of this workload is admitted already (4.9 step 0). */
    bool (*has_better_variant)(void *context, const char *namespace, const char *name);
    /* The workload fits on 'flavor' (of its first resource). MIGRATION_NEEDED names the "namespace/
     * name" of the sibling, in 'a' (4.9 step 12). */
    enum migration (*migration)(void *context, const char *namespace, const char *name,
                                const char *flavor, const char **sibling, struct arena *a);
};

/* 'hooks' is borrowed for the life of the engine. */
void engine_hooks_set(struct engine *engine, const struct engine_hooks *hooks);
