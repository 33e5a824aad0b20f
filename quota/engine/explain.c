#include "quota/engine/explain.h"

#include <stdlib.h>
#include <string.h>
#include "quota/base/mem.h"
#include "quota/engine/assignment.h"
#include "quota/engine/flavor_scan.h"

/* ---- which limit ---- */

/* What an ancestor of the ClusterQueue (itself included) lets through: see node_available. */
static int64_t let_through(const struct cell *cell, int64_t guaranteed, bool in_use)
{
    int64_t used = in_use ? amount_sub(cell->usage, cell->local) : 0;
    int64_t through = amount_sub(cell->subtree, cell->local);

    through = amount_sub(through, used > 0 ? used : 0);
    return amount_add(guaranteed, amount_add(through, cell->borrowing));
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct binding borrowing_limit(const struct node *node, const struct cell *cell)
{
    int64_t borrowed = amount_sub(cell->usage, cell->subtree);

    return (
        struct binding){ BINDING_BORROWING,           node->name, node->is_cohort, cell->borrowing,
                         borrowed > 0 ? borrowed : 0, 0 };
}

/* 'in_use': with what is used now; otherwise as if nothing were. */
static struct binding binding_of(const struct node *node, uint32_t fr, bool in_use)
{
    struct binding binding = { .kind = BINDING_NONE };
    int64_t guaranteed = 0, least = AMOUNT_UNLIMITED, through;
    const struct cell *cell;

    for (; node->parent; node = node->parent) {
        cell = node_cell(node, fr);
        guaranteed = amount_add(guaranteed, in_use ? cell_local_free(cell) : cell->local);
        through = cell->borrowing == LIMIT_ABSENT ? AMOUNT_UNLIMITED
                                                  : let_through(cell, guaranteed, in_use);
        if (through >= least) {
            binding.slack = smaller(binding.slack, amount_sub(through, least));
            continue;
        }
        binding = borrowing_limit(node, cell);
        binding.slack = amount_sub(least, through);
        least = through;
    }
    cell = node_cell(node, fr);
    through = amount_add(guaranteed, amount_sub(cell->subtree, in_use ? cell->usage : 0));
    if (through < least)
        binding = (struct binding){ node->is_cohort ? BINDING_CAPACITY : BINDING_NOMINAL,
                                    node->name,
                                    node->is_cohort,
                                    cell->subtree,
                                    cell->usage,
                                    0 };
    else if (binding.kind == BINDING_BORROWING)
        binding.slack = smaller(binding.slack, amount_sub(through, least));
    return binding;
}

/* ---- who holds it ---- */

/* The node that owns the limit, itself or above 'node'. */
static struct node *binding_node(struct node *node, const struct binding *binding)
{
    while (node->parent &&
           (node->is_cohort != binding->is_cohort || strcmp(node->name, binding->owner) != 0))
        node = node->parent;
    return node;
}

static int64_t held(const struct item *item, uint32_t fr)
{
    for (size_t i = 0; i < item->reservation->usage_count; i++)
        if (item->reservation->usage[i].fr == fr)
            return item->reservation->usage[i].amount;
    return 0;
}

static size_t list_holders(const struct item_list *list, uint32_t fr, bool evicted,
                           struct holder *out, struct arena *a)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct item *item = list->items[i];
        int64_t amount = held(item, fr);

        if (amount <= 0)
            continue;
        if (out)
            out[count] =
                (struct holder){ arena_strdup(a, item->key),
                                 arena_strdup(a, item->reservation->queue->name), amount, evicted };
        count++;
    }
    return count;
}

static size_t tree_holders(struct node *top, uint32_t fr, struct holder *out, struct arena *a)
{
    size_t count = 0;

    for (struct node *n = top; n; n = tree_next(top, n)) {
        const struct cluster_queue_record *queue = node_queue(n);

        if (n->is_cohort)
            continue;
        count += list_holders(&queue->reserving, fr, false, out ? out + count : NULL, a);
        count += list_holders(&queue->evicted, fr, true, out ? out + count : NULL, a);
    }
    return count;
}

static int largest_first(const void *a, const void *b)
{
    const struct holder *x = a, *y = b;

    if (x->amount != y->amount)
        return x->amount > y->amount ? -1 : 1;
    return strcmp(x->key, y->key);
}

static void find_holders(struct node *top, uint32_t fr, struct explained_resource *out,
                         struct arena *a)
{
    out->holder_count = tree_holders(top, fr, NULL, a);
    out->holders = ARENA_ARRAY(a, out->holder_count + 1, struct holder);
    tree_holders(top, fr, out->holders, a);
    qsort(out->holders, out->holder_count, sizeof(*out->holders), largest_first);
}

static bool is_above(const struct node *node, const struct node *above)
{
    for (; node; node = node->parent)
        if (node == above)
            return true;
    return false;
}

/* What others keep for themselves and do not use. */
static int64_t unlent_in_tree(struct node *own, uint32_t fr)
{
    struct node *root = tree_root(own);
    int64_t sum = 0;

    for (struct node *n = root; n; n = tree_next(root, n))
        if (!is_above(own, n))
            sum = amount_add(sum, cell_local_free(node_cell(n, fr)));
    return sum;
}

/* ---- one flavor ---- */

/* What pod sets handled before this one take of the FR. */
static int64_t taken_before(const struct assignment *assignment, const struct pod_set_pick *pod_set,
                            uint32_t fr)
{
    int64_t sum = 0;

    for (const struct pod_set_pick *p = assignment->pod_sets; p < pod_set; p++)
        for (size_t i = 0; i < p->pick_count; i++)
            if (p->picks[i].flavor && p->picks[i].fr == fr)
                sum = amount_add(sum, p->picks[i].amount);
    return sum;
}

static void resource_explain(const struct assign_input *input, const struct pick *pick, uint32_t fr,
                             int64_t before, struct explained_resource *out)
{
    struct node *node = &input->queue->node;
    int64_t wanted = amount_add(before, pick->amount);

    *out = (struct explained_resource){ .resource = arena_strdup(input->a, pick->name),
                                        .requested = pick->amount,
                                        .before = before,
                                        .available = node_available_clamped(node, fr),
                                        .maximum = node_potential(node, fr) };
    out->is_never = wanted > out->maximum;
    if (wanted <= out->available)
        return;
    out->missing = amount_sub(wanted, out->is_never ? out->maximum : out->available);
    out->binding = binding_of(node, fr, !out->is_never);
    out->binding.owner = arena_strdup(input->a, out->binding.owner);
    out->unlent = unlent_in_tree(node, fr);
    find_holders(binding_node(node, &out->binding), fr, out, input->a);
}

static const struct group_flavor *flavor_in_group(const struct engine *engine,
                                                  const struct quota_group *group, const char *name)
{
    for (size_t f = 0; f < group->flavor_count; f++)
        if (strcmp(intern_text(engine->flavor_names, group->flavors[f].flavor->id), name) == 0)
            return &group->flavors[f];
    return NULL;
}

static void flavor_resources(const struct assign_input *input, const struct assignment *assignment,
                             const struct pod_set_pick *pod_set, struct explained_flavor *out)
{
    out->resources = ARENA_ARRAY(input->a, pod_set->pick_count + 1, struct explained_resource);
    for (size_t i = 0; i < pod_set->pick_count; i++) {
        const struct pick *pick = &pod_set->picks[i];
        const struct quota_group *group = queue_group_of(input->queue, pick->resource);
        const struct group_flavor *flavor =
            group ? flavor_in_group(input->engine, group, out->flavor) : NULL;
        size_t r = 0;

        if (!flavor)
            continue;
        while (group->resources[r] != pick->resource)
            r++;
        resource_explain(input, pick, flavor->frs[r],
                         taken_before(assignment, pod_set, flavor->frs[r]),
                         &out->resources[out->resource_count++]);
    }
}

static enum explained_verdict verdict_of(const struct attempt *attempt)
{
    switch (attempt->mode) {
    case SCAN_FIT:
        return VERDICT_FITS;
    case SCAN_PREEMPT:
    case SCAN_RECLAIM:
        return VERDICT_PREEMPTS;
    case SCAN_NO_CANDIDATES:
        return VERDICT_NO_CANDIDATES;
    case SCAN_NO_FIT:
        break;
    }
    return VERDICT_LACKS;
}

static void flavor_explain(const struct assign_input *input, const struct assignment *assignment,
                           const struct pod_set_pick *pod_set, const struct attempt *attempt,
                           struct explained_flavor *out)
{
    *out = (struct explained_flavor){ .flavor = arena_strdup(input->a, attempt->flavor),
                                      .verdict = verdict_of(attempt),
                                      .refusal = "" };
    for (size_t i = 0; i < attempt->why_count; i++) {
        enum why_kind kind = attempt->whys[i].kind;

        if (kind == WHY_EXCEEDS_MAXIMUM || kind == WHY_LACKS_UNUSED)
            continue;
        out->verdict = VERDICT_REFUSED;
        out->refusal = why_text(&attempt->whys[i], input->a);
        return;
    }
    flavor_resources(input, assignment, pod_set, out);
}

/* ---- pod sets ---- */

static const char *pod_set_problem(const struct pod_set_pick *pod_set, struct arena *a)
{
    if (pod_set->error)
        return arena_strdup(a, pod_set->error);
    for (size_t i = 0; pod_set->failed && i < pod_set->whys.count; i++)
        if (pod_set->whys.items[i].kind == WHY_UNAVAILABLE)
            return why_text(&pod_set->whys.items[i], a);
    return "";
}

static void pod_set_explain(const struct assign_input *input, const struct assignment *assignment,
                            const struct pod_set_pick *pod_set, struct explained_pod_set *out)
{
    out->is_looked_at = true;
    out->problem = pod_set_problem(pod_set, input->a);
    out->flavors = ARENA_ARRAY(input->a, pod_set->attempt_count + 1, struct explained_flavor);
    for (size_t i = 0; i < pod_set->attempt_count; i++)
        flavor_explain(input, assignment, pod_set, &pod_set->attempts[i],
                       &out->flavors[out->flavor_count++]);
}

static void pod_sets_explain(const struct assign_input *input, const struct assignment *assignment,
                             struct explanation *out)
{
    const struct item *item = input->item;

    out->pod_set_count = item->pod_set_count;
    out->pod_sets = ARENA_ARRAY(input->a, item->pod_set_count + 1, struct explained_pod_set);
    for (uint32_t i = 0; i < item->pod_set_count; i++) {
        out->pod_sets[i].name = arena_strdup(input->a, item->pod_sets[i].shape->pod_set->name);
        out->pod_sets[i].count = item->pod_sets[i].effective;
        out->pod_sets[i].problem = "";
    }
    for (size_t s = 0; s < assignment->pod_set_count; s++)
        pod_set_explain(input, assignment, &assignment->pod_sets[s],
                        &out->pod_sets[assignment->pod_sets[s].index]);
}

/* ---- the whole ---- */

static void place_explain(const struct engine *engine, const struct item *item, struct arena *a,
                          struct explanation *out)
{
    size_t count;
    const struct queued_workload *list = engine_queue_list(engine, out->cluster_queue, a, &count);

    out->waiting = count;
    out->first = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].namespace, item->namespace->name) == 0 &&
            strcmp(list[i].name, item_name(item)) == 0)
            break;
        out->ahead++;
        if (i == 0)
            out->first = arena_format(a, "%s/%s", list[i].namespace, list[i].name);
    }
}

static void victims_explain(const struct target_list *targets, struct arena *a,
                            struct explanation *out)
{
    out->victims = ARENA_ARRAY(a, targets->count + 1, struct victim_key);
    for (size_t i = 0; i < targets->count; i++)
        out->victims[out->victim_count++] =
            (struct victim_key){ arena_strdup(a, targets->items[i].item->key),
                                 arena_strdup(a,
                                              targets->items[i].item->reservation->queue->name) };
}

/* The assignment as of now, without the memory of earlier scans. */
static void assignment_explain(const struct assign_input *input, struct explanation *out)
{
    struct journal *journal = &input->engine->journal;
    struct progress *progress = input->item->progress;
    struct target_list targets = { 0 };
    const struct assignment *assignment;

    input->item->progress = NULL;
    journal->recording = true;
    assignment = assignment_best(input, &targets);
    journal_rollback(journal, 0);
    journal->recording = false;
    input->item->progress = progress;
    out->fits = assignment->mode == MODE_FIT;
    out->message = out->fits ? "" : assignment_message(input->item, assignment, input->a);
    victims_explain(&targets, input->a, out);
    pod_sets_explain(input, assignment, out);
}

bool engine_explain(struct engine *engine, const char *namespace, const char *name,
                    struct arena *arena, struct explanation *explanation)
{
    struct item *item = item_find(engine, namespace, name);
    struct cluster_queue_record *queue = item ? item_queue(item) : NULL;
    struct assign_input input = { .engine = engine, .item = item, .queue = queue, .a = arena };

    *explanation = (struct explanation){ 0 };
    if (!item || item->reservation || !queue || !queue->exists || queue->node.is_cyclic)
        return false;
    trees_settle(engine);
    explanation->cluster_queue = arena_strdup(arena, queue->name);
    explanation->strict_fifo = queue->copy.strategy == QUEUE_STRICT_FIFO;
    place_explain(engine, item, arena, explanation);
    assignment_explain(&input, explanation);
    return true;
}
