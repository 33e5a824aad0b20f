/* Who is processed next under fair sharing: the tournament (spec/scheduling.md 6.2). */
#include <string.h>

#include "quota/engine/cycle.h"

struct contender {
    struct entry *entry;
    const struct node *node; /* where it stands: the queue, then cohorts that it won */
    int depth;
    struct share share; /* of 'node' with the entry's usage added */
    bool borrows;       /* 'node' borrows on an FR that the entry asks for */
};

static int node_depth(const struct node *node)
{
    int depth = 0;

    while ((node = node->parent))
        depth++;
    return depth;
}

static void contender_measure(struct cycle *cycle, struct contender *contender)
{
    struct engine *engine = cycle->engine;
    const struct assignment *assignment = contender->entry->assignment;
    size_t mark = journal_mark(&engine->journal);

    for (size_t i = 0; i < assignment->usage_count; i++)
        usage_add(&engine->journal, &contender->entry->queue->node, assignment->usage[i].fr,
                  assignment->usage[i].amount);
    contender->share = share_of(engine, contender->node);
    contender->borrows = false;
    for (size_t i = 0; i < assignment->usage_count; i++) {
        const struct cell *cell = node_cell(contender->node, assignment->usage[i].fr);

        if (assignment->usage[i].amount > 0 && cell->usage > cell->subtree)
            contender->borrows = true;
    }
    journal_rollback(&engine->journal, mark);
}

static void entry_measure(struct cycle *cycle, struct contender *contender)
{
    contender_measure(cycle, contender);
    contender->entry->own_share = contender->share;
    contender->entry->own_borrows = contender->borrows;
    contender->entry->is_measured = true;
}

static bool beats(const struct cycle *cycle, const struct contender *a, const struct contender *b)
{
    const struct engine_gates *gates = &cycle->engine->options.gates;
    const struct item *left = a->entry->item, *right = b->entry->item;
    int order;

    if (gates->prioritize_preemptor_workloads && a->entry->is_preemptor != b->entry->is_preemptor)
        return a->entry->is_preemptor;
    if (gates->fair_sharing_prioritize_non_borrowing && a->borrows != b->borrows)
        return b->borrows;
    order = share_compare(&a->share, &b->share);
    if (order != 0)
        return order < 0;
    if (gates->priority_sorting_within_cohort && left->priority != right->priority)
        return left->priority > right->priority;
    if (left->queue_time != right->queue_time)
        return left->queue_time < right->queue_time;
    order = strcmp(item_uid(left), item_uid(right));
    return order != 0 ? order < 0 : strcmp(left->key, right->key) < 0;
}

/* Everybody at 'depth' fights for the parent; winners move up. */
static size_t round_play(struct cycle *cycle, struct contender *contenders, size_t count, int depth)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct contender now = contenders[i];
        size_t k = 0;

        if (now.depth == depth) {
            for (; k < kept; k++)
                if (contenders[k].depth == depth && contenders[k].node->parent == now.node->parent)
                    break;
            if (k < kept) {
                if (beats(cycle, &now, &contenders[k]))
                    contenders[k] = now;
                continue;
            }
        }
        contenders[kept++] = now;
    }
    for (size_t i = 0; i < kept; i++)
        if (contenders[i].depth == depth && depth > 1) {
            contenders[i].node = contenders[i].node->parent;
            contenders[i].depth--;
            contender_measure(cycle, &contenders[i]);
        }
    return kept;
}

static size_t contenders_gather(struct cycle *cycle, size_t at, struct contender *contenders,
                                int *deepest)
{
    const struct node *root = tree_root(&cycle->order[at]->queue->node);
    size_t count = 0;

    for (size_t i = at; i < cycle->order_count; i++) {
        struct contender *contender = &contenders[count];

        if (tree_root(&cycle->order[i]->queue->node) != root)
            continue;
        *contender =
            (struct contender){ .entry = cycle->order[i], .node = &cycle->order[i]->queue->node };
        contender->depth = node_depth(contender->node);
        if (!contender->entry->is_measured)
            entry_measure(cycle, contender);
        contender->share = contender->entry->own_share;
        contender->borrows = contender->entry->own_borrows;
        if (contender->depth > *deepest)
            *deepest = contender->depth;
        count++;
    }
    return count;
}

static void bring_forward(struct cycle *cycle, size_t at, const struct entry *entry)
{
    size_t place = at;
    struct entry *chosen;

    while (cycle->order[place] != entry)
        place++;
    chosen = cycle->order[place];
    memmove(&cycle->order[at + 1], &cycle->order[at], (place - at) * sizeof(struct entry *));
    cycle->order[at] = chosen;
}

struct entry *fair_tournament_next(struct cycle *cycle, size_t at)
{
    AUTO_ARENA struct arena memory = ARENA_INIT;
    struct contender *contenders;
    size_t count;
    int deepest = 0;

    if (!cycle->order[at]->queue->node.parent)
        return cycle->order[at];
    contenders = ARENA_ARRAY(&memory, cycle->order_count - at, struct contender);
    count = contenders_gather(cycle, at, contenders, &deepest);
    for (int depth = deepest; depth >= 1; depth--)
        count = round_play(cycle, contenders, count, depth);
    bring_forward(cycle, at, contenders[0].entry);
    return cycle->order[at];
}
