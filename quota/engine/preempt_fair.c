/* The search under fair sharing (spec/scheduling.md 5.5). */
#include <string.h>

#include "quota/engine/preempt_private.h"
#include "quota/engine/share.h"

struct fair_candidates { /* of one ClusterQueue, best victim first */
    struct cluster_queue_record *queue;
    struct candidate_list list;
    size_t next;
    struct share share; /* of the queue; only its own victims change it during a search */
    bool share_known;
};

struct fair {
    const struct preemption *search;
    struct fair_candidates *queues;
    size_t queue_count, queue_capacity;
    struct candidate_list retry;
    uint64_t pruned; /* a node with this mark is pruned */
    struct target_list *targets;
};

/* ---- the request, in and out ---- */

static void request_add(const struct preemption *search)
{
    for (size_t i = 0; i < search->request_count; i++)
        usage_add(&search->engine->journal, &search->queue->node, search->request[i].fr,
                  search->request[i].amount);
}

static void request_remove(const struct preemption *search)
{
    for (size_t i = 0; i < search->request_count; i++)
        usage_remove(&search->engine->journal, &search->queue->node, search->request[i].fr,
                     search->request[i].amount);
}

static bool fits_now(const struct preemption *search)
{
    size_t mark = journal_mark(&search->engine->journal);
    bool fits;

    request_remove(search);
    fits = request_fits(search, true);
    journal_rollback(&search->engine->journal, mark);
    return fits;
}

/* ---- candidates ---- */

static struct fair_candidates *queue_slot(struct fair *fair, struct cluster_queue_record *queue)
{
    struct arena *a = fair->search->a;

    if (fair->queue_count == fair->queue_capacity) {
        size_t capacity = fair->queue_capacity == 0 ? 8 : 2 * fair->queue_capacity;
        struct fair_candidates *grown = ARENA_ARRAY(a, capacity, struct fair_candidates);

        if (fair->queue_count > 0)
            memcpy(grown, fair->queues, fair->queue_count * sizeof(*grown));
        fair->queues = grown;
        fair->queue_capacity = capacity;
    }
    fair->queues[fair->queue_count] = (struct fair_candidates){ .queue = queue };
    return &fair->queues[fair->queue_count++];
}

static bool borrows_contested(const struct preemption *search, const struct node *node)
{
    for (size_t i = 0; i < search->fr_count; i++) {
        const struct cell *cell = node_cell(node, search->frs[i]);

        if (cell->usage > cell->nominal)
            return true;
    }
    return false;
}

static void queue_collect(struct fair *fair, struct cluster_queue_record *queue,
                          enum preemption_policy policy, struct node *lca)
{
    struct candidate_list list = { 0 };

    candidates_collect(fair->search, queue, policy, lca, &list);
    if (list.count == 0)
        return;
    candidates_sort(fair->search, &list);
    queue_slot(fair, queue)->list = list;
}

static void collect(struct fair *fair)
{
    const struct preemption *search = fair->search;
    struct node *own = &search->queue->node, *root = tree_root(own);

    queue_collect(fair, search->queue, search->queue->copy.within_cluster_queue, NULL);
    if (root == own || search->queue->copy.reclaim_within_cohort == PREEMPT_NEVER)
        return;
    for (struct node *n = root; n; n = tree_next(root, n))
        if (!n->is_cohort && n != own && borrows_contested(search, n))
            queue_collect(fair, node_queue(n), search->queue->copy.reclaim_within_cohort, root);
}

/* Let the queues point at their candidates while the search lasts. */
static void slots_set(struct fair *fair, bool set)
{
    for (size_t i = 0; i < fair->queue_count; i++)
        fair->queues[i].queue->candidates = set ? &fair->queues[i] : NULL;
}

static const struct candidate *first_of(const struct cluster_queue_record *queue)
{
    const struct fair_candidates *own = queue->candidates;

    return own && own->next < own->list.count ? &own->list.items[own->next] : NULL;
}

/* ---- choosing the next target (5.5.1) ---- */

struct best_child {
    struct node *node;
    struct share share;
};

static bool is_ancestor(const struct node *node, const struct node *of)
{
    while (of && of != node)
        of = of->parent;
    return of != NULL;
}

/* 5.3 without rule 3, for the first candidates of two queues. */
static bool sorts_first(const struct preemption *search, const struct node *a, const struct node *b)
{
    const struct item *left = first_of(node_queue(a))->item, *right = first_of(node_queue(b))->item;
    bool left_own = node_queue(a) == search->queue, right_own = node_queue(b) == search->queue;

    if (left->evicted != right->evicted)
        return left->evicted;
    if (left_own != right_own)
        return right_own;
    return preempted_before(left, right);
}

static bool is_better(const struct preemption *search, const struct best_child *best,
                      const struct node *node, const struct share *share)
{
    int order;

    if (!best->node)
        return true;
    order = share_compare(share, &best->share);
    if (order != 0)
        return order > 0;
    return node->is_cohort ? strcmp(node->name, best->node->name) < 0
                           : sorts_first(search, node, best->node);
}

/* Share of a child that is not pruned. Cohorts are computed anew: victims anywhere below change
 * them. A queue without candidates needs none, it is out. */
static struct share child_share(struct fair *fair, const struct node *node)
{
    struct fair_candidates *own = node->is_cohort ? NULL : node_queue(node)->candidates;

    if (node->is_cohort)
        return share_of(fair->search->engine, node);
    if (!own)
        return (struct share){ 0, 1, node->weight, false };
    if (!own->share_known)
        own->share = share_of(fair->search->engine, node);
    own->share_known = true;
    return own->share;
}

static bool is_out(const struct fair *fair, const struct node *node, const struct share *share)
{
    const struct preemption *search = fair->search;

    if (node->is_cohort)
        return !share->is_borrowing && !is_ancestor(node, &search->queue->node);
    if (!share->is_borrowing && node_queue(node) != search->queue)
        return true;
    return first_of(node_queue(node)) == NULL;
}

static void children_look(struct fair *fair, const struct node *cohort, struct best_child *queue,
                          struct best_child *below)
{
    for (size_t i = 0; i < cohort->child_count; i++) {
        struct node *node = cohort->children[i];
        struct best_child *best = node->is_cohort ? below : queue;
        struct share share;

        if (node->mark == fair->pruned || !node->in_snapshot)
            continue;
        share = child_share(fair, node);
        if (is_out(fair, node, &share))
            node->mark = fair->pruned;
        else if (is_better(fair->search, best, node, &share))
            *best = (struct best_child){ node, share };
    }
}

static struct cluster_queue_record *target_next(struct fair *fair)
{
    struct node *root = tree_root(&fair->search->queue->node), *cohort = root;

    if (!root->is_cohort)
        return first_of(fair->search->queue) ? fair->search->queue : NULL;
    while (root->mark != fair->pruned) {
        struct best_child queue = { 0 }, below = { 0 };

        children_look(fair, cohort, &queue, &below);
        if (below.node && (!queue.node || share_compare(&below.share, &queue.share) >= 0)) {
            cohort = below.node;
        } else if (queue.node) {
            return node_queue(queue.node);
        } else {
            cohort->mark = fair->pruned;
            cohort = root;
        }
    }
    return NULL;
}

/* ---- almost-LCA (5.5.4) ---- */

struct rivals {
    const struct node *preemptor, *target; /* siblings below the lowest common cohort */
};

static struct rivals rivals_of(const struct node *preemptor, const struct node *target)
{
    struct rivals rivals = { preemptor, target };

    while (!is_ancestor(rivals.preemptor->parent, target))
        rivals.preemptor = rivals.preemptor->parent;
    while (rivals.target->parent != rivals.preemptor->parent)
        rivals.target = rivals.target->parent;
    return rivals;
}

/* ---- strategies ---- */

static void take(struct fair *fair, struct cluster_queue_record *queue, const char *reason)
{
    struct item *item = first_of(queue)->item;

    queue->candidates->next++;
    queue->candidates->share_known = false;
    usage_hide(fair->search->engine, item);
    target_add(fair->targets, item, reason, fair->search->a);
}

static void set_aside(struct fair *fair, struct cluster_queue_record *queue)
{
    struct candidate_list *retry = &fair->retry;

    candidate_add(retry, *first_of(queue), fair->search->a);
    queue->candidates->next++;
}

static struct share share_without(struct fair *fair, const struct node *node,
                                  const struct item *item)
{
    struct journal *journal = &fair->search->engine->journal;
    size_t mark = journal_mark(journal);
    struct share share;

    usage_hide(fair->search->engine, item);
    share = share_of(fair->search->engine, node);
    journal_rollback(journal, mark);
    return share;
}

static bool passes(enum fair_strategy strategy, const struct share *preemptor,
                   const struct share *before, const struct share *after)
{
    if (strategy == FAIR_FINAL_SHARE)
        return share_compare(preemptor, after) <= 0;
    return share_compare(preemptor, before) < 0;
}

/* Victims of another queue by comparing shares. True: the request fits now. */
static bool target_compare(struct fair *fair, struct cluster_queue_record *target,
                           enum fair_strategy strategy)
{
    struct engine *engine = fair->search->engine;
    struct rivals rivals = rivals_of(&fair->search->queue->node, &target->node);
    struct share preemptor = share_of(engine, rivals.preemptor);
    struct share before = share_of(engine, rivals.target);
    bool hopeless = share_is_infinite(&preemptor) && !share_is_infinite(&before);

    while (first_of(target)) {
        struct share after;

        if (!hopeless) {
            after = share_without(fair, rivals.target, first_of(target)->item);
            if (passes(strategy, &preemptor, &before, &after)) {
                take(fair, target, "InCohortFairSharing");
                return fits_now(fair->search);
            }
        }
        set_aside(fair, target);
    }
    return false;
}

static bool is_within_nominal(const struct preemption *search)
{
    if (!search->engine->options.gates.fair_sharing_preempt_within_nominal)
        return false;
    for (size_t i = 0; i < search->fr_count; i++) {
        const struct cell *cell = node_cell(&search->queue->node, search->frs[i]);

        if (cell->nominal < cell->usage)
            return false;
    }
    return true;
}

static bool first_strategy(struct fair *fair, enum fair_strategy strategy)
{
    bool entitled = is_within_nominal(fair->search);
    struct cluster_queue_record *target;

    fair->pruned = ++fair->search->engine->walk_mark;
    while ((target = target_next(fair))) {
        bool done;

        if (target == fair->search->queue || entitled) {
            take(fair, target,
                 target == fair->search->queue ? "InClusterQueue" : "InCohortReclamation");
            done = fits_now(fair->search);
        } else {
            done = target_compare(fair, target, strategy);
        }
        if (done)
            return true;
    }
    return false;
}

static void retry_queues(struct fair *fair)
{
    struct candidate_list retry = fair->retry;

    slots_set(fair, false);
    fair->queue_count = 0;
    fair->retry = (struct candidate_list){ 0 };
    for (size_t i = 0; i < retry.count; i++) {
        struct cluster_queue_record *queue = retry.items[i].item->reservation->queue;
        size_t k = 0;

        while (k < fair->queue_count && fair->queues[k].queue != queue)
            k++;
        if (k == fair->queue_count)
            queue_slot(fair, queue);
        candidate_add(&fair->queues[k].list, retry.items[i], fair->search->a);
    }
    slots_set(fair, true);
}

static bool second_strategy(struct fair *fair)
{
    struct engine *engine = fair->search->engine;
    struct cluster_queue_record *target;

    retry_queues(fair);
    fair->pruned = ++engine->walk_mark;
    while ((target = target_next(fair))) {
        struct rivals rivals = rivals_of(&fair->search->queue->node, &target->node);
        struct share preemptor = share_of(engine, rivals.preemptor);
        struct share before = share_of(engine, rivals.target);

        if (share_compare(&preemptor, &before) < 0) {
            take(fair, target, "InCohortFairSharing");
            if (fits_now(fair->search))
                return true;
        }
        target->node.mark = fair->pruned;
    }
    return false;
}

bool preempt_fair(const struct preemption *search, struct target_list *targets)
{
    const struct engine_options *options = &search->engine->options;
    bool both = options->fair_strategy_count != 1;
    enum fair_strategy first =
        options->fair_strategy_count == 0 ? FAIR_FINAL_SHARE : options->fair_strategies[0];
    struct fair fair = { .search = search, .targets = targets };
    bool found;

    collect(&fair);
    if (fair.queue_count == 0)
        return false;
    slots_set(&fair, true);
    request_add(search);
    found = first_strategy(&fair, first) || (both && second_strategy(&fair));
    slots_set(&fair, false);
    request_remove(search);
    if (found)
        targets_fill_back(search, targets, true);
    else
        targets->count = 0;
    return true;
}
