#include "tests/property/watch.h"

#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"
#include "tests/property/tell.h"

/* ---- usage ---- */

static int cell_named(const char *flavor, const char *resource)
{
    return tell_index(flavor) * RESOURCES + (strcmp(resource, "gpu") == 0);
}

static int64_t scaled(int amount, int cell)
{
    return cell % RESOURCES == 0 ? INT64_C(1000) * amount : amount;
}

static int admitted_amount(const struct model *model, int queue, int cell)
{
    int sum = 0;

    for (int w = 0; w < WORKLOADS; w++)
        if (model->workloads[w].queue == queue && model->workloads[w].admitted)
            sum += model_held(&model->workloads[w], cell);
    return sum;
}

static void usage_watch(struct play *play, bool is_queue, int index, const char *name,
                        const struct queue_status *status)
{
    for (size_t i = 0; i < status->usage_count; i++) {
        const struct flavor_resource_usage *row = &status->usage[i];
        int cell = cell_named(row->flavor, row->resource);
        int64_t usage = scaled(model_usage(&play->model, is_queue, index, cell), cell);

        if (row->total != usage)
            play_broken(play, "%s: usage of %s in %s is %lld, workloads hold %lld", name,
                        row->resource, row->flavor, (long long)row->total, (long long)usage);
        if (is_queue && row->admitted != scaled(admitted_amount(&play->model, index, cell), cell))
            play_broken(play, "%s: admitted usage of %s in %s is %lld", name, row->resource,
                        row->flavor, (long long)row->admitted);
        if (!is_queue &&
            row->nominal != scaled(model_capacity(&play->model, false, index, cell), cell))
            play_broken(play, "%s: capacity of %s in %s is %lld", name, row->resource, row->flavor,
                        (long long)row->nominal);
    }
}

static void usages_watch(struct play *play)
{
    struct queue_status status;

    for (int q = 0; q < QUEUES; q++) {
        const char *name = tell_name(play, 'q', q);

        if (engine_cluster_queue_status(play->engine, name, &play->facts, &status) !=
            play->model.queues[q].node.exists)
            play_broken(play, "%s: there or not?", name);
        if (play->model.queues[q].node.exists)
            usage_watch(play, true, q, name, &status);
    }
    for (int c = 0; c < COHORTS; c++)
        if (!model_is_cyclic(&play->model, false, c) &&
            engine_cohort_status(play->engine, tell_name(play, 'c', c), &play->facts, &status))
            usage_watch(play, false, c, tell_name(play, 'c', c), &status);
}

/* ---- places ---- */

static enum place place_of(struct play *play, int index)
{
    return engine_workload_place(play->engine,
                                 tell_name(play, 'n', play->model.workloads[index].namespace),
                                 arena_format(&play->facts, "w%02d", index));
}

static void places_watch(struct play *play)
{
    for (int w = 0; w < WORKLOADS; w++) {
        const struct model_workload *own = &play->model.workloads[w];
        enum place place;
        bool fine;

        if (!own->exists)
            continue;
        place = place_of(play, w);
        if (own->holds)
            fine = place == PLACE_RESERVING;
        else if (model_is_queued(&play->model, own))
            fine = place == PLACE_HEAP || place == PLACE_PARKED;
        else
            fine = place == PLACE_NOT_QUEUED;
        if (!fine)
            play_broken(play, "w%02d: lost in place %d", w, place);
    }
}

void watch_state(struct play *play)
{
    struct err e = { 0 };

    if (engine_verify(play->engine, &e) < 0)
        play_broken(play, "%s", e.text);
    usages_watch(play);
    places_watch(play);
}

/* ---- cells, byte for byte ---- */

struct cells {
    struct strbuf bytes; /* of each node: its cells, cut to what they were */
    struct node *nodes[64];
    uint32_t counts[64];
    size_t count;
};

static void node_add(struct cells *cells, struct node *node)
{
    if (cells->count == ARRAY_COUNT(cells->nodes))
        return;
    cells->nodes[cells->count] = node;
    cells->counts[cells->count++] = node->cell_count;
    strbuf_add(&cells->bytes, (const char *)node->cells, node->cell_count * sizeof(*node->cells));
}

struct cells *watch_cells(struct play *play)
{
    struct cells *cells = mem_alloc(sizeof(*cells));
    struct map_entry entry;

    trees_settle(play->engine);
    for (size_t n = 0; map_next(play->engine->cluster_queues, &n, &entry);)
        node_add(cells, &((struct cluster_queue_record *)entry.value)->node);
    for (size_t n = 0; map_next(play->engine->cohorts, &n, &entry);)
        node_add(cells, &((struct cohort_record *)entry.value)->node);
    return cells;
}

void watch_cells_forget(struct cells *cells)
{
    strbuf_finish(&cells->bytes);
    free(cells);
}

/* Cells that a simulation had to add hold nothing. */
static bool rest_is_empty(const struct node *node, uint32_t from)
{
    for (uint32_t fr = from; fr < node->cell_count; fr++)
        if (node->cells[fr].usage != 0 || node->cells[fr].nominal != 0)
            return false;
    return true;
}

void watch_cells_same(struct play *play, struct cells *before, const char *why)
{
    const char *at = before->bytes.text;

    trees_settle(play->engine);
    for (size_t i = 0; i < before->count; i++) {
        const struct node *node = before->nodes[i];
        size_t size = before->counts[i] * sizeof(*node->cells);

        if (node->cell_count < before->counts[i] ||
            (size > 0 && memcmp(at, node->cells, size) != 0) ||
            !rest_is_empty(node, before->counts[i]))
            play_broken(play, "%s: cells differ %s", node->name, why);
        at += size;
    }
    watch_cells_forget(before);
}

/* ---- order ---- */

static void queue_order_watch(struct play *play, int queue, const struct queued_workload *list,
                              size_t count)
{
    int before = ABSENT;

    for (size_t i = 0; i < count; i++) {
        int index = tell_index(list[i].name);

        /* Who waits for victims may have been put first. */
        if (play->model.workloads[index].may_be_sticky)
            continue;
        if (before != ABSENT && !list[i].parked && !model_before(&play->model, before, index))
            play_broken(play, "q%d: w%02d is served before w%02d", queue, before, index);
        before = list[i].parked ? before : index;
    }
}

struct heads watch_order(struct play *play)
{
    struct heads heads;

    for (int q = 0; q < QUEUES; q++) {
        size_t count;
        struct queued_workload *list =
            engine_queue_list(play->engine, tell_name(play, 'q', q), &play->facts, &count);
        bool offered = count > 0 && !list[0].parked && model_queue_is_active(&play->model, q);

        heads.workloads[q] = offered ? tell_index(list[0].name) : ABSENT;
        if (play->model.queues[q].usage_based || play->model.usage_based)
            heads.workloads[q] = offered ? ANYBODY : ABSENT;
        else
            queue_order_watch(play, q, list, count);
    }
    return heads;
}

void watch_heads(struct play *play, const struct heads *heads)
{
    bool seen[QUEUES] = { false };

    for (size_t i = 0; i < play->cycle.count; i++) {
        const struct decision *decision = &play->cycle.decisions[i];
        int queue = tell_index(decision->cluster_queue), head = heads->workloads[queue];

        if (seen[queue] || head == ABSENT ||
            (head != ANYBODY && head != tell_index(decision->name)))
            play_broken(play, "q%d: %s is not its head", queue, decision->name);
        seen[queue] = true;
    }
    for (int q = 0; q < QUEUES; q++)
        if (!seen[q] && heads->workloads[q] != ABSENT)
            play_broken(play, "q%d: its head was not looked at", q);
}

/* ---- admissions ---- */

/* Partial admission starts from the declared counts, reclaimed pods included (4.7). */
static bool may_be_partial(const struct model_workload *own)
{
    for (int s = 0; s < own->pod_set_count; s++)
        if (own->pod_sets[s].least != ABSENT)
            return true;
    return false;
}

static void pod_set_take(struct play *play, const struct decision *decision, int index,
                         struct model_workload *workload)
{
    const struct pod_set_assignment *assigned = &decision->admission.pod_sets[index];
    struct model_pod_set *own = &workload->pod_sets[index];
    int effective = own->count - own->reclaimed;
    int most = may_be_partial(workload) ? own->count : effective;
    int least = own->least != ABSENT && own->least < effective ? own->least : effective;

    if (assigned->count > most || assigned->count < least)
        play_broken(play, "%s: %d pods of %s start, not %d to %d", decision->name, assigned->count,
                    assigned->pod_set, least, most);
    own->held_count = assigned->count;
    for (size_t i = 0; i < assigned->use_count; i++) {
        const struct resource_flavor_use *use = &assigned->uses[i];
        int flavor = tell_index(use->flavor),
            r = cell_named(use->flavor, use->resource) % RESOURCES;

        if (i > 0 && flavor != own->flavor)
            play_broken(play, "%s: one resource group in two flavors", decision->name);
        if (quantity_ceil(use->usage) != own->amounts[r] * own->held_count)
            play_broken(play, "%s: usage of %s is wrong", decision->name, use->resource);
        own->flavor = flavor;
    }
}

static void limits_watch(struct play *play, const struct model_workload *own,
                         const struct decision *decision, const int available[CELLS])
{
    for (int cell = 0; cell < CELLS; cell++) {
        int amount = model_held(own, cell);

        if (amount > 0 && amount > available[cell])
            play_broken(play, "%s: %d of %s in f%d admitted to q%d where %d are available",
                        decision->name, amount, cell % RESOURCES ? "gpu" : "cpu", cell / RESOURCES,
                        own->queue, available[cell]);
    }
}

void watch_admission(struct play *play, const struct decision *decision)
{
    struct model_workload *own = &play->model.workloads[tell_index(decision->name)];
    int available[CELLS];

    if (!model_may_start(&play->model, own))
        play_broken(play, "%s: must not start", decision->name);
    if (decision->admission.pod_set_count != (size_t)own->pod_set_count)
        play_broken(play, "%s: %zu of %d pod sets start", decision->name,
                    decision->admission.pod_set_count, own->pod_set_count);
    if ((decision->outcome == OUTCOME_RESERVED) != play->model.queues[own->queue].checked)
        play_broken(play, "%s: wrong about its checks", decision->name);
    for (int cell = 0; cell < CELLS; cell++)
        available[cell] = model_available(&play->model, true, own->queue, cell);
    for (int s = 0; s < own->pod_set_count; s++)
        pod_set_take(play, decision, s, own);
    own->holds = true;
    own->told = false;
    own->evicting = false;
    own->admitted = decision->outcome == OUTCOME_ADMITTED;
    own->reserved = play->model.now;
    limits_watch(play, own, decision, available);
}

/* ---- preemption ---- */

static int root_of(const struct model *model, int queue)
{
    int root = model->queues[queue].node.parent;

    while (root != ABSENT && model->cohorts[root].parent != ABSENT)
        root = model->cohorts[root].parent;
    return root;
}

static bool may_preempt(const struct model *model, const struct model_workload *preemptor,
                        const struct model_workload *victim)
{
    const struct model_queue *queue = &model->queues[preemptor->queue];
    bool lower = victim->priority < preemptor->priority;
    bool newer = victim->priority == preemptor->priority;

    if (victim->queue == preemptor->queue)
        return queue->within != WITHIN_NEVER &&
               (lower || (newer && queue->within == WITHIN_LOWER_OR_NEWER));
    if (root_of(model, victim->queue) == ABSENT ||
        root_of(model, victim->queue) != root_of(model, preemptor->queue))
        return false;
    return queue->reclaim == RECLAIM_ANY || (queue->reclaim == RECLAIM_LOWER && lower);
}

void watch_victim(struct play *play, const struct decision *decision, const struct victim *victim)
{
    const struct model_workload *preemptor = &play->model.workloads[tell_index(decision->name)];
    const struct model_workload *own = &play->model.workloads[tell_index(victim->name)];

    if (own == preemptor || !own->holds)
        play_broken(play, "%s: its victim %s holds nothing", decision->name, victim->name);
    if (!may_preempt(&play->model, preemptor, own))
        play_broken(play, "%s must not preempt %s", decision->name, victim->name);
}

/* A skipped workload goes on with its next flavor; when that one fails it parks, and its equals
 * with it, although an earlier flavor may fit meanwhile (4.6). With several pod sets that can
 * happen without a skip. */
static bool scan_may_go_on(struct play *play, int queue)
{
    for (int w = 0; w < WORKLOADS; w++) {
        const struct model_workload *own = &play->model.workloads[w];

        if (own->exists && own->queue == queue && (own->was_skipped || own->pod_set_count > 1) &&
            place_of(play, w) == PLACE_PARKED)
            return true;
    }
    return false;
}

void watch_nobody_forgotten(struct play *play)
{
    for (int w = 0; w < WORKLOADS; w++) {
        const struct model_workload *own = &play->model.workloads[w];

        if (own->exists && !own->holds && model_may_start(&play->model, own) &&
            place_of(play, w) == PLACE_PARKED && model_fits(&play->model, own) &&
            !scan_may_go_on(play, own->queue))
            play_broken(play, "w%02d is parked in q%d and would fit", w, own->queue);
    }
}
