/* One scheduling cycle from heads to decisions (spec/scheduling.md 4.1). */
#include "quota/engine/cycle.h"

#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"

/* One head per active ClusterQueue. In no particular order: each is nominated against the same
 * usage, and processed in an order of its own. */
static void heads_pop(struct cycle *cycle)
{
    struct engine *engine = cycle->engine;

    cycle->entries = ARENA_ARRAY(cycle->a, engine->ready_count + 1, struct entry);
    /* Backwards: a queue whose last one is popped leaves its place to one that has had its turn. */
    for (size_t i = engine->ready_count; i-- > 0;) {
        struct cluster_queue_record *queue = engine->ready[i];
        struct item *item = pending_pop(engine, queue);

        if (item)
            cycle->entries[cycle->count++] = (struct entry){ .item = item, .queue = queue };
    }
}

/* Simulate everything under the journal; afterwards the tree is as it was. */
static void simulate(struct cycle *cycle)
{
    const struct engine_hooks *hooks = cycle->engine->hooks;
    struct journal *journal = &cycle->engine->journal;
    struct entry *entry;
    size_t done = 0;

    journal->recording = true;
    if (hooks && hooks->cycle_begin)
        hooks->cycle_begin(hooks->context);
    for (size_t i = 0; i < cycle->count; i++)
        cycle_nominate(cycle, &cycle->entries[i]);
    cycle_order_begin(cycle);
    cycle->soft = ARENA_ARRAY(cycle->a, cycle->order_count + 1, struct soft_use);
    for (; (entry = cycle_order_next(cycle, done)); done++) {
        cycle->order[done] = entry;
        cycle_process(cycle, entry);
    }
    journal_rollback(journal, 0);
    journal->recording = false;
}

static void admit(struct cycle *cycle, struct entry *entry)
{
    struct engine *engine = cycle->engine;
    struct item *item = entry->item;
    struct hold_row *rows;
    size_t count = assignment_rows(entry, cycle->a, &rows);

    item_progress_clear(item);
    pending_remove(engine, item);
    item_text_set(engine, item, "", "");
    heap_remove(&engine->backoffs, item);
    item->reserved = true;
    item->evicted = false;
    item->evicted_at = TIME_NONE;
    item->admitted = entry->decision->outcome == OUTCOME_ADMITTED;
    if (entry->old_slice)
        reservation_supersede(engine, entry->old_slice);
    reservation_assume(engine, item, entry->queue, rows, count, cycle->now);
    fair_penalty_push(engine, item);
}

static void progress_follow(struct cycle *cycle, struct entry *entry)
{
    bool keeps =
        entry->state == ENTRY_NO_FIT || entry->state == ENTRY_NO_CANDIDATES ||
        (entry->state == ENTRY_SKIPPED && cycle->engine->options.gates.preserve_scan_progress);

    if (keeps)
        assignment_record_progress(cycle->engine, entry->item, entry->assignment, entry->queue);
    else if (entry->state != ENTRY_REJECTED)
        item_progress_clear(entry->item);
}

static void requeue(struct cycle *cycle, struct entry *entry)
{
    progress_follow(cycle, entry);
    if (entry->state == ENTRY_PREEMPTING || entry->state == ENTRY_DEFERRED ||
        entry->state == ENTRY_GATED)
        item_progress_clear(entry->item);
    entry->decision->requeue =
        pending_requeue(cycle->engine, entry->item, entry->why, entry->reason);
}

static int rejected_compare(const void *a, const void *b)
{
    return strcmp((*(struct entry *const *)a)->item->key, (*(struct entry *const *)b)->item->key);
}

static size_t rejected_collect(struct cycle *cycle, struct entry **rejected)
{
    size_t count = 0;

    for (size_t i = 0; i < cycle->count; i++)
        if (cycle->entries[i].state == ENTRY_REJECTED)
            rejected[count++] = &cycle->entries[i];
    qsort(rejected, count, sizeof(struct entry *), rejected_compare);
    return count;
}

static void report(struct cycle *cycle, const struct decision *second, size_t second_count,
                   struct cycle_result *result)
{
    struct entry **rejected = ARENA_ARRAY(cycle->a, cycle->count + 1, struct entry *);
    size_t count = rejected_collect(cycle, rejected);

    result->decisions = ARENA_ARRAY(cycle->a, second_count + cycle->count + 1, struct decision);
    for (size_t i = 0; i < second_count; i++)
        result->decisions[result->count++] = second[i];
    for (size_t i = 0; i < cycle->order_count; i++)
        decision_make(cycle, cycle->order[i], &result->decisions[result->count++]);
    for (size_t i = 0; i < count; i++)
        decision_make(cycle, rejected[i], &result->decisions[result->count++]);
}

static void apply(struct cycle *cycle)
{
    for (size_t i = 0; i < cycle->order_count; i++)
        if (cycle->order[i]->state == ENTRY_ADMITTED)
            admit(cycle, cycle->order[i]);
    for (size_t i = 0; i < cycle->count; i++)
        if (cycle->entries[i].state != ENTRY_ADMITTED)
            requeue(cycle, &cycle->entries[i]);
}

void engine_cycle(struct engine *engine, int64_t now, struct arena *arena,
                  struct cycle_result *result)
{
    struct cycle cycle = { .engine = engine, .a = arena, .now = now };
    struct decision *second;
    size_t second_count;

    *result = (struct cycle_result){ 0 };
    engine->now = now;
    trees_settle(engine);
    result->cycle = ++engine->cycle;
    second_count = second_pass_run(&cycle, &second);
    heads_pop(&cycle);
    simulate(&cycle);
    report(&cycle, second, second_count, result);
    apply(&cycle);
    free(cycle.preempted);
}

bool engine_has_heads(const struct engine *engine)
{
    return engine->ready_count > 0 || second_pass_is_due(engine, engine->now);
}
