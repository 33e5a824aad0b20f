/* assignment.h - which flavors a workload would get, and why not others.
 *
 * Pure with respect to the engine's state: simulations are rolled back. Results live in the arena
 * given. Rules: spec/scheduling.md 4.3 - 4.7. */
#pragma once

#include "quota/engine/engine_private.h"
#include "quota/engine/hooks.h"

enum fit_mode { MODE_NO_FIT, MODE_PREEMPT, MODE_DEFERRED_FIT, MODE_FIT }; /* 4.4, worst first */
enum scan_mode { SCAN_NO_FIT, SCAN_NO_CANDIDATES, SCAN_PREEMPT, SCAN_RECLAIM, SCAN_FIT };
enum no_fit { /* 4.5.6, least severe first */
              NO_FIT_NONE,
              NO_FIT_TOPOLOGY,
              NO_FIT_WAITING,
              NO_FIT_EXCEEDS,
              NO_FIT_NO_MATCH
};

/* One reason, as facts; text is made only when somebody reads it. */
enum why_kind {
    WHY_TEXT,
    WHY_UNAVAILABLE,     /* resource */
    WHY_EXCEEDS_MAXIMUM, /* assumed, request, potential */
    WHY_LACKS_UNUSED,    /* more needed */
    WHY_NOT_NOMINATED,   /* flavor, resource */
    WHY_OTHER_SLICE_FLAVOR
};
struct why {
    enum why_kind kind;
    const char *flavor, *resource, *text;
    int64_t a, b, c;
};
struct why_list {
    struct why *items;
    size_t count, capacity; /* in the arena */
};

struct attempt { /* a flavor that was looked at, for the QuotaReserved event (4.13) */
    const char *flavor;
    enum scan_mode mode;
    int32_t level;
    struct why *whys;
    size_t why_count;
};

struct pick { /* one requested resource of one pod set */
    uint32_t resource;
    const char *name;
    int64_t amount;
    struct flavor_record *flavor; /* NULL: none */
    uint32_t fr;
    enum fit_mode mode;
    int32_t level;
    int32_t progress;           /* 4.6; PROGRESS_NONE when nothing is recorded */
    bool is_without_candidates; /* the oracle (4.5.4) found nobody to look at */
};
#define PROGRESS_NONE INT32_MIN

struct pod_set_pick {
    uint32_t index;
    int32_t count;
    struct pick *picks; /* hash order of resources (0.3) */
    size_t pick_count;
    struct why_list whys;
    const char *error;
    bool failed;
    enum no_fit no_fit;
    struct attempt *attempts;
    size_t attempt_count, attempt_capacity;
    struct placement placement; /* empty without a topology */
};

struct target {
    struct item *item;
    const char *reason;
};
struct target_list {
    struct target *items;
    size_t count, capacity; /* in an arena */
};
void target_add(struct target_list *targets, struct item *item, const char *reason,
                struct arena *a);

struct assignment {
    struct pod_set_pick *pod_sets; /* those handled, in order of handling */
    size_t pod_set_count;
    struct fr_amount *usage;
    size_t usage_count, usage_capacity;
    enum fit_mode mode;
    int32_t level; /* "Borrowing" */
    enum no_fit no_fit;
};

struct assign_input {
    struct engine *engine;
    struct item *item;
    struct cluster_queue_record *queue;
    struct item *old_slice;             /* being replaced, or NULL (4.11) */
    const struct assignment *nominated; /* recomputation: only these flavors; or NULL */
    struct item *const *hidden;         /* recomputation: victims of this cycle are thought away */
    size_t hidden_count;
    struct arena *a;
};

/* 4.3: full counts first, then victims, then partial admission. */
struct assignment *assignment_best(const struct assign_input *input, struct target_list *targets);
void assignment_record_progress(struct engine *engine, struct item *item,
                                const struct assignment *assignment,
                                const struct cluster_queue_record *queue);
void assignment_drop_outdated_progress(const struct engine *engine, struct item *item,
                                       const struct cluster_queue_record *queue);

/* message.c (8.1) */
const char *assignment_message(const struct item *item, const struct assignment *assignment,
                               struct arena *a);
const char *assignment_considered(const struct item *item, const struct assignment *assignment,
                                  struct arena *a);
void why_add(struct why_list *list, struct why why, struct arena *a);
const char *why_text(const struct why *why, struct arena *a);

/* preempt.c */
struct preemption {
    struct engine *engine;
    struct item *item;
    struct cluster_queue_record *queue;
    const struct item *spared; /* never a candidate: the slice that is replaced; or NULL */
    const uint32_t *frs;       /* contested */
    size_t fr_count;
    const struct fr_amount *request;
    size_t request_count;
    struct assignment *placed;        /* its pods must have a place as well; NULL: quota only */
    const struct target_list *taken;  /* victims so far, for that */
    const struct assign_input *input; /* of 'placed' */
    struct arena *a;
};
void preemption_for_assignment(const struct assign_input *input, struct assignment *assignment,
                               struct target_list *targets);
/* The oracle of 4.5.4 for one FR. */
enum scan_mode preemption_oracle(const struct assign_input *input, uint32_t fr, int64_t amount,
                                 int32_t *level, bool *has_candidates);
/* Take a workload's usage out of the tree, under the journal. */
void usage_hide(struct engine *engine, const struct item *item);
