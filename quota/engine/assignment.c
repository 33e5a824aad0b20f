#include "quota/engine/assignment.h"

#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/flavor_scan.h"
#include "quota/engine/placement.h"

/* ---- requests ---- */

static struct amounts pod_set_requests(const struct assign_input *input, uint32_t index,
                                       int32_t count)
{
    const struct pod_set_use *use = &input->item->pod_sets[index];
    struct amounts requests = amounts_scale(use->shape->requests, use->effective, input->a);

    if (count != use->effective)
        for (size_t i = 0; i < requests.count; i++)
            requests.items[i].amount =
                amount_rescale(requests.items[i].amount, use->effective, count);
    if (input->queue->covers_pods)
        amounts_add(&requests, "pods", count, input->a);
    return requests;
}

static void picks_make(const struct assign_input *input, struct pod_set_pick *pod_set)
{
    struct amounts requests = pod_set_requests(input, pod_set->index, pod_set->count);
    const struct shape *shape = input->item->pod_sets[pod_set->index].shape;
    size_t row = 0; /* of the shape: "pods" may stand between its rows */

    pod_set->picks = ARENA_ARRAY(input->a, requests.count + 1, struct pick);
    pod_set->pick_count = requests.count;
    for (size_t i = 0; i < requests.count; i++) {
        bool is_of_shape = row < shape->requests.count &&
                           requests.items[i].resource == shape->requests.items[row].resource;

        pod_set->picks[i] = (struct pick){
            .resource = is_of_shape ? shape->resources[row++] : input->engine->pods_resource,
            .name = requests.items[i].resource,
            .amount = requests.items[i].amount,
            .mode = MODE_FIT,
            .progress = PROGRESS_NONE,
        };
    }
}

/* ---- groups (4.5.1) ---- */

static const char *group_name(const struct item *item, uint32_t index)
{
    const struct topology_request *topology = &item->pod_sets[index].shape->pod_set->topology;

    return topology->present && topology->pod_set_group && *topology->pod_set_group
               ? topology->pod_set_group
               : NULL;
}

static bool same_group(const struct item *item, uint32_t a, uint32_t b)
{
    const char *left = group_name(item, a), *right = group_name(item, b);

    return a == b || (left && right && strcmp(left, right) == 0);
}

static void totals_make(struct pod_group *pods)
{
    const struct assign_input *input = pods->input;
    struct amounts sum = { 0 };

    if (pods->member_count == 1) {
        pods->total = ARENA_ARRAY(input->a, pods->members[0]->pick_count + 1, struct pick);
        pods->total_count = pods->members[0]->pick_count;
        memcpy(pods->total, pods->members[0]->picks, pods->total_count * sizeof(*pods->total));
        return;
    }
    for (size_t m = 0; m < pods->member_count; m++)
        for (size_t i = 0; i < pods->members[m]->pick_count; i++)
            amounts_add(&sum, pods->members[m]->picks[i].name, pods->members[m]->picks[i].amount,
                        input->a);
    pods->total = ARENA_ARRAY(input->a, sum.count + 1, struct pick);
    pods->total_count = sum.count;
    for (size_t i = 0; i < sum.count; i++)
        pods->total[i] = (struct pick){
            .resource = catalog_resource(input->engine, sum.items[i].resource),
            .name = sum.items[i].resource,
            .amount = sum.items[i].amount,
            .progress = PROGRESS_NONE,
        };
}

static bool is_skipped(const struct assign_input *input, const struct pick *total)
{
    return total->amount == 0 || (input->engine->options.gates.quota_check_strategy &&
                                  input->queue->copy.ignore_undeclared);
}

static void group_fail_unavailable(struct pod_group *pods, const struct pick *total)
{
    for (size_t m = 0; m < pods->member_count; m++) {
        struct pod_set_pick *member = pods->members[m];

        member->whys.count = 0;
        member->failed = true;
        member->no_fit = NO_FIT_NO_MATCH;
        why_add(&member->whys, (struct why){ WHY_UNAVAILABLE, NULL, total->name, NULL, 0, 0, 0 },
                pods->input->a);
    }
}

static void usage_count(struct assignment *out, const struct pod_set_pick *pod_set, struct arena *a)
{
    for (size_t i = 0; i < pod_set->pick_count; i++) {
        const struct pick *pick = &pod_set->picks[i];
        size_t k = 0;

        if (!pick->flavor)
            continue;
        while (k < out->usage_count && out->usage[k].fr != pick->fr)
            k++;
        if (k == out->usage_capacity) {
            size_t capacity = k == 0 ? 4 : 2 * k;
            struct fr_amount *grown = ARENA_ARRAY(a, capacity, struct fr_amount);

            if (k > 0)
                memcpy(grown, out->usage, k * sizeof(*grown));
            out->usage = grown;
            out->usage_capacity = capacity;
        }
        if (k == out->usage_count)
            out->usage[out->usage_count++] = (struct fr_amount){ pick->fr, 0 };
        out->usage[k].amount = amount_add(out->usage[k].amount, pick->amount);
    }
}

/* A replaced slice pays for its part. */
static void usage_discount(struct assignment *out, const struct pod_group *pods)
{
    const struct item *old = pods->input->old_slice;

    for (size_t i = 0; old && i < old->reservation->row_count; i++)
        for (size_t m = 0; m < pods->member_count; m++)
            for (size_t k = 0; k < out->usage_count; k++)
                if (old->reservation->rows[i].pod_set == pods->members[m]->index &&
                    old->reservation->rows[i].fr == out->usage[k].fr)
                    out->usage[k].amount =
                        amount_sub(out->usage[k].amount, old->reservation->rows[i].amount);
}

/* Scan every resource group that the pods need. False: the group fails. */
static bool group_assign(struct pod_group *pods)
{
    for (size_t i = 0; i < pods->total_count; i++) {
        struct pick *total = &pods->total[i];
        const struct quota_group *group = queue_group_of(pods->input->queue, total->resource);

        if (total->flavor)
            continue;
        if (!group && is_skipped(pods->input, total))
            continue;
        if (!group) {
            group_fail_unavailable(pods, total);
            return false;
        }
        if (flavor_scan(pods, group, total->resource) != SCAN_FOUND)
            return false;
    }
    return true;
}

static void picks_forget(struct pod_group *pods)
{
    for (size_t m = 0; m < pods->member_count; m++)
        for (size_t i = 0; i < pods->members[m]->pick_count; i++)
            pods->members[m]->picks[i].flavor = NULL;
}

/* ---- the whole ---- */

/* 4.4. Without reasons it counts as a fit, whatever its resources say: that happens with the
 * preference for preemption, when the worst mode of a flavor is a fit at a higher level. With
 * reasons, but without a flavor, it is none: a member of a group that asks for nothing itself. */
static enum fit_mode pod_set_mode(const struct pod_set_pick *pod_set)
{
    enum fit_mode mode = MODE_FIT;
    bool has_flavor = false;

    if (pod_set->failed)
        return MODE_NO_FIT;
    if (pod_set->whys.count == 0)
        return MODE_FIT;
    for (size_t i = 0; i < pod_set->pick_count; i++) {
        has_flavor |= pod_set->picks[i].flavor != NULL;
        if (pod_set->picks[i].flavor && pod_set->picks[i].mode < mode)
            mode = pod_set->picks[i].mode;
    }
    return has_flavor ? mode : MODE_NO_FIT;
}

static void conclude(struct assignment *out)
{
    out->mode = out->pod_set_count > 0 ? MODE_FIT : MODE_NO_FIT;
    for (size_t s = 0; s < out->pod_set_count; s++) {
        const struct pod_set_pick *pod_set = &out->pod_sets[s];
        enum fit_mode mode = pod_set_mode(pod_set);

        if (mode < out->mode)
            out->mode = mode;
        if (mode == MODE_NO_FIT && pod_set->no_fit > out->no_fit)
            out->no_fit = pod_set->no_fit;
        for (size_t i = 0; i < pod_set->pick_count; i++)
            if (pod_set->picks[i].flavor && pod_set->picks[i].level > out->level)
                out->level = pod_set->picks[i].level;
    }
}

static void group_collect(const struct assign_input *input, struct assignment *out,
                          struct pod_group *pods, uint32_t first, const int32_t *counts)
{
    const struct item *item = input->item;

    for (uint32_t i = first; i < item->pod_set_count; i++) {
        struct pod_set_pick *pod_set;

        if (!same_group(item, first, i))
            continue;
        pod_set = &out->pod_sets[out->pod_set_count++];
        pod_set->index = i;
        pod_set->count = counts ? counts[i] : item->pod_sets[i].effective;
        picks_make(input, pod_set);
        pods->members[pods->member_count++] = pod_set;
    }
    totals_make(pods);
}

static bool is_handled(const struct assignment *out, uint32_t index)
{
    for (size_t s = 0; s < out->pod_set_count; s++)
        if (out->pod_sets[s].index == index)
            return true;
    return false;
}

/* 4.5 with these counts per pod set (NULL: the effective ones). */
static struct assignment *assignment_make(const struct assign_input *input, const int32_t *counts)
{
    struct assignment *out = ARENA_NEW(input->a, struct assignment);
    uint32_t count = input->item->pod_set_count;

    out->pod_sets = ARENA_ARRAY(input->a, count + 1, struct pod_set_pick);
    for (uint32_t i = 0; i < count; i++) {
        struct pod_group pods = { .input = input, .out = out };

        if (is_handled(out, i))
            continue;
        pods.members = ARENA_ARRAY(input->a, count, struct pod_set_pick *);
        group_collect(input, out, &pods, i, counts);
        if (!group_assign(&pods)) {
            picks_forget(&pods);
            break;
        }
        for (size_t m = 0; m < pods.member_count; m++)
            usage_count(out, pods.members[m], input->a);
        usage_discount(out, &pods);
    }
    conclude(out);
    placement_apply(input, out);
    return out;
}

/* ---- partial admission (4.7) ---- */

struct partial_search {
    const struct assign_input *input;
    int32_t *delta;
    int64_t total; /* D */
    int32_t *counts;
    struct assignment *found;
    struct target_list targets;
};

static bool partial_possible(const struct assign_input *input)
{
    if (!input->engine->options.gates.partial_admission || input->old_slice)
        return false;
    for (uint32_t i = 0; i < input->item->pod_set_count; i++) {
        const struct pod_set_use *use = &input->item->pod_sets[i];

        if (use->shape->pod_set->min_count >= 0 && use->shape->pod_set->min_count < use->count)
            return true;
    }
    return false;
}

static bool partial_works(struct partial_search *search, int64_t i)
{
    const struct assign_input *input = search->input;
    struct target_list targets = { 0 };
    struct assignment *probe;

    for (uint32_t k = 0; k < input->item->pod_set_count; k++)
        search->counts[k] = input->item->pod_sets[k].count -
                            (int32_t)((__int128)search->delta[k] * i / search->total);
    probe = assignment_make(input, search->counts);
    if (probe->mode == MODE_PREEMPT)
        preemption_for_assignment(input, probe, &targets);
    if (probe->mode != MODE_FIT && targets.count == 0)
        return false;
    search->found = probe;
    search->targets = targets;
    return true;
}

static struct assignment *partial_assignment(const struct assign_input *input,
                                             struct target_list *targets)
{
    uint32_t count = input->item->pod_set_count;
    struct partial_search search = { .input = input };
    int64_t low = 0, high, last = -1;

    search.delta = ARENA_ARRAY(input->a, count, int32_t);
    search.counts = ARENA_ARRAY(input->a, count, int32_t);
    for (uint32_t k = 0; k < count; k++) {
        const struct pod_set_use *use = &input->item->pod_sets[k];
        int32_t least = use->shape->pod_set->min_count;

        search.delta[k] = least >= 0 && least < use->count ? use->count - least : 0;
        search.total += search.delta[k];
    }
    high = search.total + 1;
    while (low < high) {
        int64_t middle = (low + high) / 2;

        if (partial_works(&search, middle))
            high = last = middle;
        else
            low = middle + 1;
    }
    if (!search.found || last != low)
        return NULL;
    *targets = search.targets;
    return search.found;
}

/* ---- the best (4.3) ---- */

struct assignment *assignment_best(const struct assign_input *input, struct target_list *targets)
{
    struct assignment *full = assignment_make(input, NULL), *partial = NULL;
    struct target_list found = { 0 };

    if (full->mode == MODE_PREEMPT)
        preemption_for_assignment(input, full, &found);
    if (full->mode != MODE_FIT && found.count == 0 && partial_possible(input))
        partial = partial_assignment(input, &found);
    if (full->mode != MODE_FIT && found.count == 0 && !partial)
        return full;
    placement_behind_victims(input, partial ? partial : full, &found);
    if (input->old_slice)
        target_add(targets, input->old_slice, NULL, input->a);
    for (size_t i = 0; i < found.count; i++)
        target_add(targets, found.items[i].item, found.items[i].reason, input->a);
    return partial ? partial : full;
}

/* ---- memory of the scan (4.6) ---- */

static size_t progress_count(const struct assignment *assignment)
{
    size_t count = 0;

    for (size_t s = 0; s < assignment->pod_set_count; s++)
        for (size_t i = 0; i < assignment->pod_sets[s].pick_count; i++)
            count += assignment->pod_sets[s].picks[i].progress != PROGRESS_NONE &&
                     assignment->pod_sets[s].picks[i].flavor != NULL;
    return count;
}

void assignment_record_progress(struct engine *engine, struct item *item,
                                const struct assignment *assignment,
                                const struct cluster_queue_record *queue)
{
    size_t count = progress_count(assignment), n = 0;
    struct progress *progress;

    item_progress_clear(item);
    if (count == 0)
        return;
    progress = mem_alloc(sizeof(*progress) + count * sizeof(progress->entries[0]));
    for (size_t s = 0; s < assignment->pod_set_count; s++)
        for (size_t i = 0; i < assignment->pod_sets[s].pick_count; i++) {
            const struct pick *pick = &assignment->pod_sets[s].picks[i];

            if (pick->progress == PROGRESS_NONE || !pick->flavor)
                continue;
            progress->entries[n++] = (struct scan_progress){ assignment->pod_sets[s].index,
                                                             pick->resource, pick->progress };
            progress->has_untried = progress->has_untried || pick->progress != -1;
        }
    progress->count = n;
    progress->generation = queue_generation(queue);
    progress->equivalence = item->equivalence;
    progress->cycle = engine->cycle;
    item->progress = progress;
}

void assignment_drop_outdated_progress(const struct engine *engine, struct item *item,
                                       const struct cluster_queue_record *queue)
{
    const struct progress *progress = item->progress;

    if (!progress)
        return;
    if (engine->options.gates.preserve_scan_progress) {
        bool known = progress->equivalence != 0 && item->equivalence != 0;

        if (known && progress->equivalence != item->equivalence) {
            item_progress_clear(item);
            return;
        }
        if (progress->cycle >= engine->cycle - 1)
            return;
    }
    if (queue_generation(queue) > progress->generation)
        item_progress_clear(item);
}
