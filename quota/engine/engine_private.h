/* engine_private.h - what the files of the engine share, and nobody else sees.
 *
 * Engine thread. Ownership: the engine owns every record; records point at each other freely and
 * are released by their registry file. A record can exist before (or after) the object it stands
 * for: a queue named by a workload, a cohort named by a queue. 'exists' says which. */
#pragma once

#include "quota/base/arena.h"
#include "quota/base/heap.h"
#include "quota/base/intern.h"
#include "quota/base/map.h"
#include "quota/engine/engine.h"
#include "quota/engine/requests.h"
#include "quota/engine/shape.h"
#include "quota/engine/tree.h"

struct item;

struct flavor_record {
    uint32_t id;
    bool exists;
    struct arena facts;
    struct resource_flavor copy;
    uint32_t *fr_by_resource; /* FR + 1 by resource id, 0: not numbered yet */
    uint32_t fr_capacity;
};

struct fr_names {
    uint32_t flavor, resource;
};

struct fr_amount {
    uint32_t fr;
    int64_t amount;
};

#define CONTROLLER_MULTIKUEUE "kueue.x-k8s.io/multikueue"
#define CONTROLLER_PROVISIONING "kueue.x-k8s.io/provisioning-request"

struct named_check {
    char *name;
    struct arena facts;
    struct admission_check copy;
};

struct namespace_record {
    char *name;
    bool exists;
    struct arena facts;
    struct namespace_labels labels;
    struct map *limits; /* name -> struct limits_record, NULL: none */
    struct arena summary_memory;
    struct limit_summary summary;
};

struct limits_record {
    struct arena facts;
    struct limit_range copy;
};

struct runtime_class_record {
    struct arena facts;
    struct runtime_class copy;
};

struct device_class_record {
    struct arena facts;
    struct device_class copy;
};

struct claim_template_record {
    struct arena facts;
    struct claim_template copy;
};

struct device_slice_record {
    struct arena facts;
    struct device_slice copy;
    bool is_complete; /* of its pool's latest generation, all of which is there */
};

struct topology_record {
    struct arena facts;
    struct topology copy;
};

/* ---- cohorts and ClusterQueues ---- */

struct cohort_record {
    struct node node; /* first: a node's address is its record's */
    char *name;
    bool exists;
    bool is_changed, is_wholly_changed; /* ... and everything below it */
    struct cohort_record *changed_next;
    struct arena facts;
    struct cohort copy;
};

struct group_flavor {
    struct flavor_record *flavor;
    uint32_t *frs; /* by position of the resource in the group */
};
struct quota_group {
    uint32_t *resources;
    size_t resource_count;
    struct group_flavor *flavors;
    size_t flavor_count;
};

/* Reserving workloads in the order in which they would be preempted (5.3 rules 4 - 6). */
struct item_list {
    struct item **items;
    size_t count, capacity;
};

struct cluster_queue_record {
    struct node node; /* first */
    char *name;
    bool exists;
    bool is_active;
    bool is_changed;
    bool covers_pods;         /* some group covers "pods" (1.6) */
    bool usage_based_order;   /* the comparator's mode, fixed at creation (6.3) */
    bool order_is_stale;      /* ... and usage has changed since the heap was in order */
    bool preemptor_is_sticky; /* 3.7 */
    struct cluster_queue_record *changed_next;
    struct arena facts;
    struct cluster_queue copy;
    struct quota_group *groups;
    size_t group_count;
    const char *activity_reason, *activity_message; /* in activity_memory */
    struct arena activity_memory;

    struct heap heap; /* 3.1 */
    struct item *parked, *parked_last;
    size_t parked_count;
    struct id_map *marks; /* equivalence -> reason; NULL: none */
    struct id_map *alike; /* equivalence -> first of its kind in the heap; NULL: none */
    int64_t last_unpark_cycle;
    struct item *preemptor; /* 3.7 */
    int64_t preemptor_generation;
    uint32_t ready_place; /* among engine->ready, HEAP_ABSENT when it has no head */

    struct item_list reserving, evicted; /* disjoint; 'evicted': condition Evicted is True */
    size_t holder_count;                 /* reservations that point here */
    uint32_t admitted_capacity;
    int64_t admitted_count;
    int64_t *admitted;                       /* by FR: usage of admitted workloads */
    uint64_t own_generation;                 /* last time a workload left its usage (4.6) */
    struct local_queue_record *local_queues; /* those that name it */
    struct fair_candidates *candidates;      /* during one fair sharing search */
};

/* ---- LocalQueues ---- */

struct fair_ledger;
struct local_queue_usage {
    uint32_t fr;
    int64_t reserved, admitted;
};

struct local_queue_record {
    char *key; /* "namespace/name" */
    const char *name;
    struct namespace_record *namespace;
    bool exists;
    bool is_changed;
    struct local_queue_record *changed_next;
    enum stop_policy stop_policy;
    struct quantity weight;
    int64_t created;
    struct cluster_queue_record *cluster_queue; /* NULL when it names none */
    struct local_queue_record *next, *previous; /* among the ClusterQueue's */
    struct item *items;                         /* every workload that names it */
    size_t item_count;
    int64_t pending, pending_active, reserving, admitted;
    struct local_queue_usage *usage;
    size_t usage_count, usage_capacity;
    struct fair_ledger *ledger; /* fair_ledger.h; NULL: nothing recorded */
    int64_t sample_at;          /* in engine->samples; TIME_NONE: not sampled */
    uint32_t sample_place;
};

/* ---- workloads ---- */

struct shared_text { /* messages that thousands of workloads have in common */
    uint32_t references;
    uint32_t length;
    char text[];
};

struct pod_set_use {
    struct shape *shape;
    int32_t count;     /* spec.count */
    int32_t effective; /* less reclaimed pods (1.5) */
};

struct scan_progress { /* 4.6 */
    uint32_t pod_set, resource;
    int32_t value;
};
struct progress {
    uint64_t generation, equivalence;
    int64_t cycle;
    bool has_untried;
    size_t count;
    struct scan_progress entries[];
};

struct hold_row {     /* one resource of one assigned pod set */
    uint32_t pod_set; /* index into the workload's pod sets */
    uint32_t fr;
    int64_t amount;
};

struct reservation {
    struct cluster_queue_record *queue;
    struct fr_amount *usage; /* each FR once; what the queue is charged */
    size_t usage_count;
    struct hold_row *rows;
    size_t row_count;
    int64_t reserved_at;
    bool is_admitted;        /* as counted */
    bool is_evicted;         /* as filed */
    bool is_assumed;         /* decided here, not seen in a write yet */
    bool counts_not_ready;   /* as counted */
    bool eviction_issued;    /* expectation of 5.8 */
    bool eviction_refused;   /* the last try to write one failed */
    bool is_superseded;      /* a new slice has its quota: not charged, not filed (4.11) */
    int64_t preempted_cycle; /* cycle in which it was chosen as victim */
};

enum item_place { ITEM_NOWHERE, ITEM_HEAP, ITEM_PARKED, ITEM_INFLIGHT, ITEM_RESERVING };

struct item_extra {        /* rarely there */
    char *gated_by;        /* annotation admission-gated-by */
    char *slice_for;       /* annotation workload-slice-replacement-for */
    char *allowed_flavors; /* annotation workload-allowed-resource-flavors */
    char *job_uid;         /* label job-uid */
    char *ready_checks;    /* names of the checks in state Ready, each with ',' behind it */
    char *device_refusal;  /* why its devices cannot be charged (1.10) */
};

struct item {
    /* First what the heap compares and moves, close together. */
    struct local_queue_record *local_queue; /* NULL without a queue name */
    int64_t priority;                       /* effective */
    int64_t queue_time;
    uint32_t heap_place, backoff_place, second_place;
    int32_t priority_base;
    struct item *kin_next, *kin_previous; /* parked: the parked ones; in the heap: its equals */
    uint64_t equivalence;
    struct namespace_record *namespace;
    struct item *queue_next, *queue_previous;
    int64_t created;
    int64_t generation, evaluated_generation;
    int64_t requeue_at;
    int64_t second_pass_at;
    int64_t evicted_at;           /* transition of Evicted=True, else TIME_NONE */
    struct pod_set_use *pod_sets; /* &one when there is one */
    uint32_t pod_set_count;
    struct pod_set_use one;
    struct progress *progress;
    struct reservation *reservation;
    struct shared_text *reason, *message; /* of QuotaReserved=False */
    struct item_extra *extra;
    uint8_t place; /* enum item_place */
    uint8_t second_pass_tries;
    bool active : 1, reserved : 1, admitted : 1, evicted : 1, on_hold : 1;
    bool waits_replacement : 1, requeued_false : 1, backs_off : 1, pods_ready : 1;
    bool closed_gate : 1, is_parent : 1;
    bool open_checks : 1, failed_checks : 1; /* one that is not Ready; one in Retry or Rejected */
    bool bypassed : 1;                       /* parked unseen by an equivalence mark (3.8) */
    bool is_bypass_told : 1;  /* the caller has heard of that (changed.c), the condition may not say
                                 it */
    uint32_t name_at, uid_at; /* in 'key' */
    char key[];               /* "namespace/name" and, behind it, the uid */
};
static inline const char *item_name(const struct item *item)
{
    return item->key + item->name_at;
}
static inline const char *item_uid(const struct item *item)
{
    return item->key + item->uid_at;
}
static inline struct cluster_queue_record *item_queue(const struct item *item) /* NULL: none */
{
    return item->local_queue ? item->local_queue->cluster_queue : NULL;
}

/* ---- the engine ---- */

struct engine_hooks; /* hooks.h */

struct share_row { /* share.c: one resource of one node */
    uint32_t resource;
    int64_t borrowed, lendable;
};

struct engine {
    struct engine_options options;
    struct arena options_memory;
    const struct engine_hooks *hooks;

    struct intern *flavor_names, *resource_names; /* the latter is the shape store's */
    struct flavor_record **flavors;               /* by id */
    uint32_t flavor_capacity;
    struct fr_names *frs; /* by FR */
    uint32_t fr_count;
    size_t fr_capacity;
    uint32_t pods_resource;

    struct map *cohorts, *cluster_queues, *local_queues, *namespaces, *checks, *topologies;
    struct map *runtime_classes;
    struct map *device_classes, *claim_templates; /* the latter by "namespace/name" */
    struct map *device_slices;
    struct map *device_matches; /* device_match.c: selectors -> devices, until a slice changes */
    size_t extended_resource_count; /* classes that stand for one */
    struct map *items;              /* "namespace/name" -> item, whose key it borrows */
    struct shape_store *shapes;
    struct map *texts; /* text -> shared text, whose text it borrows */

    struct node **dirty; /* trees to settle */
    size_t dirty_count, dirty_capacity;
    struct journal journal;
    uint64_t generation;
    uint64_t walk_mark;
    bool hides_preempted; /* a recomputation: victims of this cycle are no candidates */

    struct cluster_queue_record **ready;
    size_t ready_count, ready_capacity;
    struct heap unpark_due;  /* nodes by unpark_at: roots when the batch was asked for */
    struct heap backoffs;    /* items by requeue_at */
    struct heap second_pass; /* items by second_pass_at */
    struct heap samples;     /* LocalQueues by sample_at (6.6) */
    int64_t cycle;
    int64_t now;
    size_t not_ready_count; /* reserving workloads without PodsReady=True (4.12) */

    struct cluster_queue_record *changed_cluster_queues;
    struct local_queue_record *changed_local_queues;
    struct cohort_record *changed_cohorts;
    char **changed_workloads; /* keys; owned */
    size_t changed_workload_count, changed_workload_capacity;
    struct share_row *share_rows;
    size_t share_capacity;
    struct arena call; /* of one put */
};

/* catalog.c: names to numbers */
struct flavor_record *catalog_flavor(struct engine *engine, const char *name); /* made when new */
uint32_t catalog_resource(struct engine *engine, const char *name);
uint32_t catalog_fr(struct engine *engine, struct flavor_record *flavor, uint32_t resource);
const char *fr_flavor_name(const struct engine *engine, uint32_t fr);
const char *fr_resource_name(const struct engine *engine, uint32_t fr);
void catalog_finish(struct engine *engine);

/* trees.c: trees under change */
void tree_touch(struct engine *engine, struct node *node); /* settle it before the next look */
void trees_settle(const struct engine *engine);            /* logically const */
void cyclic_marks_update(struct engine *engine);
static inline struct cluster_queue_record *node_queue(const struct node *node)
{
    return (struct cluster_queue_record *)(uintptr_t)node;
}
static inline struct cohort_record *node_cohort(const struct node *node)
{
    return (struct cohort_record *)(uintptr_t)node;
}
uint64_t queue_generation(const struct cluster_queue_record *queue);
void tree_generation_grow(struct engine *engine, struct node *node);
void tree_forget(struct engine *engine, struct node *node); /* before the node is freed */
/* Ask for a batched un-park (3.10) of the node's tree. */
void tree_unpark(struct engine *engine, struct node *node, int64_t now);
bool unpark_before(const void *a, const void *b, void *context);
void tree_changed(struct engine *engine, struct node *node); /* everything above, for status */
void tree_quota_changed(struct engine *engine, struct node *node); /* and all shares of the tree */

/* registry_*.c */
struct cohort_record *cohort_get(struct engine *engine, const char *name); /* made when new */
struct cohort_record *cohort_find(const struct engine *engine, const char *name);
void cohort_release(struct engine *engine, struct cohort_record *cohort); /* frees when unused */
void cohorts_finish(struct engine *engine);
struct cluster_queue_record *cluster_queue_get(struct engine *engine, const char *name);
struct cluster_queue_record *cluster_queue_find(const struct engine *engine, const char *name);
void cluster_queue_release(struct engine *engine, struct cluster_queue_record *queue);
void cluster_queues_finish(struct engine *engine);
const struct quota_group *queue_group_of(const struct cluster_queue_record *queue,
                                         uint32_t resource);
struct local_queue_record *local_queue_get(struct engine *engine, const char *namespace,
                                           const char *name);
struct local_queue_record *local_queue_find(const struct engine *engine, const char *namespace,
                                            const char *name);
void local_queue_release(struct engine *engine, struct local_queue_record *queue);
void local_queues_finish(struct engine *engine);
struct local_queue_usage *local_usage_row(struct local_queue_record *queue, uint32_t fr);
bool local_queue_is_open(const struct local_queue_record *queue);
struct namespace_record *namespace_get(struct engine *engine, const char *name);
const struct runtime_class *runtime_class_find(const struct engine *engine, const char *name);
const struct topology *topology_find(const struct engine *engine, const char *name);
void namespaces_finish(struct engine *engine);
void environment_finish(struct engine *engine);
void devices_finish(struct engine *engine);
/* Recompute whether a ClusterQueue is active (2.5, 8.4). */
void activity_update(struct engine *engine, struct cluster_queue_record *queue, int64_t now);
/* Does the check leave out a flavor of the queue? Listing all of them is as good as listing none.
 */
bool check_is_per_flavor(const struct cluster_queue_record *queue,
                         const struct admission_check_rule *rule);

/* quotas.c */
void quotas_declare(struct engine *engine, struct node *node, const struct resource_group *groups,
                    size_t count);
bool groups_equal(const struct resource_group *a, size_t a_count, const struct resource_group *b,
                  size_t b_count);
uint64_t weight_nano(bool present, struct quantity weight);

/* fact_copy.c */
void copy_flavor(struct arena *a, const struct resource_flavor *from, struct resource_flavor *to);
void copy_cluster_queue(struct arena *a, const struct cluster_queue *from,
                        struct cluster_queue *to);
void copy_cohort(struct arena *a, const struct cohort *from, struct cohort *to);
void copy_namespace(struct arena *a, const struct namespace_labels *from,
                    struct namespace_labels *to);
/* A record that begins with its arena 'facts', in which all that it holds lives; NULL is fine. */
void record_free(void *record);
void copy_limit_range(struct arena *a, const struct limit_range *from, struct limit_range *to);
void copy_runtime_class(struct arena *a, const struct runtime_class *from,
                        struct runtime_class *to);
void copy_device_class(struct arena *a, const struct device_class *from, struct device_class *to);
void copy_claim_template(struct arena *a, const struct claim_template *from,
                         struct claim_template *to);
void copy_device_slice(struct arena *a, const struct device_slice *from, struct device_slice *to);
void copy_topology(struct arena *a, const struct topology *from, struct topology *to);
void copy_check(struct arena *a, const struct admission_check *from, struct admission_check *to);
void copy_options(struct arena *a, const struct engine_options *from, struct engine_options *to);

/* item.c, item_shape.c */
struct item *item_find(const struct engine *engine, const char *namespace, const char *name);
void item_shapes_set(struct engine *engine, struct item *item, const struct workload *workload);
void item_shapes_move(struct engine *engine, struct item *item); /* surroundings changed */
void item_shapes_drop(struct engine *engine, struct item *item);
void item_text_set(struct engine *engine, struct item *item, const char *reason,
                   const char *message);
bool item_is_admissible(const struct engine *engine, const struct item *item);
void item_progress_clear(struct item *item);
void items_finish(struct engine *engine);

/* nominate.c */
const char *item_resources_problem(const struct item *item, struct arena *a); /* 4.2 rows 7, 8 */

/* text.c */
void *namespaced_find(const struct map *map, const char *namespace,
                      const char *name); /* by "namespace/name"; NULL when absent */
struct shared_text *text_hold(struct engine *engine, const char *text); /* NULL for "" */
void text_release(struct engine *engine, struct shared_text *text);     /* NULL is fine */

/* reservation.c */
/* Read status.admission of a reserving workload; what is there already is kept when equal. The item
 * must be unfiled. */
void reservation_read(struct engine *engine, struct item *item, const struct workload *workload,
                      int64_t reserved_at);
void reservation_assume(struct engine *engine, struct item *item,
                        struct cluster_queue_record *queue, const struct hold_row *rows,
                        size_t row_count, int64_t now);
void reservation_drop(struct engine *engine, struct item *item);     /* the item must be unfiled */
void reservation_supersede(struct engine *engine, struct item *old); /* a new slice took over */
/* Take a reserving workload out of the ordered lists and counters before its keys change, and put
 * it back after. Usage stays. No-ops without a reservation. */
void reservation_unfile(struct engine *engine, struct item *item);
void reservation_file(struct engine *engine, struct item *item);
bool preempted_before(const struct item *a, const struct item *b); /* 5.3 rules 4 - 6 */

enum requeue_why { /* 3.4 */
                   WHY_GENERIC,
                   WHY_FAILED_AFTER_NOMINATION,
                   WHY_NAMESPACE_MISMATCH,
                   WHY_PREEMPTION_GATED,
                   WHY_PENDING_PREEMPTION,
                   WHY_PENDING_MIGRATION,
                   WHY_PREEMPTION_FAILED,
                   WHY_NO_FIT,
                   WHY_NO_CANDIDATES
};

/* pending.c */
bool item_before(const void *a, const void *b, void *context);
void pending_push(struct engine *engine, struct item *item); /* 3.6 steps 4 - 6 */
void pending_push_back(struct engine *engine,
                       struct item *item);                     /* it was in the heap: 3.6 step 6 */
void pending_remove(struct engine *engine, struct item *item); /* for good: forgets stickiness */
void pending_remove_quietly(struct engine *engine, struct item *item);
void pending_key_leave(struct engine *engine, struct item *item);
struct item *pending_pop(struct engine *engine, struct cluster_queue_record *queue);
/* Put a popped workload back (3.4); 'mark_reason' must be a constant text. */
enum requeue_place pending_requeue(struct engine *engine, struct item *item, enum requeue_why why,
                                   const char *mark_reason);
void pending_unpark_tree(struct engine *engine, struct node *node);
void pending_backoff_end(struct engine *engine, struct item *item);
void pending_ready_update(struct engine *engine, struct cluster_queue_record *queue);
const char *pending_mark_reason(const struct item *item); /* NULL: not marked */
void pending_marks_drop(struct cluster_queue_record *queue);

/* changed.c */
void queue_changed(struct engine *engine, struct cluster_queue_record *queue);
void local_queue_changed(struct engine *engine, struct local_queue_record *queue);
void cohort_changed(struct engine *engine, struct cohort_record *cohort);
void workload_changed(struct engine *engine, const struct item *item);
void changed_forget_queue(struct engine *engine, struct cluster_queue_record *queue);
void changed_forget_local_queue(struct engine *engine, struct local_queue_record *queue);
void changed_forget_cohort(struct engine *engine, struct cohort_record *cohort);
void changed_finish(struct engine *engine);

/* wait_reason.c */
/* Does its condition say no more than "nobody has looked yet"? Not when there is none. */
bool wait_reason_is_vague(const struct item *item);

/* decision.c */
const char **required_checks(const struct engine *engine, const struct cluster_queue_record *queue,
                             const char *const *flavors, size_t flavor_count, struct arena *a,
                             size_t *count);

/* second_pass.c */
bool second_pass_is_due(const struct engine *engine, int64_t now);
void second_pass_follow(struct engine *engine, struct item *item, const struct workload *workload,
                        int64_t now);

/* admission_fair_sharing.c */
bool fair_is_enabled(const struct engine *engine);
/* Order of two LocalQueues by usage (6.4) as of the last refresh: <0, 0, >0. */
int fair_order(const struct engine *engine, const struct local_queue_record *a,
               const struct local_queue_record *b);
/* Consumption, a penalty or a weight has changed: the heap is put in order before its next pop.
 * NULL is fine. */
void fair_order_refresh(struct engine *engine, struct cluster_queue_record *queue);
void fair_penalty_push(struct engine *engine, struct item *item);
void fair_penalty_drop(struct engine *engine, struct item *item);
void fair_settle(struct engine *engine, struct item *item, int64_t now);
void fair_ledger_destroy(struct fair_ledger *ledger); /* NULL is fine */
void fair_ledger_seed(struct engine *engine, struct local_queue_record *queue,
                      const struct local_queue *facts);

/* fair_sampling.c */
bool sample_before(const void *a, const void *b, void *context);
/* When the LocalQueue is to be sampled next, by the facts; TIME_NONE: not at all. */
int64_t fair_sample_due(const struct engine *engine, const struct local_queue_record *queue);
/* Call after anything that this depends on has changed: the ledger, what is admitted, where the
 * LocalQueue points to, the ClusterQueue's mode. */
void fair_plan(struct engine *engine, struct local_queue_record *queue);
void fair_plan_all(struct engine *engine, struct cluster_queue_record *queue);
/* One admitted workload more (1) or less (-1). */
void fair_admitted(struct engine *engine, struct local_queue_record *queue, int sign);
int64_t fair_next_due(const struct engine *engine);
void fair_sample(struct engine *engine, int64_t now);
