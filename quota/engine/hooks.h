/* hooks.h - where later rooms plug in without the cycle knowing them.
 *
 * Engine thread. Every pointer may be NULL: the feature is absent. Set once, before the first put.
 * Call points: spec/scheduling.md 3.12 (second pass), 4.3 and 4.5.5 (topology placement), 4.9 step
 * 1 (does the placement still fit), 4.11 (concurrent admission). */
#pragma once

#include "quota/engine/engine.h"

/* What an assignment asks of one pod set. */
struct placement_request {
    const char *namespace, *workload, *pod_set, *flavor;
    const struct topology_request *topology;
    int32_t count;
};
/* A placement that failed names the pod set and says why in words for the user. */
struct placement_failure {
    const char *pod_set, *flavor, *reason;
};

struct engine_hooks {
    void *context;
    /* Can the pods be placed? 'victims' ("namespace/name") are thought away; 'empty' thinks all
     * usage away. False fills *failure, whose texts live in 'a'. */
    bool (*place)(void *context, const struct placement_request *requests, size_t count,
                  const char *const *victims, size_t victim_count, bool empty,
                  struct placement_failure *failure, struct arena *a);
    /* Does this reserving workload need another decision (delayed topology, unhealthy node)? */
    bool (*wants_second_pass)(void *context, const struct workload *workload);
    /* Make it: true fills *admission (in 'a') with what to write; false says why in *message, and
     * it is asked again after 1 s, 2 s, 4 s ... 30 s. */
    bool (*second_pass)(void *context, const char *namespace, const char *name,
                        struct admission *admission, const char **message, struct arena *a);
    /* A more favourable variant of this workload is admitted already (4.9 step 0). */
    bool (*has_better_variant)(void *context, const char *namespace, const char *name);
};

/* 'hooks' is borrowed for the life of the engine. */
void engine_hooks_set(struct engine *engine, const struct engine_hooks *hooks);
