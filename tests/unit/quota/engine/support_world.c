#include "support_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EPOCH INT64_C(1700000000)

int64_t at(int64_t seconds)
{
    return (EPOCH + seconds) * NANOSECONDS_PER_SECOND;
}

void world_options(struct world *world)
{
    memset(world, 0, sizeof(*world));
    engine_options_default(&world->options);
    world->now = at(10000);
}

void world_begin(struct world *world)
{
    struct namespace_labels namespace = { .name = "ns" };

    world->engine = engine_create(&world->options);
    engine_namespace_put(world->engine, &namespace, world->now);
    world_flavor(world, "f", NULL, NULL);
}

void world_end(struct world *world)
{
    struct err e = { 0 };

    if (engine_verify(world->engine, &e) < 0)
        fail_msg("%s", e.text);
    engine_destroy(world->engine);
    arena_finish(&world->facts);
    arena_finish(&world->answer);
}

int world_setup(void **state)
{
    static struct world world;

    world_options(&world);
    world_begin(&world);
    *state = &world;
    return 0;
}

int world_teardown(void **state)
{
    world_end(*state);
    return 0;
}

static struct quantity quantity_from(const char *text, size_t length)
{
    struct quantity q = { 0 };
    struct err e = { 0 };

    if (quantity_parse((struct str){ text, length }, &q, &e) < 0)
        fail_msg("%s", e.text);
    return q;
}

/* ---- words ---- */

/* Cut the next blank-separated word off; NULL when there is none. */
static char *word_next(struct arena *a, const char **rest)
{
    const char *from = *rest;
    size_t length;

    while (*from == ' ')
        from++;
    length = strcspn(from, " ");
    *rest = from + length;
    return length > 0 ? arena_dup(a, (struct str){ from, length }) : NULL;
}

static const char *value_of(const char *word, const char *key)
{
    size_t length = strlen(key);

    return strncmp(word, key, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

/* ---- quota ---- */

static void limits_read(char *text, struct resource_quota *quota)
{
    char *part = strtok(text, ",");

    quota->nominal = quantity_from(part, strlen(part));
    part = strtok(NULL, ",");
    quota->has_borrowing = part && strcmp(part, "-") != 0;
    if (quota->has_borrowing)
        quota->borrowing = quantity_from(part, strlen(part));
    part = strtok(NULL, ",");
    quota->has_lending = part && strcmp(part, "-") != 0;
    if (quota->has_lending)
        quota->lending = quantity_from(part, strlen(part));
}

static struct flavor_quotas *flavor_slot(struct arena *a, struct resource_group *group,
                                         const char *flavor)
{
    for (size_t i = 0; i < group->flavor_count; i++)
        if (strcmp(group->flavors[i].flavor, flavor) == 0)
            return &group->flavors[i];
    group->flavors[group->flavor_count] =
        (struct flavor_quotas){ .flavor = flavor,
                                .resources = ARENA_ARRAY(a, 8, struct resource_quota) };
    return &group->flavors[group->flavor_count++];
}

static void resource_cover(struct resource_group *group, const char *resource)
{
    for (size_t i = 0; i < group->covered_count; i++)
        if (strcmp(group->covered_resources[i], resource) == 0)
            return;
    group->covered_resources[group->covered_count++] = resource;
}

static struct resource_group *group_new(struct arena *a, struct resource_group *group)
{
    group->covered_resources = ARENA_ARRAY(a, 8, const char *);
    group->flavors = ARENA_ARRAY(a, 8, struct flavor_quotas);
    return group;
}

/* "4,-,-" or "f/cpu=4 f/memory=4Gi | g/gpu=1": groups are separated by "|". */
static struct resource_group *groups_read(struct arena *a, const char *text, size_t *count)
{
    struct resource_group *groups = ARENA_ARRAY(a, 4, struct resource_group), *group = groups;
    char *word;

    *count = 0;
    if (!*text)
        return NULL;
    group_new(a, group);
    *count = 1;
    while ((word = word_next(a, &text))) {
        char *equals = strchr(word, '='), *slash = strchr(word, '/');
        const char *flavor = "f", *resource = "cpu";
        struct flavor_quotas *quotas;

        if (strcmp(word, "|") == 0) {
            group = group_new(a, &groups[(*count)++]);
            continue;
        }
        if (equals) {
            *equals = *slash = '\0';
            flavor = word;
            resource = slash + 1;
            word = equals + 1;
        }
        resource_cover(group, resource);
        quotas = flavor_slot(a, group, flavor);
        quotas->resources[quotas->resource_count].resource = resource;
        limits_read(word, &quotas->resources[quotas->resource_count++]);
    }
    return groups;
}

/* ---- facts ---- */

void world_flavor(struct world *world, const char *name, const char *label, const char *value)
{
    struct label one = { label, value };
    struct resource_flavor flavor = { .name = name,
                                      .node_labels = &one,
                                      .node_label_count = label ? 1 : 0 };

    engine_flavor_put(world->engine, &flavor, world->now);
}

void world_cohort(struct world *world, const char *name, const char *parent, const char *quota)
{
    const char *rest = quota;
    char *last = strstr(quota, "weight=");
    struct cohort cohort = { .name = name, .parent = parent };

    if (last) {
        cohort.has_weight = true;
        cohort.weight = quantity_from(last + 7, strlen(last + 7));
        rest = arena_dup(&world->facts, (struct str){ quota, (size_t)(last - quota) });
    }
    cohort.groups = groups_read(&world->facts, rest, &cohort.group_count);
    engine_cohort_put(world->engine, &cohort, world->now);
}

static enum preemption_policy policy_read(const char *text)
{
    if (strncmp(text, "LowerPriority", 13) == 0)
        return PREEMPT_LOWER_PRIORITY;
    if (strcmp(text, "LowerOrNewerEqualPriority") == 0)
        return PREEMPT_LOWER_OR_NEWER_EQUAL_PRIORITY;
    return strcmp(text, "Any") == 0 ? PREEMPT_ANY : PREEMPT_NEVER;
}

static void rule_read(struct cluster_queue *queue, const char *word)
{
    const char *value;

    if ((value = value_of(word, "within")))
        queue->within_cluster_queue = policy_read(value);
    else if ((value = value_of(word, "reclaim")))
        queue->reclaim_within_cohort = policy_read(value);
    else if ((value = value_of(word, "borrow"))) {
        queue->borrow_within_cohort = policy_read(value);
        queue->has_borrow_threshold = strchr(value, ':') != NULL;
        if (queue->has_borrow_threshold)
            queue->borrow_threshold = (int32_t)strtol(strchr(value, ':') + 1, NULL, 10);
    } else if ((value = value_of(word, "weight"))) {
        queue->has_weight = true;
        queue->weight = quantity_from(value, strlen(value));
    } else if ((value = value_of(word, "generation")))
        queue->generation = strtol(value, NULL, 10);
    else if (strcmp(word, "strict") == 0)
        queue->strategy = QUEUE_STRICT_FIFO;
    else if (strcmp(word, "stopped") == 0)
        queue->stop_policy = STOP_HOLD;
    else if (strcmp(word, "ignore") == 0)
        queue->ignore_undeclared = true;
    else if (strcmp(word, "afs") == 0)
        queue->usage_based_admission = true;
    else if (strcmp(word, "canborrow=TryNext") == 0)
        queue->when_can_borrow = FUNGIBILITY_TRY_NEXT_FLAVOR;
    else if (strcmp(word, "canpreempt=MayStop") == 0)
        queue->when_can_preempt = FUNGIBILITY_MAY_STOP_SEARCH;
    else if (strcmp(word, "prefer=borrow") == 0)
        queue->preference = PREFERENCE_BORROWING_OVER_PREEMPTION;
    else if (strcmp(word, "prefer=preempt") == 0)
        queue->preference = PREFERENCE_PREEMPTION_OVER_BORROWING;
    else
        fail_msg("rule %s", word);
}

void world_queue(struct world *world, const char *name, const char *cohort, const char *quota,
                 const char *rules)
{
    struct cluster_queue queue = { .name = name,
                                   .cohort = cohort,
                                   .namespace_selector = { .present = true },
                                   .when_can_preempt = FUNGIBILITY_TRY_NEXT_FLAVOR };
    struct admission_check_rule check = { 0 };
    struct local_queue local = { .namespace = "ns", .name = name, .cluster_queue = name };
    char *word;

    while ((word = word_next(&world->facts, &rules))) {
        if (value_of(word, "check")) {
            check.name = value_of(word, "check");
            queue.checks = &check;
            queue.check_count = 1;
        } else {
            rule_read(&queue, word);
        }
    }
    queue.groups = groups_read(&world->facts, quota, &queue.group_count);
    engine_cluster_queue_put(world->engine, &queue, world->now);
    engine_local_queue_put(world->engine, &local, world->now);
}

/* ---- workloads ---- */

void world_condition(struct world *world, struct workload *workload, const char *type, bool is_true,
                     const char *reason, int64_t since)
{
    struct condition *grown =
        ARENA_ARRAY(&world->facts, workload->condition_count + 1, struct condition);

    if (workload->condition_count > 0)
        memcpy(grown, workload->conditions, workload->condition_count * sizeof(*grown));
    grown[workload->condition_count++] =
        (struct condition){ .type = type,
                            .status = is_true ? CONDITION_TRUE : CONDITION_FALSE,
                            .reason = reason,
                            .message = "",
                            .transition = since };
    workload->conditions = grown;
}

static struct resource_list requests_read(struct arena *a, const char *text,
                                          struct resource_flavor_use *uses)
{
    struct resource_list list = { ARENA_ARRAY(a, 8, struct resource_quantity), 0 };
    char *word;

    while ((word = word_next(a, &text))) {
        char *equals = strchr(word, '='), *flavor = strchr(word, '@');

        *equals = '\0';
        if (flavor)
            *flavor = '\0';
        list.items[list.count].name = word;
        list.items[list.count].quantity = quantity_from(equals + 1, strlen(equals + 1));
        uses[list.count] = (struct resource_flavor_use){ word, flavor ? flavor + 1 : "f", true,
                                                         list.items[list.count].quantity };
        list.count++;
    }
    return list;
}

struct workload *world_workload(struct world *world, const char *queue, const char *name,
                                int priority, const char *requests)
{
    struct arena *a = &world->facts;
    struct workload *workload = ARENA_NEW(a, struct workload);
    struct pod_set *pod_set = ARENA_NEW(a, struct pod_set);
    struct container *container = ARENA_NEW(a, struct container);
    struct pod_set_assignment *assigned = ARENA_NEW(a, struct pod_set_assignment);

    assigned->uses = ARENA_ARRAY(a, 8, struct resource_flavor_use);
    container->name = "c";
    container->requests = requests_read(a, requests, assigned->uses);
    assigned->use_count = container->requests.count;
    assigned->pod_set = pod_set->name = "main";
    assigned->count = pod_set->count = 1;
    pod_set->min_count = -1;
    pod_set->pod.containers = container;
    pod_set->pod.container_count = 1;
    *workload = (struct workload){ .namespace = "ns",
                                   .name = name,
                                   .uid = name,
                                   .generation = 1,
                                   .queue_name = queue,
                                   .has_priority = true,
                                   .priority = priority,
                                   .active = true,
                                   .created = at(100 + world->count++),
                                   .requeue_at = TIME_NONE,
                                   .pod_sets = pod_set,
                                   .pod_set_count = 1 };
    workload->admission.pod_sets = assigned;
    workload->admission.pod_set_count = 1;
    return workload;
}

void world_holds(struct world *world, const char *queue, const char *name, int priority,
                 const char *requests, int since)
{
    struct workload *workload = world_workload(world, queue, name, priority, requests);

    workload->admission.cluster_queue = queue;
    world_condition(world, workload, "QuotaReserved", true, "QuotaReserved", at(since));
    world_condition(world, workload, "Admitted", true, "Admitted", at(since));
    engine_workload_put(world->engine, workload, world->now);
}

void world_waits(struct world *world, const char *queue, const char *name, int priority,
                 const char *requests, int created)
{
    struct workload *workload = world_workload(world, queue, name, priority, requests);

    workload->created = at(created);
    engine_workload_put(world->engine, workload, world->now);
}

void world_finish(struct world *world, const char *name)
{
    engine_workload_remove(world->engine, "ns", name, world->now);
}

void world_pass(struct world *world, int64_t seconds)
{
    world->now += seconds * NANOSECONDS_PER_SECOND;
    engine_advance(world->engine, world->now);
}

/* ---- answers ---- */

const char *world_cycle(struct world *world)
{
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;

    arena_reset(&world->answer);
    engine_cycle(world->engine, world->now, &world->answer, &world->cycle);
    for (size_t i = 0; i < world->cycle.count; i++) {
        const struct decision *d = &world->cycle.decisions[i];

        strbuf_printf(&out, "%s%s %s", i > 0 ? "; " : "", d->name, outcome_name(d->outcome));
        for (size_t v = 0; v < d->victim_count; v++)
            strbuf_printf(&out, " %s:%s", d->victims[v].name, d->victims[v].reason);
    }
    return arena_dup(&world->answer, strbuf_view(&out));
}

const struct decision *world_decision(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->cycle.count; i++)
        if (strcmp(world->cycle.decisions[i].name, name) == 0)
            return &world->cycle.decisions[i];
    fail_msg("no decision about %s", name);
    return NULL;
}

const char *world_pending(struct world *world, const char *queue)
{
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    size_t count;
    struct queued_workload *list;

    list = engine_queue_list(world->engine, queue, &world->answer, &count);
    strbuf_puts(&out, "heap:");
    for (size_t i = 0; i < count; i++)
        if (!list[i].parked)
            strbuf_printf(&out, " %s", list[i].name);
    strbuf_puts(&out, "; parked:");
    for (size_t i = 0; i < count; i++)
        if (list[i].parked)
            strbuf_printf(&out, " %s", list[i].name);
    return arena_dup(&world->answer, strbuf_view(&out));
}
