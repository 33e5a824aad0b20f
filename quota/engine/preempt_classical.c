/* The classical search (spec/scheduling.md 5.4). */
#include <string.h>

#include "quota/engine/preempt_private.h"

struct classical {
    const struct preemption *search;
    struct candidate_list hierarchy, priority, own; /* H, P, own of 5.4.1 */
    struct candidate *sequence;
    size_t count;
};

/* ---- candidates ---- */

/* Does the rest of the request fit the quota of this subtree? What does not is passed on. */
static bool subtree_fits(const struct preemption *search, const struct node *node, int64_t *rest)
{
    bool fits = true;

    for (size_t i = 0; i < search->request_count; i++) {
        const struct cell *cell = node_cell(node, search->request[i].fr);
        int64_t beyond = amount_sub(rest[i], cell_local_free(cell));

        if (cell->subtree < amount_add(cell->usage, rest[i]))
            fits = false;
        rest[i] = beyond > 0 ? beyond : 0;
    }
    return fits;
}

static void collect_below(struct classical *classical, struct node *ancestor,
                          const struct node *came_from, struct candidate_list *list)
{
    const struct preemption *search = classical->search;
    enum preemption_policy policy = search->queue->copy.reclaim_within_cohort;
    struct node *next;

    for (struct node *n = tree_next(ancestor, ancestor); n; n = next) {
        if (n == came_from || node_within_nominal(n, search->frs, search->fr_count)) {
            next = tree_skip(ancestor, n);
            continue;
        }
        next = tree_next(ancestor, n);
        if (!n->is_cohort && node_queue(n) != search->queue)
            candidates_collect(search, node_queue(n), policy, ancestor, list);
    }
}

static void collect_others(struct classical *classical)
{
    const struct preemption *search = classical->search;
    int64_t *rest = ARENA_ARRAY(search->a, search->request_count + 1, int64_t);
    const struct node *came_from = NULL;
    bool advantage;

    if (search->queue->copy.reclaim_within_cohort == PREEMPT_NEVER)
        return;
    for (size_t i = 0; i < search->request_count; i++)
        rest[i] = search->request[i].amount;
    advantage = subtree_fits(search, &search->queue->node, rest);
    came_from = &search->queue->node;
    for (struct node *n = search->queue->node.parent; n; n = n->parent) {
        collect_below(classical, n, came_from,
                      advantage ? &classical->hierarchy : &classical->priority);
        if (subtree_fits(search, n, rest))
            advantage = true;
        came_from = n;
    }
}

static enum candidate_variant variant_of(const struct preemption *search,
                                         const struct item *candidate)
{
    const struct cluster_queue *queue = &search->queue->copy;

    if (queue->borrow_within_cohort == PREEMPT_NEVER ||
        candidate->priority >= search->item->priority ||
        (queue->has_borrow_threshold && candidate->priority > queue->borrow_threshold))
        return CANDIDATE_NO_BORROW;
    return CANDIDATE_BORROW_OK;
}

static void append(struct classical *classical, const struct candidate_list *list, bool evicted)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].item->evicted == evicted)
            classical->sequence[classical->count++] = list->items[i];
}

static void sequence_make(struct classical *classical)
{
    const struct preemption *search = classical->search;
    size_t total;

    candidates_collect(search, search->queue, search->queue->copy.within_cluster_queue, NULL,
                       &classical->own);
    collect_others(classical);
    for (size_t i = 0; i < classical->hierarchy.count; i++)
        classical->hierarchy.items[i].variant = CANDIDATE_HIERARCHICAL;
    for (size_t i = 0; i < classical->priority.count; i++)
        classical->priority.items[i].variant =
            variant_of(search, classical->priority.items[i].item);
    candidates_sort(search, &classical->hierarchy);
    candidates_sort(search, &classical->priority);
    candidates_sort(search, &classical->own);
    total = classical->hierarchy.count + classical->priority.count + classical->own.count;
    classical->sequence = ARENA_ARRAY(search->a, total + 1, struct candidate);
    for (int evicted = 1; evicted >= 0; evicted--) {
        append(classical, &classical->hierarchy, evicted);
        append(classical, &classical->priority, evicted);
        append(classical, &classical->own, evicted);
    }
}

/* ---- attempts (5.4.3) ---- */

static const char *variant_reason(enum candidate_variant variant)
{
    switch (variant) {
    case CANDIDATE_OWN:
        return "InClusterQueue";
    case CANDIDATE_BORROW_OK:
        return "InCohortReclaimWhileBorrowing";
    case CANDIDATE_HIERARCHICAL:
    case CANDIDATE_NO_BORROW:
        break;
    }
    return "InCohortReclamation";
}

/* Is there nothing left to reclaim between the candidate and the common cohort? */
static bool is_protected(const struct preemption *search, const struct candidate *candidate)
{
    const struct node *node = &candidate->item->reservation->queue->node;

    for (; node && node != candidate->lca; node = node->parent)
        if (node_within_nominal(node, search->frs, search->fr_count))
            return true;
    return false;
}

static bool attempt(const struct classical *classical, bool borrowing, struct target_list *targets)
{
    const struct preemption *search = classical->search;
    struct journal *journal = &search->engine->journal;
    size_t mark = journal_mark(journal);

    targets->count = 0;
    for (size_t i = 0; i < classical->count; i++) {
        const struct candidate *candidate = &classical->sequence[i];

        if (candidate->lca && ((borrowing && candidate->variant == CANDIDATE_NO_BORROW) ||
                               is_protected(search, candidate)))
            continue;
        usage_hide(search->engine, candidate->item);
        target_add(targets, candidate->item, variant_reason(candidate->variant), search->a);
        if (request_fits(search, borrowing)) {
            targets_fill_back(search, targets, borrowing);
            return true;
        }
    }
    journal_rollback(journal, mark);
    targets->count = 0;
    return false;
}

static bool is_under_nominal(const struct preemption *search)
{
    for (size_t i = 0; i < search->fr_count; i++) {
        const struct cell *cell = node_cell(&search->queue->node, search->frs[i]);

        if (cell->nominal <= cell->usage)
            return false;
    }
    return true;
}

static void attempts(const struct classical *classical, struct target_list *targets)
{
    const struct preemption *search = classical->search;
    bool forbidden = search->queue->copy.borrow_within_cohort == PREEMPT_NEVER;

    if ((classical->hierarchy.count == 0 && classical->priority.count == 0) ||
        (forbidden && !is_under_nominal(search))) {
        attempt(classical, true, targets);
        return;
    }
    if (forbidden && classical->hierarchy.count == 0) {
        if (!attempt(classical, false, targets))
            attempt(classical, true, targets);
        return;
    }
    if (!attempt(classical, true, targets))
        attempt(classical, false, targets);
}

bool preempt_classical(const struct preemption *search, struct target_list *targets)
{
    struct classical classical = { .search = search };

    sequence_make(&classical);
    if (classical.count == 0)
        return false;
    attempts(&classical, targets);
    return true;
}
