/* model.h - a small world as the property tests declared it, and the slow oracle on it.
 *
 * The model knows only what the test told the engine and what the engine answered. Capacity and
 * usage are recomputed from scratch, by the recursive formulas of spec/scheduling.md 2.2 and 2.3,
 * for every question. Amounts are whole pieces of two resources (cpu in cores, gpu), and a
 * flavor-resource is a number: 'flavor * RESOURCES + resource'. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    COHORTS = 6,
    QUEUES = 8,
    NAMESPACES = 2,
    FLAVORS = 2,
    RESOURCES = 2,
    CELLS = FLAVORS * RESOURCES,
    WORKLOADS = 48,
    POD_SETS = 2,
    ABSENT = -1,
};

struct limits {
    int nominal, borrowing, lending; /* the last two may be ABSENT */
};

struct model_node {
    bool exists; /* cohorts: declared; others named by a child are there too, without quota */
    int parent;  /* a cohort or ABSENT */
    struct limits limits[CELLS];
};

enum within { WITHIN_NEVER, WITHIN_LOWER, WITHIN_LOWER_OR_NEWER };
enum reclaim { RECLAIM_NEVER, RECLAIM_LOWER, RECLAIM_ANY };

struct model_queue {
    struct model_node node;
    bool stopped, strict, checked, selective, usage_based;
    enum within within;
    enum reclaim reclaim;
    bool borrow_lower; /* borrowWithinCohort: LowerPriority */
    int borrow_threshold;
    bool prefer_next_when_preempting, prefer_next_when_borrowing;
    int weight; /* of fair sharing; ABSENT */
};

struct model_local { /* one per namespace and queue */
    bool exists, stopped;
    int weight;
};

struct model_namespace {
    bool exists, chosen; /* chosen: has the label that selective queues ask for */
    int most_cores;      /* per container, of its LimitRange; ABSENT */
};

struct model_pod_set {
    int count, least; /* least: minCount or ABSENT */
    int amounts[RESOURCES];
    int reclaimed;
    int held_count, flavor; /* of the reservation */
};

enum eviction { EVICTION_NONE, EVICTION_PREEMPTED, EVICTION_PODS_READY, EVICTION_CHECK };

struct model_workload {
    bool exists, inactive;
    int namespace, queue, priority;
    int64_t created, generation;
    struct model_pod_set pod_sets[POD_SETS];
    int pod_set_count;
    bool holds;    /* quota is reserved */
    bool told;     /* the engine has seen the answer to that write */
    bool admitted; /* and all checks are ready */
    bool evicting; /* holds, on its way out */
    int64_t reserved;
    enum eviction eviction; /* the last one */
    int64_t evicted;
    int64_t requeue;    /* backoff until then; TIME_NONE */
    bool was_skipped;   /* its scan goes on at a later flavor next time (4.6) */
    bool may_be_sticky; /* it waited for victims, which may have put it first in its queue (3.7) */
};

struct model {
    struct model_node cohorts[COHORTS];
    struct model_queue queues[QUEUES];
    struct model_local locals[NAMESPACES][QUEUES];
    struct model_namespace namespaces[NAMESPACES];
    struct model_workload workloads[WORKLOADS];
    bool flavors[FLAVORS];  /* which exist */
    bool check_exists;      /* the admission check of 'checked' queues */
    bool fair, usage_based; /* options of the world */
    bool comes_to_rest;     /* preemptors go first, and nothing else decides the order */
    int64_t now;
};

/* ---- the oracle ---- */

/* Usage that a workload is charged for; 0 when it holds nothing. */
int model_held(const struct model_workload *workload, int cell);
/* A request in full: what all pod sets ask for together, in one flavor. */
int model_request(const struct model_workload *workload, int resource);

/* A queue (is_queue) or cohort below itself, or below one that is: no totals, nothing is
 * decided. */
bool model_is_cyclic(const struct model *model, bool is_queue, int index);
/* The node must not be cyclic. */
int model_capacity(const struct model *model, bool is_queue, int index, int cell);
int model_usage(const struct model *model, bool is_queue, int index, int cell);
int model_available(const struct model *model, bool is_queue, int index, int cell);

bool model_queue_is_active(const struct model *model, int queue);
/* May it wait in its queue (3.1)? */
bool model_is_queued(const struct model *model, const struct model_workload *workload);
/* Does nothing but quota keep it from starting? False too while it backs off. */
bool model_may_start(const struct model *model, const struct model_workload *workload);
/* Would all of it fit into one flavor, without preemption? */
bool model_fits(const struct model *model, const struct model_workload *workload);
/* Does 'a' go before 'b' in their queue (3.2, without usage and stickiness)? */
bool model_before(const struct model *model, int a, int b);
