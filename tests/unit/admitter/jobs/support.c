#include "tests/unit/admitter/jobs/support.h"

#include <string.h>

struct world world;

static bool queue_exists(void *context, const char *namespace, const char *name)
{
    (void)context;
    return world.default_queue && strcmp(namespace, "ns") == 0 && strcmp(name, "default") == 0;
}

static bool class_exists(void *context, const char *name)
{
    (void)context;
    return world.default_class && strcmp(name, "default") == 0;
}

static int namespace_managed(void *context, const char *namespace, struct err *e)
{
    (void)context;
    if (world.managed < 0)
        return err_set(e, ERR_NOT_FOUND, "namespaces \"%s\" not found", namespace);
    return world.managed;
}

static bool uses_multikueue(void *context, const char *namespace, const char *queue)
{
    (void)context, (void)namespace;
    return world.multikueue && strcmp(queue, "user-queue") == 0;
}

static int find_owner(void *context, unsigned kind, const char *namespace, const char *name,
                      struct arena *a, struct owner_facts *facts, struct err *e)
{
    (void)context, (void)namespace, (void)a, (void)e;
    if (!world.kinds.items[kind].is_followed)
        return 0;
    for (size_t i = 0; i < world.owner_count; i++) {
        if (strcmp(world.owners[i].name, name) != 0)
            continue;
        *facts = (struct owner_facts){ world.owners[i].uid, world.owners[i].queue_name, false,
                                       world.owners[i].owner };
        return 1;
    }
    return -1;
}

struct job_environment environment = {
    .options = &world.options,
    .local_queue_exists = queue_exists,
    .priority_class_exists = class_exists,
    .namespace_is_managed = namespace_managed,
    .queue_uses_multikueue = uses_multikueue,
    .ancestors = { .kinds = &world.kinds, .find = find_owner },
};

int world_setup(void **state)
{
    static const char *const frameworks[] = { "batch/job" };

    arena_setup(state);
    world = (struct world){ .managed = 1 };
    job_options_default(&world.options);
    owner_kinds_init(&world.kinds, &arena, frameworks, 1, NULL, 0);
    return 0;
}

json_t *job_object(const char *metadata, const char *spec)
{
    AUTO_FREE char *text = mem_format(
        "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'sample-job','namespace':'ns',"
        "'uid':'" OWNER_UID "','resourceVersion':'7'%s%s},'spec':{'template':{'metadata':{},"
        "'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'img:1',"
        "'resources':{'requests':{'cpu':'1'}}}]}}%s%s}}",
        *metadata ? "," : "", metadata, *spec ? "," : "", spec);

    return tree(text);
}

const char *job_errors(const json_t *old_object, const json_t *object)
{
    struct field_errors errors;
    const char *text;

    field_errors_init(&errors, &arena);
    if (old_object)
        batch_job_kind.validate_update(old_object, object, &environment, &errors);
    else
        batch_job_kind.validate_create(object, &environment, &errors);
    text = field_errors_text(&errors);
    return text ? text : "";
}

struct job *job_decoded(const json_t *object)
{
    struct job *job = ARENA_NEW(&arena, struct job);
    struct err e = { 0 };

    if (batch_job_kind.decode(object, &world.options, &arena, job, &e) < 0)
        fail_msg("%s", e.text);
    return job;
}

json_t *job_pod_sets(const json_t *object)
{
    struct err e = { 0 };
    json_t *list = batch_job_kind.pod_sets(object, &world.options, &e);

    if (!list)
        fail_msg("%s", e.text);
    return list;
}
