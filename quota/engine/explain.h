/* explain.h - why a workload does not start, in numbers: the question of people, not of a cycle.
 *
 * Looks at a workload as if its turn were now: which flavors each pod set was offered, what each
 * lacks, which limit of the quota tree says so, who holds what it needs, and who is before it in
 * its queue. Nothing is decided and nothing changes; simulations are rolled back. Engine thread.
 * Everything lives in the caller's arena. Rules: spec/scheduling.md 2.3, 4.5. */
#pragma once

#include "quota/engine/engine.h"

/* The limit that holds a request back: the first, from the ClusterQueue upwards, that lets through
 * no more than there is. */
enum binding_kind {
    BINDING_NONE,      /* it fits */
    BINDING_NOMINAL,   /* nominalQuota of the ClusterQueue, which has no cohort */
    BINDING_BORROWING, /* borrowingLimit of the ClusterQueue or a Cohort */
    BINDING_CAPACITY   /* everything in the tree of the root Cohort */
};
struct binding {
    enum binding_kind kind;
    const char *owner;   /* name of the ClusterQueue or Cohort */
    bool is_cohort;      /* what the owner is */
    int64_t limit, used; /* of that limit: quota and usage, or limit and what is borrowed */
    int64_t slack;       /* BINDING_BORROWING: how far it may rise before another limit holds */
};

struct holder {                      /* a workload that holds some of it */
    const char *key, *cluster_queue; /* "namespace/name" */
    int64_t amount;
    bool is_evicted; /* on its way out */
};

struct explained_resource {
    const char *resource;
    int64_t requested;          /* by this pod set */
    int64_t before;             /* by pod sets placed before it */
    int64_t available, maximum; /* now, and with nothing in use */
    int64_t missing;            /* 0: it fits; counted from 'maximum' when 'is_never' */
    bool is_never;              /* more than the tree has */
    struct binding binding;
    int64_t unlent;         /* free in other queues of the tree that their lendingLimit keeps */
    struct holder *holders; /* below the binding limit's owner; largest first */
    size_t holder_count;
};

enum explained_verdict {
    VERDICT_FITS,
    VERDICT_PREEMPTS,      /* after preemption, if victims can be had */
    VERDICT_NO_CANDIDATES, /* only preemption would help, and nobody may be preempted */
    VERDICT_LACKS,
    VERDICT_REFUSED /* the flavor does not suit the pods, whatever is free */
};
struct explained_flavor {
    const char *flavor;
    enum explained_verdict verdict;
    const char *refusal; /* VERDICT_REFUSED: in the words of 1.12; else "" */
    struct explained_resource *resources;
    size_t resource_count;
};

struct explained_pod_set {
    const char *name;
    int32_t count;
    bool is_looked_at;                /* the ones behind one that does not fit are not */
    const char *problem;              /* a resource that the queue does not have, an error; "" */
    struct explained_flavor *flavors; /* those looked at, in order */
    size_t flavor_count;
};

struct explanation {
    const char *cluster_queue;
    bool fits, strict_fifo;
    size_t ahead, waiting; /* in the ClusterQueue, in serving order; itself not in 'ahead' */
    const char *first;     /* who is at the front; "" when it is itself */
    const char *message;   /* what the scheduler would write (8.1); "" when it fits */
    struct victim_key {
        const char *key, *cluster_queue;
    } * victims; /* who would be preempted for it */
    size_t victim_count;
    struct explained_pod_set *pod_sets;
    size_t pod_set_count;
};

/* False: there is no such workload, it holds quota already, or its queue cannot be looked at
 * (engine_wait_reason says why). */
bool engine_explain(struct engine *engine, const char *namespace, const char *name,
                    struct arena *arena, struct explanation *explanation);
