/* cycle.h - what the steps of one scheduling cycle share (spec/scheduling.md 4). */
#pragma once

#include "quota/engine/assignment.h"
#include "quota/engine/share.h"

enum entry_state {
    ENTRY_NOMINATED, /* not processed yet */
    ENTRY_REJECTED,  /* 4.2 */
    ENTRY_NO_FIT,
    ENTRY_NO_CANDIDATES,
    ENTRY_PREEMPTING,
    ENTRY_MIGRATING, /* a variant waits for its sibling to go (4.11) */
    ENTRY_DEFERRED,
    ENTRY_SKIPPED,
    ENTRY_GATED,
    ENTRY_BLOCKED, /* waits for PodsReady of others (4.12) */
    ENTRY_ADMITTED
};

struct entry {
    struct item *item;
    struct cluster_queue_record *queue;
    struct item *old_slice;
    struct assignment *assignment;
    struct target_list targets;
    enum entry_state state;
    enum requeue_why why;
    const char *reason, *message; /* of the rejection or the skip */
    bool is_preemptor;
    bool was_recomputed;
    struct decision *decision;
    /* fair_order.c: the share of its queue with it. Nobody else changes that queue's usage before
     * the entry's turn, so once per cycle is enough. */
    struct share own_share;
    bool own_borrows, is_measured;
};

struct soft_use { /* usage in the simulation that nobody holds yet */
    struct cluster_queue_record *queue;
    const struct fr_amount *usage;
    size_t count;
};

struct cycle {
    struct engine *engine;
    struct arena *a; /* the caller's: decisions */
    int64_t now;
    struct entry *entries;
    size_t count;
    struct entry **order;
    size_t order_count;
    struct item **preempted;
    size_t preempted_count, preempted_capacity;
    struct soft_use *soft;
    size_t soft_count;
    size_t admitted_not_ready; /* admitted in this cycle, so not PodsReady yet */
};

/* second_pass.c: decisions about reserving workloads that are due */
size_t second_pass_run(struct cycle *cycle, struct decision **decisions);

/* nominate.c: a verdict on every head against the usage as it is */
void cycle_nominate(struct cycle *cycle, struct entry *entry);
struct assign_input entry_input(const struct cycle *cycle, const struct entry *entry);

/* order.c: 4.8 or 6.2; returns the next entry to process, NULL when none is left */
void cycle_order_begin(struct cycle *cycle);
struct entry *cycle_order_next(struct cycle *cycle, size_t at);

/* fair_order.c: the tournament of 6.2 */
struct entry *fair_tournament_next(struct cycle *cycle, size_t at);

/* process.c: 4.9 */
void cycle_process(struct cycle *cycle, struct entry *entry);

/* decision.c: what the caller is told */
void decision_make(struct cycle *cycle, struct entry *entry, struct decision *decision);
size_t assignment_rows(const struct entry *entry, struct arena *a, struct hold_row **rows);
