#include "quota/engine/placement.h"

#include <string.h>

#include "quota/engine/eligibility.h"

static const char *flavor_of(const struct engine *engine, const struct pod_set_pick *pod_set)
{
    for (size_t i = 0; i < pod_set->pick_count; i++)
        if (pod_set->picks[i].flavor && pod_set->picks[i].flavor->copy.topology)
            return intern_text(engine->flavor_names, pod_set->picks[i].flavor->id);
    return NULL;
}

/* Pod sets with pods on a flavor that has a topology. */
static size_t requests_gather(const struct placement_question *question,
                              struct placement_request *requests)
{
    const struct assignment *assignment = question->assignment;
    size_t count = 0;

    for (size_t i = 0; i < assignment->pod_set_count; i++) {
        const struct pod_set_pick *pod_set = &assignment->pod_sets[i];
        const struct pod_set *declared = question->item->pod_sets[pod_set->index].shape->pod_set;
        const char *flavor = flavor_of(question->engine, pod_set);

        if (flavor && pod_set->count > 0)
            requests[count++] = (struct placement_request){ question->item->namespace->name,
                                                            item_name(question->item),
                                                            declared->name,
                                                            flavor,
                                                            &declared->topology,
                                                            pod_set->count };
    }
    return count;
}

bool placement_holds(const struct placement_question *question, struct placement_failure *failure)
{
    const struct engine_hooks *hooks = question->engine->hooks;
    struct placement_request *requests;
    const char **victims;
    size_t count;

    if (!hooks || !hooks->place || !question->engine->options.gates.topology_aware)
        return true;
    requests =
        ARENA_ARRAY(question->a, question->assignment->pod_set_count + 1, struct placement_request);
    count = requests_gather(question, requests);
    if (count == 0)
        return true;
    victims = ARENA_ARRAY(question->a, question->victim_count + 1, const char *);
    for (size_t i = 0; i < question->victim_count; i++)
        victims[i] = question->victims[i]->key;
    return hooks->place(hooks->context, requests, count, victims, question->victim_count,
                        question->empty, failure, question->a);
}

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

void placement_apply(const struct assign_input *input, struct assignment *assignment)
{
    struct placement_question question = {
        .engine = input->engine, .item = input->item, .assignment = assignment, .a = input->a
    };
    struct placement_failure failure = { 0 };

    if (assignment->mode == MODE_FIT && !placement_holds(&question, &failure)) {
        failure_record(input, assignment, &failure);
        assignment->mode = MODE_PREEMPT;
        topology_picks_lower(assignment);
    }
    if (assignment->mode != MODE_PREEMPT)
        return;
    question.empty = true;
    if (placement_holds(&question, &failure)) {
        if (input->engine->hooks && input->engine->hooks->place)
            topology_picks_lower(assignment);
        return;
    }
    failure_record(input, assignment, &failure);
    assignment->mode = MODE_NO_FIT;
    assignment->no_fit = NO_FIT_TOPOLOGY;
}
