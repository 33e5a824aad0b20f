/* Candidate order with admission fair sharing (spec/scheduling.md 5.3 rule 3): inside one
 * ClusterQueue where it is in effect, the LocalQueue that used more goes first. Between queues the
 * rule is silent, so the lists of the queues are each put in order and then merged by their first
 * members. */
#include <stdlib.h>

#include "quota/base/mem.h"
#include "quota/engine/preempt_private.h"

/* Usage is known of LocalQueues whose ClusterQueue goes by it. */
static bool usage_is_known(const struct item *item)
{
    return item->local_queue && item->local_queue->ledger &&
           item->reservation->queue->copy.usage_based_admission;
}

static int group_compare(const void *a, const void *b, void *context)
{
    const struct item *left = ((const struct candidate *)a)->item;
    const struct item *right = ((const struct candidate *)b)->item;
    int order;

    if (left->evicted != right->evicted)
        return left->evicted ? -1 : 1;
    if (usage_is_known(left) && usage_is_known(right)) {
        order = fair_order(context, right->local_queue, left->local_queue);
        if (order != 0)
            return order;
    }
    if (preempted_before(left, right))
        return -1;
    return preempted_before(right, left) ? 1 : 0;
}

struct cursor {
    const struct candidate *at, *end;
};

static bool goes_before(const struct candidate *a, const struct candidate *b)
{
    if (a->item->evicted != b->item->evicted)
        return a->item->evicted;
    return preempted_before(a->item, b->item);
}

/* Members of one queue stand together: candidates_collect adds queue by queue. */
static size_t cursors_make(struct engine *engine, struct candidate_list *list,
                           struct cursor *cursors)
{
    size_t count = 0;

    for (size_t from = 0, to; from < list->count; from = to) {
        const struct cluster_queue_record *queue = list->items[from].item->reservation->queue;

        for (to = from; to < list->count && list->items[to].item->reservation->queue == queue;)
            to++;
        qsort_r(&list->items[from], to - from, sizeof(*list->items), group_compare, engine);
        cursors[count++] = (struct cursor){ &list->items[from], &list->items[to] };
    }
    return count;
}

void candidates_sort_by_usage(const struct preemption *search, struct candidate_list *list)
{
    struct candidate *merged = ARENA_ARRAY(search->a, list->count + 1, struct candidate);
    struct cursor *cursors = ARENA_ARRAY(search->a, list->count + 1, struct cursor);
    size_t count = cursors_make(search->engine, list, cursors);

    for (size_t n = 0; n < list->count; n++) {
        struct cursor *best = NULL;

        for (size_t i = 0; i < count; i++)
            if (cursors[i].at < cursors[i].end && (!best || goes_before(cursors[i].at, best->at)))
                best = &cursors[i];
        if (best)
            merged[n] = *best->at++;
    }
    list->items = merged;
    list->capacity = list->count;
}
