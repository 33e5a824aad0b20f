/* Preemption: the request of a search, its candidates, and what both searches share. */
#include <stdlib.h>
#include <string.h>

#include "quota/engine/placement.h"
#include "quota/engine/preempt_private.h"

void target_add(struct target_list *targets, struct item *item, const char *reason, struct arena *a)
{
    if (targets->count == targets->capacity) {
        size_t capacity = targets->capacity == 0 ? 8 : 2 * targets->capacity;
        struct target *grown = ARENA_ARRAY(a, capacity, struct target);

        if (targets->count > 0)
            memcpy(grown, targets->items, targets->count * sizeof(*grown));
        targets->items = grown;
        targets->capacity = capacity;
    }
    targets->items[targets->count++] = (struct target){ item, reason };
}

void usage_hide(struct engine *engine, const struct item *item)
{
    const struct reservation *held = item->reservation;

    for (size_t i = 0; i < held->usage_count; i++)
        usage_remove(&engine->journal, &held->queue->node, held->usage[i].fr,
                     held->usage[i].amount);
}

static void usage_show(struct engine *engine, const struct item *item)
{
    const struct reservation *held = item->reservation;

    for (size_t i = 0; i < held->usage_count; i++)
        usage_add(&engine->journal, &held->queue->node, held->usage[i].fr, held->usage[i].amount);
}

/* ---- candidates ---- */

void candidate_add(struct candidate_list *list, struct candidate candidate, struct arena *a)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        struct candidate *grown = ARENA_ARRAY(a, capacity, struct candidate);

        if (list->count > 0)
            memcpy(grown, list->items, list->count * sizeof(*grown));
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = candidate;
}

static bool uses_contested(const struct preemption *search, const struct reservation *held)
{
    for (size_t i = 0; i < held->usage_count; i++)
        for (size_t k = 0; k < search->fr_count; k++)
            if (held->usage[i].fr == search->frs[k])
                return true;
    return false;
}

static bool satisfies(const struct preemption *search, const struct item *candidate,
                      enum preemption_policy policy)
{
    const struct item *preemptor = search->item;

    switch (policy) {
    case PREEMPT_ANY:
        return true;
    case PREEMPT_LOWER_PRIORITY:
        return preemptor->priority > candidate->priority;
    case PREEMPT_LOWER_OR_NEWER_EQUAL_PRIORITY:
        return preemptor->priority > candidate->priority ||
               (preemptor->priority == candidate->priority &&
                preemptor->queue_time < candidate->queue_time);
    case PREEMPT_NEVER:
        break;
    }
    return false;
}

static bool is_hidden(const struct preemption *search, const struct item *item)
{
    return item == search->item || item == search->spared ||
           (search->engine->hides_preempted &&
            item->reservation->preempted_cycle == search->engine->cycle);
}

static void collect_from(const struct preemption *search, const struct item_list *from,
                         enum preemption_policy policy, struct node *lca,
                         struct candidate_list *list)
{
    for (size_t i = 0; i < from->count; i++) {
        struct item *item = from->items[i];

        /* The list is in order of priority, so nobody after this one is lower. */
        if (policy != PREEMPT_ANY && item->priority > search->item->priority)
            return;
        if (satisfies(search, item, policy) && uses_contested(search, item->reservation) &&
            !is_hidden(search, item))
            candidate_add(
                list, (struct candidate){ item, lca ? CANDIDATE_NO_BORROW : CANDIDATE_OWN, lca },
                search->a);
    }
}

void candidates_collect(const struct preemption *search, struct cluster_queue_record *queue,
                        enum preemption_policy policy, struct node *lca,
                        struct candidate_list *list)
{
    if (policy == PREEMPT_NEVER || !queue->is_active)
        return;
    collect_from(search, &queue->evicted, policy, lca, list);
    collect_from(search, &queue->reserving, policy, lca, list);
}

static int candidate_compare(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;

    if (left->item->evicted != right->item->evicted)
        return left->item->evicted ? -1 : 1;
    if (preempted_before(left->item, right->item))
        return -1;
    return preempted_before(right->item, left->item) ? 1 : 0;
}

void candidates_sort(const struct preemption *search, struct candidate_list *list)
{
    if (fair_is_enabled(search->engine))
        candidates_sort_by_usage(search, list);
    else if (list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), candidate_compare);
}

/* ---- does the request fit now? ---- */

bool request_fits(const struct preemption *search, bool borrowing)
{
    const struct node *node = &search->queue->node;

    for (size_t i = 0; i < search->request_count; i++) {
        const struct fr_amount *request = &search->request[i];
        const struct cell *cell = node_cell(node, request->fr);

        if (!borrowing && cell->nominal < amount_add(cell->usage, request->amount))
            return false;
        if (request->amount > node_available_clamped(node, request->fr))
            return false;
    }
    return !search->placed || placement_without(search->input, search->placed, search->taken);
}

void targets_fill_back(const struct preemption *search, struct target_list *targets, bool borrowing)
{
    for (size_t i = targets->count < 2 ? 0 : targets->count - 1; i-- > 0;) {
        struct target spared = targets->items[i];

        usage_show(search->engine, spared.item);
        targets->items[i] = targets->items[--targets->count];
        if (request_fits(search, borrowing))
            continue;
        usage_hide(search->engine, spared.item);
        targets->items[i] = spared;
        targets->count++;
    }
}

/* ---- searches ---- */

/* Section 5: whom to evict, in order; none: nobody helps. False: there was not even a candidate. */
static bool preemption_targets(const struct preemption *search, struct target_list *targets)
{
    struct journal *journal = &search->engine->journal;
    size_t mark = journal_mark(journal);
    bool has_candidates = search->engine->options.fair_sharing ? preempt_fair(search, targets)
                                                               : preempt_classical(search, targets);

    journal_rollback(journal, mark);
    return has_candidates;
}

static struct fr_amount *request_row(struct fr_amount *rows, size_t *count, uint32_t fr)
{
    for (size_t i = 0; i < *count; i++)
        if (rows[i].fr == fr)
            return &rows[i];
    rows[*count] = (struct fr_amount){ fr, 0 };
    return &rows[(*count)++];
}

static int64_t slice_part(const struct assign_input *input, uint32_t pod_set, uint32_t fr)
{
    const struct item *old = input->old_slice;

    for (size_t i = 0; old && i < old->reservation->row_count; i++)
        if (old->reservation->rows[i].pod_set == pod_set && old->reservation->rows[i].fr == fr)
            return old->reservation->rows[i].amount;
    return 0;
}

void preemption_for_assignment(const struct assign_input *input, struct assignment *assignment,
                               struct target_list *targets)
{
    size_t most = assignment->usage_count + 1;
    uint32_t *frs = ARENA_ARRAY(input->a, most, uint32_t);
    struct fr_amount *request = ARENA_ARRAY(input->a, most, struct fr_amount);
    struct fr_amount *contested = ARENA_ARRAY(input->a, most, struct fr_amount);
    struct preemption search = { .engine = input->engine,
                                 .item = input->item,
                                 .queue = input->queue,
                                 .spared = input->old_slice,
                                 .frs = frs,
                                 .request = request,
                                 .a = input->a };
    bool has_candidates = false;

    for (size_t s = 0; s < assignment->pod_set_count; s++)
        for (size_t i = 0; i < assignment->pod_sets[s].pick_count; i++) {
            const struct pick *pick = &assignment->pod_sets[s].picks[i];
            struct fr_amount *row;

            if (!pick->flavor)
                continue;
            if (pick->mode == MODE_PREEMPT) {
                request_row(contested, &search.fr_count, pick->fr);
                has_candidates = has_candidates || !pick->is_without_candidates;
            }
            if (pick->amount == 0 || pick->resource == input->engine->pods_resource)
                continue;
            row = request_row(request, &search.request_count, pick->fr);
            row->amount =
                amount_add(row->amount,
                           amount_sub(pick->amount,
                                      slice_part(input, assignment->pod_sets[s].index, pick->fr)));
        }
    /* Who might be preempted follows from the contested FRs alone: with a single one, the oracle
     * has looked for the same. */
    if (search.fr_count == 1 && !has_candidates)
        return;
    for (size_t i = 0; i < search.fr_count; i++)
        frs[i] = contested[i].fr;
    search.placed = assignment;
    search.taken = targets;
    search.input = input;
    preemption_targets(&search, targets);
}

enum scan_mode preemption_oracle(const struct assign_input *input, uint32_t fr, int64_t amount,
                                 int32_t *level, bool *has_candidates)
{
    const struct fr_amount request = { fr, amount };
    struct preemption search = { .engine = input->engine,
                                 .item = input->item,
                                 .queue = input->queue,
                                 .spared = input->old_slice,
                                 .frs = &fr,
                                 .fr_count = 1,
                                 .request = &request,
                                 .request_count = 1,
                                 .a = input->a };
    struct target_list targets = { 0 };
    size_t mark = journal_mark(&input->engine->journal);
    enum scan_mode mode = SCAN_RECLAIM;
    bool smaller;

    *has_candidates = preemption_targets(&search, &targets);
    if (targets.count == 0)
        return SCAN_NO_CANDIDATES;
    for (size_t i = 0; i < targets.count; i++) {
        usage_hide(input->engine, targets.items[i].item);
        if (targets.items[i].item->reservation->queue == input->queue)
            mode = SCAN_PREEMPT;
    }
    *level = node_level(&input->queue->node, fr, amount, &smaller);
    journal_rollback(&input->engine->journal, mark);
    return mode;
}
