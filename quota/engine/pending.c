/* Waiting workloads of a ClusterQueue: the heap, the parked ones, marks and batches (3.2 -
 * 3.10). */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"
#include "quota/engine/selector.h"

/* ---- order (3.2) ---- */

static bool is_sticky(const struct cluster_queue_record *queue, const struct item *item)
{
    return queue->preemptor == item && queue->preemptor_is_sticky;
}

bool item_before(const void *a, const void *b, void *context)
{
    const struct item *left = a, *right = b;
    const struct cluster_queue_record *queue = item_queue(left);
    int order;

    if (queue->usage_based_order) {
        order = fair_order(context, left->local_queue, right->local_queue);
        if (order != 0)
            return order < 0;
    }
    if (queue->preemptor && is_sticky(queue, left) != is_sticky(queue, right))
        return is_sticky(queue, left);
    if (left->priority != right->priority)
        return left->priority > right->priority;
    if (left->queue_time != right->queue_time)
        return left->queue_time < right->queue_time;
    order = strcmp(item_uid(left), item_uid(right));
    return order != 0 ? order < 0 : strcmp(left->key, right->key) < 0;
}

/* ---- places ---- */

void pending_ready_update(struct engine *engine, struct cluster_queue_record *queue)
{
    bool ready = queue->exists && queue->is_active && queue->heap.count > 0;

    if (ready == (queue->ready_place != HEAP_ABSENT))
        return;
    if (ready) {
        engine->ready = mem_grow(engine->ready, engine->ready_count, &engine->ready_capacity,
                                 sizeof(struct cluster_queue_record *));
        queue->ready_place = (uint32_t)engine->ready_count;
        engine->ready[engine->ready_count++] = queue;
    } else {
        struct cluster_queue_record *last = engine->ready[--engine->ready_count];

        engine->ready[queue->ready_place] = last;
        last->ready_place = queue->ready_place;
        queue->ready_place = HEAP_ABSENT;
    }
}

static void count_pending(struct engine *engine, struct item *item, int sign, bool active)
{
    struct cluster_queue_record *queue = item_queue(item);

    item->local_queue->pending += sign;
    if (active)
        item->local_queue->pending_active += sign;
    queue_changed(engine, queue);
    local_queue_changed(engine, item->local_queue);
}

/* Equal workloads in the heap hang together, so that parking them all costs what moves (3.8). */
static void kin_join(struct cluster_queue_record *queue, struct item *item)
{
    struct item *first;

    if (item->equivalence == 0)
        return;
    if (!queue->alike)
        queue->alike = id_map_create();
    first = id_map_put(queue->alike, item->equivalence, item);
    item->kin_next = first;
    if (first)
        first->kin_previous = item;
}

static void kin_leave(struct cluster_queue_record *queue, struct item *item)
{
    if (item->equivalence == 0)
        return;
    if (item->kin_next)
        item->kin_next->kin_previous = item->kin_previous;
    if (item->kin_previous)
        item->kin_previous->kin_next = item->kin_next;
    else if (item->kin_next)
        id_map_put(queue->alike, item->equivalence, item->kin_next);
    else
        id_map_remove(queue->alike, item->equivalence);
    item->kin_next = item->kin_previous = NULL;
}

static void heap_place(struct engine *engine, struct item *item)
{
    struct cluster_queue_record *queue = item_queue(item);

    heap_push(&queue->heap, item);
    kin_join(queue, item);
    item->place = ITEM_HEAP;
    item->bypassed = false;
    count_pending(engine, item, 1, true);
    pending_ready_update(engine, queue);
}

static void park(struct engine *engine, struct item *item, bool bypassed)
{
    struct cluster_queue_record *queue = item_queue(item);

    item->kin_previous = NULL;
    item->kin_next = queue->parked;
    if (queue->parked)
        queue->parked->kin_previous = item;
    queue->parked = item;
    queue->parked_count++;
    item->place = ITEM_PARKED;
    item->bypassed = bypassed;
    if (bypassed)
        item->evaluated_generation = item->generation;
    count_pending(engine, item, 1, false);
}

static void unlink_parked(struct item *item)
{
    struct cluster_queue_record *queue = item_queue(item);

    if (item->kin_previous)
        item->kin_previous->kin_next = item->kin_next;
    else
        queue->parked = item->kin_next;
    if (item->kin_next)
        item->kin_next->kin_previous = item->kin_previous;
    item->kin_next = item->kin_previous = NULL;
    queue->parked_count--;
}

void pending_remove_quietly(struct engine *engine, struct item *item)
{
    struct cluster_queue_record *queue = item_queue(item);

    if (item->place == ITEM_HEAP) {
        heap_remove(&queue->heap, item);
        kin_leave(queue, item);
        count_pending(engine, item, -1, true);
        pending_ready_update(engine, queue);
    } else if (item->place == ITEM_PARKED) {
        unlink_parked(item);
        count_pending(engine, item, -1, false);
    } else if (item->place != ITEM_INFLIGHT) {
        return;
    }
    item->place = ITEM_NOWHERE;
}

/* ---- the preemptor slot (3.7) ---- */

static void preemptor_set(struct cluster_queue_record *queue, struct item *item)
{
    struct item *old = queue->preemptor;

    queue->preemptor = item;
    queue->preemptor_is_sticky = item && queue->copy.strategy == QUEUE_BEST_EFFORT_FIFO;
    if (item)
        queue->preemptor_generation = item->evaluated_generation;
    if (old && old != item && old->place == ITEM_HEAP)
        heap_update(&queue->heap, old);
}

void pending_remove(struct engine *engine, struct item *item)
{
    struct cluster_queue_record *queue = item_queue(item);

    pending_remove_quietly(engine, item);
    if (queue && queue->preemptor == item)
        preemptor_set(queue, NULL);
}

/* Keys are about to change: a heap entry has to be taken out under its old keys. */
void pending_key_leave(struct engine *engine, struct item *item)
{
    if (item->place == ITEM_HEAP)
        pending_remove_quietly(engine, item);
}

/* ---- marks (3.8) ---- */

void pending_marks_drop(struct cluster_queue_record *queue)
{
    id_map_destroy(queue->marks);
    queue->marks = NULL;
}

static bool is_marked(const struct cluster_queue_record *queue, const struct item *item)
{
    return queue->marks && item->equivalence != 0 &&
           queue->copy.strategy == QUEUE_BEST_EFFORT_FIFO &&
           id_map_get(queue->marks, item->equivalence);
}

const char *pending_mark_reason(const struct item *item)
{
    const struct cluster_queue_record *queue = item_queue(item);

    return queue && queue->marks ? id_map_get(queue->marks, item->equivalence) : NULL;
}

/* Park everything in the heap that is equivalent to a workload that just failed. */
static void park_alike(struct engine *engine, struct cluster_queue_record *queue,
                       uint64_t equivalence)
{
    struct item *item;

    while (queue->alike && (item = id_map_get(queue->alike, equivalence))) {
        pending_remove_quietly(engine, item);
        park(engine, item, true);
        if (!item->is_bypass_told && wait_reason_is_vague(item)) {
            item->is_bypass_told = true;
            workload_changed(engine, item);
        }
    }
}

static void mark(struct engine *engine, struct item *item, const char *reason)
{
    struct cluster_queue_record *queue = item_queue(item);

    if (item->equivalence == 0 || queue->copy.strategy != QUEUE_BEST_EFFORT_FIFO)
        return;
    if (!queue->marks)
        queue->marks = id_map_create();
    id_map_put(queue->marks, item->equivalence,
               (void *)(uintptr_t)(*reason ? reason : "PendingEvaluation"));
    park_alike(engine, queue, item->equivalence);
}

/* ---- backoff (3.5) ---- */

static bool backoff_expired(const struct engine *engine, const struct item *item)
{
    bool waits = item->requeue_at != TIME_NONE && engine->now < item->requeue_at;
    bool ended = item->requeue_at != TIME_NONE && !waits && item->backs_off &&
                 !engine->options.hold_batches; /* then nobody says so */

    if (item->requeued_false && !ended)
        return false;
    return !waits;
}

/* ---- coming and going ---- */

static bool may_queue(const struct engine *engine, const struct item *item)
{
    return item->place == ITEM_NOWHERE && !item->reservation && item->local_queue &&
           local_queue_is_open(item->local_queue) && item_is_admissible(engine, item);
}

void pending_push_back(struct engine *engine, struct item *item)
{
    if (may_queue(engine, item))
        heap_place(engine, item);
}

void pending_push(struct engine *engine, struct item *item)
{
    struct cluster_queue_record *queue = item_queue(item);

    if (!may_queue(engine, item))
        return;
    if (!backoff_expired(engine, item))
        park(engine, item, false);
    else if (is_marked(queue, item))
        park(engine, item, true);
    else
        heap_place(engine, item);
}

struct item *pending_pop(struct engine *engine, struct cluster_queue_record *queue)
{
    struct item *item;

    if (queue->usage_based_order && queue->order_is_stale)
        heap_rebuild(&queue->heap);
    queue->order_is_stale = false;
    item = heap_peek(&queue->heap);
    if (!item)
        return NULL;
    pending_remove_quietly(engine, item);
    item->place = ITEM_INFLIGHT;
    item->evaluated_generation = item->generation;
    return item;
}

static bool goes_back_at_once(const struct cluster_queue_record *queue, enum requeue_why why)
{
    if (queue->copy.strategy == QUEUE_STRICT_FIFO)
        return why != WHY_NAMESPACE_MISMATCH;
    return why == WHY_FAILED_AFTER_NOMINATION || why == WHY_PENDING_PREEMPTION ||
           why == WHY_PENDING_MIGRATION || why == WHY_PREEMPTION_FAILED;
}

/* Back to the heap rather than parked? (3.4) */
static bool is_immediate(const struct engine *engine, const struct cluster_queue_record *queue,
                         const struct item *item, enum requeue_why why)
{
    return goes_back_at_once(queue, why) || queue->last_unpark_cycle >= engine->cycle ||
           (item->progress && item->progress->has_untried);
}

enum requeue_place pending_requeue(struct engine *engine, struct item *item, enum requeue_why why,
                                   const char *mark_reason)
{
    struct cluster_queue_record *queue = item_queue(item);
    bool expired = backoff_expired(engine, item);

    if (item->place == ITEM_INFLIGHT)
        item->place = ITEM_NOWHERE;
    if (!may_queue(engine, item))
        return REQUEUE_NONE;
    if (why == WHY_PENDING_PREEMPTION || why == WHY_PENDING_MIGRATION)
        preemptor_set(queue, item);
    if (expired && is_immediate(engine, queue, item, why)) {
        heap_place(engine, item);
        return REQUEUE_HEAP;
    }
    park(engine, item, false);
    if (why == WHY_NO_FIT || why == WHY_NO_CANDIDATES)
        mark(engine, item, mark_reason);
    return expired ? REQUEUE_PARKED : REQUEUE_BACKOFF;
}

/* ---- un-parking (3.10) ---- */

static bool may_return(const struct engine *engine, const struct cluster_queue_record *queue,
                       const struct item *item)
{
    const struct namespace_record *namespace = item->namespace;

    return namespace->exists && backoff_expired(engine, item) &&
           selector_matches(&queue->copy.namespace_selector, namespace->labels.labels,
                            namespace->labels.label_count);
}

static void pending_unpark(struct engine *engine, struct cluster_queue_record *queue)
{
    queue->last_unpark_cycle = engine->cycle;
    pending_marks_drop(queue);
    for (struct item *item = queue->parked, *next; item; item = next) {
        next = item->kin_next;
        if (!may_return(engine, queue, item))
            continue;
        pending_remove_quietly(engine, item);
        heap_place(engine, item);
    }
}

void pending_unpark_tree(struct engine *engine, struct node *node)
{
    struct node *root;

    if (node->is_cyclic)
        return;
    root = tree_root(node);
    for (struct node *n = root; n; n = tree_next(root, n))
        if (!n->is_cohort)
            pending_unpark(engine, node_queue(n));
}

void pending_backoff_end(struct engine *engine, struct item *item)
{
    if (item->place != ITEM_PARKED || !backoff_expired(engine, item))
        return;
    pending_remove_quietly(engine, item);
    pending_push(engine, item);
}
