#include "quota/engine/placement.h"

#include <string.h>

#include "quota/engine/eligibility.h"

/* ---- what is asked ---- */

static const struct flavor_record *flavor_of(const struct pod_set_pick *pod_set)
{
    for (size_t i = 0; i < pod_set->pick_count; i++)
        if (pod_set->picks[i].flavor && pod_set->picks[i].flavor->copy.topology)
            return pod_set->picks[i].flavor;
    return NULL;
}

/* The pod sets of an assignment that need a place, side by side with what is known about it. */
struct gathered {
    struct placement_request *requests;
    struct placement *placements;
    struct pod_set_pick **pod_sets;
    size_t count;
};

static void gather(const struct placement_question *question, struct gathered *out)
{
    struct assignment *assignment = question->assignment;
    size_t most = assignment->pod_set_count + 1;

    out->requests = ARENA_ARRAY(question->a, most, struct placement_request);
    out->placements = ARENA_ARRAY(question->a, most, struct placement);
    out->pod_sets = ARENA_ARRAY(question->a, most, struct pod_set_pick *);
    for (size_t i = 0; i < assignment->pod_set_count; i++) {
        struct pod_set_pick *pod_set = &assignment->pod_sets[i];
        const struct shape *shape = question->item->pod_sets[pod_set->index].shape;
        const struct flavor_record *flavor = flavor_of(pod_set);

        if (!flavor || pod_set->count <= 0 || pod_set->placement.is_delayed)
            continue;
        out->requests[out->count] = (struct placement_request){
            .namespace = question->item->namespace->name,
            .workload = item_name(question->item),
            .pod_set = shape->pod_set->name,
            .flavor = intern_text(question->engine->flavor_names, flavor->id),
            .topology = &shape->pod_set->topology,
            .pod = shape->adjusted,
            .per_pod = shape->requests,
            .count = pod_set->count,
        };
        out->placements[out->count] = pod_set->placement;
        out->pod_sets[out->count++] = pod_set;
    }
}

static const struct engine_hooks *topology_hooks(const struct engine *engine)
{
    return engine->hooks && engine->hooks->place && engine->options.gates.topology_aware
               ? engine->hooks
               : NULL;
}

static struct placement_scene scene_of(const struct placement_question *question)
{
    const char **gone = ARENA_ARRAY(question->a, question->gone_count + 1, const char *);

    for (size_t i = 0; i < question->gone_count; i++)
        gone[i] = question->gone[i]->key;
    return (struct placement_scene){ gone, question->gone_count, question->is_empty };
}

/* Is there a place now? 'keeps': remember it in the assignment. False fills *failure. */
static bool placement_find(const struct placement_question *question, bool keeps,
                           struct placement_failure *failure)
{
    const struct engine_hooks *hooks = topology_hooks(question->engine);
    struct gathered asked = { 0 };
    struct placement_scene scene;

    if (!hooks)
        return true;
    gather(question, &asked);
    scene = scene_of(question);
    if (asked.count > 0 && !hooks->place(hooks->context, asked.requests, asked.count, &scene,
                                         asked.placements, failure, question->a))
        return false;
    for (size_t i = 0; keeps && i < asked.count; i++)
        asked.pod_sets[i]->placement = asked.placements[i];
    return true;
}

bool placement_still_fits(const struct placement_question *question)
{
    const struct engine_hooks *hooks = topology_hooks(question->engine);
    struct gathered asked = { 0 };
    struct placement_scene scene;

    if (!hooks || !hooks->still_fits)
        return true;
    gather(question, &asked);
    scene = scene_of(question);
    return asked.count == 0 ||
           hooks->still_fits(hooks->context, asked.requests, asked.count, asked.placements, &scene);
}

void placement_plan(const struct placement_question *question)
{
    const struct engine_hooks *hooks = topology_hooks(question->engine);
    struct gathered asked = { 0 };

    if (!hooks || !hooks->plan)
        return;
    gather(question, &asked);
    if (asked.count > 0)
        hooks->plan(hooks->context, asked.requests, asked.count, asked.placements);
}

/* ---- delayed topology (4.11) ---- */

/* Other clusters place the pods themselves, and nodes that are still to be provisioned are not
 * there yet: with such a check on the flavor the place is found in a second pass. */
static bool is_delayed(const struct assign_input *input, const struct flavor_record *flavor)
{
    const char *name = intern_text(input->engine->flavor_names, flavor->id);
    size_t count;
    const char **checks = required_checks(input->engine, input->queue, &name, 1, input->a, &count);

    for (size_t i = 0; i < count; i++) {
        const struct named_check *check = map_get(input->engine->checks, str_of(checks[i]));

        if (check && (strcmp(check->copy.controller, CONTROLLER_MULTIKUEUE) == 0 ||
                      strcmp(check->copy.controller, CONTROLLER_PROVISIONING) == 0))
            return true;
    }
    return false;
}

static void delays_mark(const struct assign_input *input, struct assignment *assignment)
{
    for (size_t i = 0; i < assignment->pod_set_count; i++) {
        const struct flavor_record *flavor = flavor_of(&assignment->pod_sets[i]);

        assignment->pod_sets[i].placement.is_delayed = flavor && is_delayed(input, flavor);
    }
}

/* ---- the mode of an assignment (4.5.5) ---- */

static void failure_record(const struct assign_input *input, struct assignment *assignment,
                           const struct placement_failure *failure)
{
    for (size_t i = 0; i < assignment->pod_set_count; i++) {
        struct pod_set_pick *pod_set = &assignment->pod_sets[i];
        const struct pod_set *declared = input->item->pod_sets[pod_set->index].shape->pod_set;

        if (failure->pod_set && strcmp(declared->name, failure->pod_set) == 0)
            why_add(&pod_set->whys, (struct why){ WHY_TEXT, NULL, NULL, failure->reason, 0, 0, 0 },
                    input->a);
    }
}

static void topology_picks_lower(struct assignment *assignment)
{
    for (size_t i = 0; i < assignment->pod_set_count; i++)
        for (size_t k = 0; k < assignment->pod_sets[i].pick_count; k++) {
            struct pick *pick = &assignment->pod_sets[i].picks[k];

            if (pick->flavor && pick->flavor->copy.topology && pick->mode == MODE_FIT)
                pick->mode = MODE_PREEMPT;
        }
}

/* The slice that is replaced makes place, and so does who is hidden from a recomputation. */
static struct placement_question question_of(const struct assign_input *input,
                                             struct assignment *assignment,
                                             const struct target_list *targets)
{
    size_t victims = targets ? targets->count : 0, count = 0;
    struct item **gone = ARENA_ARRAY(input->a, input->hidden_count + victims + 2, struct item *);

    if (input->old_slice)
        gone[count++] = input->old_slice;
    for (size_t i = 0; i < input->hidden_count; i++)
        gone[count++] = input->hidden[i];
    for (size_t i = 0; i < victims; i++)
        gone[count++] = targets->items[i].item;
    return (struct placement_question){ .engine = input->engine,
                                        .item = input->item,
                                        .assignment = assignment,
                                        .gone = gone,
                                        .gone_count = count,
                                        .a = input->a };
}

void placement_apply(const struct assign_input *input, struct assignment *assignment)
{
    struct placement_question question;
    struct placement_failure failure = { 0 };

    if (!topology_hooks(input->engine))
        return;
    question = question_of(input, assignment, NULL);
    delays_mark(input, assignment);
    if (assignment->mode == MODE_FIT && !placement_find(&question, true, &failure)) {
        failure_record(input, assignment, &failure);
        assignment->mode = MODE_PREEMPT;
        topology_picks_lower(assignment);
    }
    if (assignment->mode != MODE_PREEMPT)
        return;
    question.is_empty = true;
    if (placement_find(&question, true, &failure)) {
        topology_picks_lower(assignment);
        return;
    }
    failure_record(input, assignment, &failure);
    assignment->mode = MODE_NO_FIT;
    assignment->no_fit = NO_FIT_TOPOLOGY;
}

void placement_behind_victims(const struct assign_input *input, struct assignment *assignment,
                              const struct target_list *targets)
{
    struct placement_question question;
    struct placement_failure failure = { 0 };

    if (!topology_hooks(input->engine) || assignment->mode != MODE_PREEMPT || targets->count == 0)
        return;
    question = question_of(input, assignment, targets);
    (void)placement_find(&question, true, &failure); /* the search made sure of it */
}

bool placement_without(const struct assign_input *input, struct assignment *assignment,
                       const struct target_list *victims)
{
    struct placement_question question;
    struct placement_failure failure = { 0 };

    if (!topology_hooks(input->engine))
        return true;
    question = question_of(input, assignment, victims);
    return placement_find(&question, false, &failure);
}
