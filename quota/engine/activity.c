/* Is a ClusterQueue active, and if not, why (spec/scheduling.md 2.5, 8.4). */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

struct problem_list {
    struct strbuf text;
    const char *reason; /* of the first one */
};

struct name_list {
    const char **names;
    size_t count, capacity;
};

static void problem_add(struct problem_list *list, const char *reason)
{
    if (!list->reason)
        list->reason = reason;
    else
        strbuf_puts(&list->text, ", ");
}

static void name_add(struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i], name) == 0)
            return;
    list->names = mem_grow(list->names, list->count, &list->capacity, sizeof(*list->names));
    list->names[list->count++] = name;
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void names_sort(struct name_list *list)
{
    if (list->count > 1)
        qsort(list->names, list->count, sizeof(*list->names), name_compare);
}

static void names_report(struct problem_list *problems, const struct name_list *list,
                         const char *reason, const char *text)
{
    if (list->count == 0)
        return;
    problem_add(problems, reason);
    strbuf_puts(&problems->text, text);
    for (size_t i = 0; i < list->count; i++)
        strbuf_printf(&problems->text, "%s%s", i > 0 ? "," : "", list->names[i]);
}

static void flavors_look(const struct cluster_queue_record *queue, struct name_list *missing)
{
    for (size_t g = 0; g < queue->group_count; g++)
        for (size_t f = 0; f < queue->groups[g].flavor_count; f++)
            if (!queue->groups[g].flavors[f].flavor->exists)
                name_add(missing, queue->copy.groups[g].flavors[f].flavor);
}

struct check_lists {
    struct name_list missing, inactive, multikueue, per_flavor, provisioning;
};

static bool rule_names(const struct admission_check_rule *rule, const char *flavor)
{
    for (size_t i = 0; i < rule->on_flavor_count; i++)
        if (strcmp(rule->on_flavors[i], flavor) == 0)
            return true;
    return rule->on_flavor_count == 0;
}

bool check_is_per_flavor(const struct cluster_queue_record *queue,
                         const struct admission_check_rule *rule)
{
    for (size_t g = 0; g < queue->copy.group_count; g++)
        for (size_t f = 0; f < queue->copy.groups[g].flavor_count; f++)
            if (!rule_names(rule, queue->copy.groups[g].flavors[f].flavor))
                return true;
    return false;
}

static void check_look(const struct engine *engine, const struct cluster_queue_record *queue,
                       const struct admission_check_rule *rule, struct check_lists *lists)
{
    const struct named_check *check = map_get(engine->checks, str_of(rule->name));

    if (!check) {
        name_add(&lists->missing, rule->name);
        return;
    }
    if (!check->copy.active)
        name_add(&lists->inactive, rule->name);
    if (strcmp(check->copy.controller, CONTROLLER_MULTIKUEUE) == 0) {
        name_add(&lists->multikueue, rule->name);
        if (check_is_per_flavor(queue, rule))
            name_add(&lists->per_flavor, rule->name);
    }
    if (strcmp(check->copy.controller, CONTROLLER_PROVISIONING) == 0)
        name_add(&lists->provisioning, rule->name);
}

static void checks_report(const struct check_lists *lists, struct problem_list *problems)
{
    names_report(problems, &lists->missing, "AdmissionCheckNotFound",
                 "references missing AdmissionCheck(s): ");
    names_report(problems, &lists->inactive, "AdmissionCheckInactive",
                 "references inactive AdmissionCheck(s): ");
    if (lists->multikueue.count > 1)
        names_report(problems, &lists->multikueue, "MultipleMultiKueueAdmissionChecks",
                     "Cannot use multiple MultiKueue AdmissionChecks on the same ClusterQueue, "
                     "found: ");
    names_report(problems, &lists->per_flavor, "MultiKueueAdmissionCheckAppliedPerFlavor",
                 "Cannot specify MultiKueue AdmissionCheck per flavor, found: ");
    if (lists->multikueue.count > 0 && lists->provisioning.count > 0) {
        problem_add(problems, "MultiKueueWithProvisioningRequest");
        strbuf_printf(&problems->text,
                      "Cannot use both MultiKueue and ProvisioningRequest AdmissionChecks "
                      "together, found: %s, %s",
                      lists->multikueue.names[0], lists->provisioning.names[0]);
    }
}

static void check_lists_finish(struct check_lists *lists)
{
    free(lists->missing.names);
    free(lists->inactive.names);
    free(lists->multikueue.names);
    free(lists->per_flavor.names);
    free(lists->provisioning.names);
}

static void topologies_report(const struct engine *engine, const struct cluster_queue_record *queue,
                              struct problem_list *problems)
{
    for (size_t g = 0; g < queue->group_count; g++)
        for (size_t f = 0; f < queue->groups[g].flavor_count; f++) {
            const struct flavor_record *flavor = queue->groups[g].flavors[f].flavor;

            if (!flavor->exists || !flavor->copy.topology ||
                topology_find(engine, flavor->copy.topology))
                continue;
            problem_add(problems, "TopologyNotFound");
            strbuf_printf(&problems->text, "there is no Topology \"%s\" for TAS flavor \"%s\"",
                          flavor->copy.topology, flavor->copy.name);
        }
}

static void checks_look(const struct engine *engine, const struct cluster_queue_record *queue,
                        struct check_lists *lists)
{
    for (size_t i = 0; i < queue->copy.check_count; i++)
        check_look(engine, queue, &queue->copy.checks[i], lists);
    names_sort(&lists->missing);
    names_sort(&lists->inactive);
    names_sort(&lists->multikueue);
    names_sort(&lists->per_flavor);
    names_sort(&lists->provisioning);
}

static void problems_find(const struct engine *engine, const struct cluster_queue_record *queue,
                          struct problem_list *problems)
{
    struct check_lists lists = { 0 };
    struct name_list missing = { 0 };

    if (queue->copy.stop_policy != STOP_NONE) {
        problem_add(problems, "Stopped");
        strbuf_puts(&problems->text, "is stopped");
    }
    flavors_look(queue, &missing);
    names_report(problems, &missing, "FlavorNotFound", "references missing ResourceFlavor(s): ");
    checks_look(engine, queue, &lists);
    checks_report(&lists, problems);
    if (engine->options.gates.topology_aware && lists.multikueue.count == 0)
        topologies_report(engine, queue, problems);
    check_lists_finish(&lists);
    free(missing.names);
}

static void activity_set(struct cluster_queue_record *queue, bool active, const char *reason,
                         const char *message)
{
    arena_reset(&queue->activity_memory);
    queue->is_active = active;
    queue->activity_reason = reason;
    queue->activity_message = active ? message : arena_strdup(&queue->activity_memory, message);
}

void activity_update(struct engine *engine, struct cluster_queue_record *queue, int64_t now)
{
    bool was_active = queue->is_active;
    struct problem_list problems = { STRBUF_INIT, NULL };
    AUTO_STRBUF struct strbuf message = STRBUF_INIT;

    if (!queue->exists)
        return;
    problems_find(engine, queue, &problems);
    strbuf_printf(&message, "Can't admit new workloads: %s.",
                  problems.text.text ? problems.text.text : "");
    if (queue->copy.deleting)
        activity_set(queue, false, "Terminating",
                     "Can't admit new workloads; clusterQueue is terminating");
    else if (problems.reason)
        activity_set(queue, false, problems.reason, message.text);
    else
        activity_set(queue, true, "Ready", "Can admit new workloads");
    strbuf_finish(&problems.text);
    queue_changed(engine, queue);
    for (struct local_queue_record *l = queue->local_queues; l; l = l->next)
        local_queue_changed(engine, l);
    if (was_active == queue->is_active)
        return;
    queue->node.in_snapshot = queue->is_active;
    tree_touch(engine, &queue->node);
    pending_ready_update(engine, queue);
    if (queue->is_active)
        tree_unpark(engine, &queue->node, now);
}
