#include "quota/engine/flavor_scan.h"

#include <string.h>

#include "quota/engine/eligibility.h"

struct grade { /* the finer mode of 4.4 */
    enum scan_mode mode;
    int32_t level;
    bool is_without_candidates; /* see struct pick */
};
static const struct grade WORST = { SCAN_NO_FIT, INT32_MAX, false };

struct trial { /* one flavor under trial, or the best so far */
    const struct group_flavor *flavor;
    struct grade grade;
    struct grade *by_resource; /* by position in pods->total; mode only where touched */
    enum no_fit no_fit;
};

struct scan {
    struct pod_group *pods;
    const struct quota_group *group;
    uint32_t resource;
    struct why_list whys;
    enum no_fit no_fit; /* least severe among the flavors tried */
    bool tried;
    const char *error;
};

/* How much of an FR the groups before this one have taken. */
static int64_t assignment_used(const struct assignment *assignment, uint32_t fr)
{
    for (size_t i = 0; i < assignment->usage_count; i++)
        if (assignment->usage[i].fr == fr)
            return assignment->usage[i].amount;
    return 0;
}

static const char *flavor_name(const struct scan *scan, const struct flavor_record *flavor)
{
    return intern_text(scan->pods->input->engine->flavor_names, flavor->id);
}

/* "a is strictly better than b" (4.5.2). */
static bool preferred(struct grade a, struct grade b, enum fungibility_preference preference)
{
    if (a.mode == SCAN_NO_FIT)
        return false;
    if (b.mode == SCAN_NO_FIT)
        return true;
    if ((a.mode == SCAN_NO_CANDIDATES) != (b.mode == SCAN_NO_CANDIDATES))
        return b.mode == SCAN_NO_CANDIDATES;
    if (preference == PREFERENCE_PREEMPTION_OVER_BORROWING && a.level != b.level)
        return a.level < b.level;
    if (a.mode != b.mode)
        return a.mode > b.mode;
    return a.level < b.level;
}

static bool tries_next(const struct scan *scan, struct grade grade)
{
    const struct cluster_queue *queue = &scan->pods->input->queue->copy;

    if (!scan->pods->input->engine->options.gates.flavor_fungibility)
        return grade.mode != SCAN_FIT;
    if (grade.mode == SCAN_NO_FIT || grade.mode == SCAN_NO_CANDIDATES)
        return true;
    if ((grade.mode == SCAN_PREEMPT || grade.mode == SCAN_RECLAIM) &&
        queue->when_can_preempt == FUNGIBILITY_TRY_NEXT_FLAVOR)
        return true;
    return grade.level > 0 && queue->when_can_borrow == FUNGIBILITY_TRY_NEXT_FLAVOR;
}

static bool replaces_best(const struct scan *scan, struct grade grade, struct grade best)
{
    const struct cluster_queue *queue = &scan->pods->input->queue->copy;

    if (!scan->pods->input->engine->options.gates.flavor_fungibility)
        return grade.mode > best.mode;
    return preferred(grade, best, queue->preference);
}

/* ---- one flavor, one resource (4.5.3) ---- */

static bool may_borrow_by_preemption(const struct assign_input *input)
{
    const struct cluster_queue *queue = &input->queue->copy;

    return queue->borrow_within_cohort != PREEMPT_NEVER ||
           (input->engine->options.fair_sharing && queue->reclaim_within_cohort != PREEMPT_NEVER);
}

static int64_t slice_amount(const struct pod_group *pods, uint32_t fr)
{
    const struct item *old = pods->input->old_slice;
    int64_t sum = 0;

    if (!old)
        return 0;
    for (size_t i = 0; i < old->reservation->row_count; i++)
        for (size_t m = 0; m < pods->member_count; m++)
            if (old->reservation->rows[i].fr == fr &&
                old->reservation->rows[i].pod_set == pods->members[m]->index)
                sum = amount_add(sum, old->reservation->rows[i].amount);
    return sum;
}

static struct grade classify(struct scan *scan, struct flavor_record *flavor,
                             const struct pick *total, uint32_t fr, enum no_fit *no_fit)
{
    const struct assign_input *input = scan->pods->input;
    const struct node *node = &input->queue->node;
    int64_t assumed = assignment_used(scan->pods->out, fr);
    int64_t request = amount_sub(total->amount, slice_amount(scan->pods, fr));
    int64_t value = amount_add(assumed, request), potential = node_potential(node, fr), available;
    struct grade grade;
    bool smaller;

    if (value > potential) {
        why_add(&scan->whys,
                (struct why){ WHY_EXCEEDS_MAXIMUM, flavor_name(scan, flavor), total->name, NULL,
                              assumed, request, potential },
                input->a);
        *no_fit = NO_FIT_EXCEEDS;
        return (struct grade){ SCAN_NO_FIT, 0, false };
    }
    grade.level = node_level(node, fr, value, &smaller);
    available = node_available_clamped(node, fr);
    if (value <= available)
        return (struct grade){ SCAN_FIT, grade.level, false };
    why_add(&scan->whys,
            (struct why){ WHY_LACKS_UNUSED, flavor_name(scan, flavor), total->name, NULL,
                          amount_sub(value, available), 0, 0 },
            input->a);
    if (node_cell(node, fr)->nominal >= value || smaller || may_borrow_by_preemption(input)) {
        bool has_candidates;

        grade.mode = preemption_oracle(input, fr, value, &grade.level, &has_candidates);
        grade.is_without_candidates = !has_candidates;
        return grade;
    }
    *no_fit = NO_FIT_WAITING;
    return (struct grade){ SCAN_NO_FIT, grade.level, false };
}

/* ---- one flavor ---- */

static size_t group_place(const struct quota_group *group, uint32_t resource)
{
    size_t i = 0;

    while (i < group->resource_count && group->resources[i] != resource)
        i++;
    return i;
}

static void trial_resources(struct scan *scan, struct trial *trial)
{
    struct pod_group *pods = scan->pods;
    enum fungibility_preference preference = pods->input->queue->copy.preference;

    trial->grade = (struct grade){ SCAN_FIT, 0, false };
    for (size_t i = 0; i < pods->total_count; i++) {
        size_t place = group_place(scan->group, pods->total[i].resource);
        enum no_fit no_fit = NO_FIT_NONE;
        struct grade grade;

        if (place == scan->group->resource_count)
            continue;
        grade = classify(scan, trial->flavor->flavor, &pods->total[i], trial->flavor->frs[place],
                         &no_fit);
        if (no_fit > trial->no_fit)
            trial->no_fit = no_fit;
        if (preferred(trial->grade, grade, preference))
            trial->grade = grade;
        trial->by_resource[i] = grade;
    }
}

/* The flavor of the slice that is replaced must stay. */
static bool slice_agrees(struct scan *scan, const struct flavor_record *flavor)
{
    const struct pod_group *pods = scan->pods;
    const struct item *old = pods->input->old_slice;
    struct engine *engine = pods->input->engine;

    if (!old)
        return true;
    for (size_t i = 0; i < old->reservation->row_count; i++) {
        const struct hold_row *row = &old->reservation->rows[i];
        const struct fr_names *names = &engine->frs[row->fr];

        if (row->pod_set != pods->members[0]->index ||
            group_place(scan->group, names->resource) == scan->group->resource_count ||
            names->flavor == flavor->id)
            continue;
        why_add(&scan->whys,
                (struct why){ WHY_OTHER_SLICE_FLAVOR, flavor_name(scan, flavor), NULL,
                              intern_text(engine->flavor_names, names->flavor), 0, 0, 0 },
                pods->input->a);
        return false;
    }
    return true;
}

/* A recomputation stays with the flavors that were nominated before (4.9 step 2). */
static bool was_nominated(struct scan *scan, const struct flavor_record *flavor)
{
    const struct assignment *before = scan->pods->input->nominated;

    if (!before)
        return true;
    for (size_t m = 0; m < scan->pods->member_count; m++)
        for (size_t s = 0; s < before->pod_set_count; s++) {
            const struct pod_set_pick *old = &before->pod_sets[s];

            if (old->index != scan->pods->members[m]->index)
                continue;
            for (size_t i = 0; i < old->pick_count; i++)
                if (old->picks[i].resource == scan->resource && old->picks[i].flavor == flavor)
                    return true;
        }
    why_add(&scan->whys,
            (struct why){ WHY_NOT_NOMINATED, flavor_name(scan, flavor),
                          intern_text(scan->pods->input->engine->resource_names, scan->resource),
                          NULL, 0, 0, 0 },
            scan->pods->input->a);
    return false;
}

/* The annotation is a comma-separated list (gate ConcurrentAdmission). */
static bool is_allowed(struct scan *scan, const struct flavor_record *flavor)
{
    const struct assign_input *input = scan->pods->input;
    const char *allowed = input->item->extra ? input->item->extra->allowed_flavors : NULL;
    struct str rest = str_of(allowed), head;
    bool more = true;

    if (!allowed || !input->engine->options.gates.concurrent_admission)
        return true;
    while (more) {
        more = str_cut(rest, ',', &head, &rest);
        if (str_is(str_trim(head), flavor_name(scan, flavor)))
            return true;
    }
    why_add(&scan->whys,
            (struct why){ WHY_TEXT, NULL, NULL,
                          arena_format(input->a,
                                       "skipping flavor %s due to "
                                       "WorkloadAllowedResourceFlavorAnnotation annotation",
                                       flavor_name(scan, flavor)),
                          0, 0, 0 },
            input->a);
    return false;
}

static bool queue_is_implied_topology(const struct cluster_queue_record *queue)
{
    for (size_t g = 0; g < queue->group_count; g++)
        for (size_t f = 0; f < queue->groups[g].flavor_count; f++)
            if (!queue->groups[g].flavors[f].flavor->copy.topology)
                return false;
    return queue->group_count > 0;
}

static bool requests_covered(const struct scan *scan, const struct pod_set_pick *member)
{
    for (size_t i = 0; i < member->pick_count; i++)
        if (member->picks[i].resource != scan->pods->input->engine->pods_resource &&
            group_place(scan->group, member->picks[i].resource) < scan->group->resource_count)
            return true;
    return false;
}

static enum eligibility eligible(struct scan *scan, struct flavor_record *flavor)
{
    const struct assign_input *input = scan->pods->input;
    size_t count = scan->pods->member_count;
    const struct pod_template **pods = ARENA_ARRAY(input->a, count, const struct pod_template *);
    enum topology_match *matches = ARENA_ARRAY(input->a, count, enum topology_match);
    bool topologies = input->engine->options.gates.topology_aware;
    enum eligibility answer;
    const char *reason = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct shape *shape = input->item->pod_sets[scan->pods->members[i]->index].shape;
        struct topology_facts facts = {
            .enabled = topologies,
            .implied = topologies && queue_is_implied_topology(input->queue),
            .requests_covered = topologies && requests_covered(scan, scan->pods->members[i]),
            .topology = topology_find(input->engine, flavor->copy.topology),
        };

        pods[i] = shape->adjusted;
        matches[i] = topology_match(&shape->pod_set->topology, &flavor->copy, &facts);
    }
    answer = flavor_eligible(intern_text(input->engine->flavor_names, flavor->id),
                             flavor->exists ? &flavor->copy : NULL, pods, count, matches, input->a,
                             &reason);
    if (answer == INELIGIBLE)
        why_add(&scan->whys, (struct why){ WHY_TEXT, NULL, NULL, reason, 0, 0, 0 }, input->a);
    if (answer == ELIGIBILITY_ERROR)
        scan->error = reason;
    return answer;
}

static void attempt_add(struct scan *scan, const struct flavor_record *flavor, struct grade grade,
                        size_t first_why)
{
    struct pod_set_pick *member = scan->pods->members[0];
    struct arena *a = scan->pods->input->a;

    if (member->attempt_count == member->attempt_capacity) {
        size_t capacity = member->attempt_capacity == 0 ? 4 : member->attempt_capacity * 2;
        struct attempt *grown = ARENA_ARRAY(a, capacity, struct attempt);

        if (member->attempt_count > 0)
            memcpy(grown, member->attempts, member->attempt_count * sizeof(*grown));
        member->attempts = grown;
        member->attempt_capacity = capacity;
    }
    member->attempts[member->attempt_count++] = (struct attempt){
        intern_text(scan->pods->input->engine->flavor_names, flavor->id), grade.mode, grade.level,
        scan->whys.items ? scan->whys.items + first_why : NULL, scan->whys.count - first_why
    };
}

static void count_no_fit(struct scan *scan, enum no_fit no_fit)
{
    if (no_fit == NO_FIT_NONE)
        return;
    if (!scan->tried || no_fit < scan->no_fit)
        scan->no_fit = no_fit;
    scan->tried = true;
}

/* Look at one flavor. False: it is out, or (scan->error) the scan is over. */
static bool flavor_try(struct scan *scan, struct trial *trial)
{
    struct flavor_record *flavor = trial->flavor->flavor;
    size_t first_why = scan->whys.count;

    if (!was_nominated(scan, flavor) || !is_allowed(scan, flavor) ||
        eligible(scan, flavor) != ELIGIBLE || !slice_agrees(scan, flavor)) {
        count_no_fit(scan, NO_FIT_NO_MATCH);
        attempt_add(scan, flavor, WORST, first_why);
        return false;
    }
    trial_resources(scan, trial);
    if (trial->grade.mode == SCAN_NO_FIT)
        count_no_fit(scan, trial->no_fit);
    attempt_add(scan, flavor, trial->grade, first_why);
    return trial->grade.mode != SCAN_NO_FIT;
}

/* ---- the pass ---- */

static size_t scan_start(const struct scan *scan)
{
    const struct progress *progress = scan->pods->input->item->progress;

    if (!progress || !scan->pods->input->engine->options.gates.flavor_fungibility)
        return 0;
    for (size_t i = 0; i < progress->count; i++) {
        const struct scan_progress *entry = &progress->entries[i];

        if (entry->pod_set == scan->pods->members[0]->index && entry->resource == scan->resource) {
            size_t start = (size_t)((int64_t)entry->value + 1);

            return start < scan->group->flavor_count ? start : 0;
        }
    }
    return 0;
}

static enum fit_mode fit_mode_of(enum scan_mode mode)
{
    if (mode == SCAN_FIT)
        return MODE_FIT;
    return mode == SCAN_NO_FIT ? MODE_NO_FIT : MODE_PREEMPT;
}

static void pick_set(struct pick *pick, const struct scan *scan, const struct trial *best,
                     struct grade grade, int32_t progress)
{
    size_t place = group_place(scan->group, pick->resource);

    pick->flavor = best->flavor->flavor;
    pick->fr = best->flavor->frs[place];
    pick->mode = fit_mode_of(grade.mode);
    pick->level = grade.level;
    pick->is_without_candidates = grade.is_without_candidates;
    pick->progress = progress;
}

static void choice_keep(struct scan *scan, const struct trial *best, int32_t progress)
{
    struct pod_group *pods = scan->pods;

    for (size_t i = 0; i < pods->total_count; i++) {
        struct pick *total = &pods->total[i];

        if (group_place(scan->group, total->resource) == scan->group->resource_count)
            continue;
        pick_set(total, scan, best, best->by_resource[i], progress);
        for (size_t m = 0; m < pods->member_count; m++)
            for (size_t k = 0; k < pods->members[m]->pick_count; k++)
                if (pods->members[m]->picks[k].resource == total->resource)
                    pick_set(&pods->members[m]->picks[k], scan, best, best->by_resource[i],
                             progress);
    }
}

static void reasons_keep(struct scan *scan)
{
    struct pod_group *pods = scan->pods;

    if (pods->member_count == 1 && pods->members[0]->whys.count == 0) {
        pods->members[0]->whys = scan->whys;
        return;
    }
    for (size_t m = 0; m < pods->member_count; m++)
        for (size_t i = 0; i < scan->whys.count; i++)
            why_add(&pods->members[m]->whys, scan->whys.items[i], pods->input->a);
}

/* The least severe flavor speaks for its group, the most severe group for the pod set (4.5.6). A
 * group that found a flavor speaks, too, once another one fails. */
static void no_fit_keep(const struct scan *scan)
{
    for (size_t m = 0; scan->tried && m < scan->pods->member_count; m++)
        if (scan->no_fit > scan->pods->members[m]->no_fit)
            scan->pods->members[m]->no_fit = scan->no_fit;
}

static void failure_keep(struct scan *scan)
{
    for (size_t m = 0; m < scan->pods->member_count; m++) {
        struct pod_set_pick *member = scan->pods->members[m];

        member->whys.count = 0;
        member->failed = true;
        member->error = scan->error;
        if (!scan->tried)
            member->no_fit = NO_FIT_NO_MATCH;
    }
    reasons_keep(scan);
}

enum scan_end flavor_scan(struct pod_group *pods, const struct quota_group *group,
                          uint32_t resource)
{
    struct scan scan = { .pods = pods, .group = group, .resource = resource };
    struct trial best = { .grade = WORST };
    bool remembers = pods->input->engine->options.gates.flavor_fungibility;
    size_t last = 0;

    for (size_t i = scan_start(&scan); i < group->flavor_count && !scan.error; i++) {
        struct trial trial = { .flavor = &group->flavors[i], .grade = WORST };

        last = i;
        trial.by_resource = ARENA_ARRAY(pods->input->a, pods->total_count, struct grade);
        if (!flavor_try(&scan, &trial))
            continue;
        if (!tries_next(&scan, trial.grade)) {
            best = trial;
            break;
        }
        if (replaces_best(&scan, trial.grade, best.grade))
            best = trial;
    }
    no_fit_keep(&scan);
    if (scan.error || !best.flavor) {
        failure_keep(&scan);
        return scan.error ? SCAN_ERROR : SCAN_NONE;
    }
    choice_keep(&scan, &best,
                !remembers                        ? PROGRESS_NONE
                : last + 1 == group->flavor_count ? -1
                                                  : (int32_t)last);
    if (best.grade.mode != SCAN_FIT)
        reasons_keep(&scan);
    return SCAN_FOUND;
}
