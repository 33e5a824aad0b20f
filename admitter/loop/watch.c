#include "admitter/loop/watch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include "admitter/kube/reflector.h"
#include "admitter/loop/writes.h"
#include "admitter/objects/names.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

struct watch {
    struct watch_set *set;
    enum event_kind kind;
    unsigned job_kind;
    struct kube_reflector *reflector;
};

struct watch_set {
    struct loop *loop;
    const struct loop_settings *settings;
    struct kube_client *client;
    struct watch *watches;
    size_t count;
    atomic_bool has_pods;
};

/* Parts that need no queues at all watch jobs and what their Workloads are made of. */
static bool is_wanted(const struct loop_settings *settings, enum event_kind kind)
{
    bool deciding = settings->components & (COMPONENT_CORE | COMPONENT_SCHEDULER);

    switch (kind) {
    case EVENT_LIMIT_RANGE:
    case EVENT_RUNTIME_CLASS:
    case EVENT_COHORT:
    case EVENT_TOPOLOGY:
        return deciding;
    case EVENT_DEVICE_CLASS:
    case EVENT_CLAIM_TEMPLATE:
        return deciding && settings->engine.gates.dra_integration;
    case EVENT_DEVICE_SLICE: /* without mappings nothing is charged, whatever there is */
        return is_wanted(settings, EVENT_DEVICE_CLASS) && settings->engine.device_mapping_count > 0;
    case EVENT_JOB: /* kinds of their own number */
    case EVENT_OWNER:
    case EVENT_POD: /* when there are elastic jobs */
        return false;
    case EVENT_WORKLOAD:
    case EVENT_FLAVOR:
        return deciding || settings->job_reconcilers;
    default:
        return true;
    }
}

void watch_wanted(const struct loop_settings *settings, unsigned *kinds, unsigned *jobs)
{
    *kinds = 0;
    for (unsigned kind = 0; kind < EVENT_OBJECT_KINDS; kind++)
        if (is_wanted(settings, kind))
            *kinds |= 1u << kind;
    *jobs = settings->job_reconcilers | settings->job_webhooks;
}

static void push_synced(const struct watch *watch)
{
    struct loop_event *event = event_create(EVENT_SYNCED);

    event->synced_kind = watch->kind;
    event->synced_job = watch->job_kind;
    loop_push(watch->set->loop, event);
}

static void changed(void *context, const struct kube_change *change)
{
    const struct watch *watch = context;
    struct loop_event *event;
    struct err e = { 0 };

    if (change->kind == KUBE_SYNCED) {
        push_synced(watch);
        return;
    }
    if (change->kind == KUBE_ABSENT)
        return;
    if (change->kind == KUBE_DELETED)
        event =
            event_gone(watch->kind, watch->job_kind, change->namespace, change->name, change->uid);
    else
        event = event_decode(watch->kind, watch->job_kind, &watch->set->settings->jobs,
                             change->object, &e);
    if (event) {
        loop_push(watch->set->loop, event);
        return;
    }
    {
        AUTO_FREE char *name = mem_dup_n(change->name.text, change->name.length);
        AUTO_FREE char *namespace = mem_dup_n(change->namespace.text, change->namespace.length);

        LOG(LOG_ERROR, "an object cannot be understood and is left out", KI("kind", watch->kind),
            KS("namespace", namespace), KS("name", name), KS("error", e.text));
    }
}

static void add(struct watch_set *set, struct kube_client *client, enum event_kind kind,
                unsigned job_kind)
{
    struct watch *watch = &set->watches[set->count++];
    struct kube_reflector_options options = { .change = changed, .context = watch };
    struct kube_resource buffer;

    *watch = (struct watch){ set, kind, job_kind, NULL };
    if (kind == EVENT_OWNER) {
        const struct owner_kind *owner = &set->settings->owners.items[job_kind];

        options.resource = (struct kube_resource){ owner->group, owner->version, owner->plural };
        options.metadata_only = options.optional = true;
    } else {
        options.resource = *event_resource(kind, job_kind, &buffer);
    }
    if (kind == EVENT_DEVICE_CLASS || kind == EVENT_CLAIM_TEMPLATE || kind == EVENT_DEVICE_SLICE)
        options.optional = options.forbidden_is_absent = true;
    if (kind == EVENT_POD)
        options.label_selector = LABEL_POD_SET;
    watch->reflector = kube_reflector_create(client, &options);
}

struct watch_set *watch_set_create(struct kube_client *client, struct loop *loop,
                                   const struct loop_settings *settings)
{
    struct watch_set *set = mem_alloc(sizeof(*set));
    unsigned kinds, jobs;

    set->client = client;
    set->loop = loop;
    set->settings = settings;
    loop->watches = set;
    set->watches = mem_array(EVENT_OBJECT_KINDS + settings->owners.count, sizeof(*set->watches));
    watch_wanted(settings, &kinds, &jobs);
    for (unsigned kind = 0; kind < EVENT_OBJECT_KINDS; kind++)
        if (kinds & (1u << kind))
            add(set, client, kind, 0);
    for (unsigned i = 0; i < settings->owners.built; i++)
        if (jobs & (1u << i))
            add(set, client, EVENT_JOB, i);
    /* Nothing waits for these: the right to read them may be missing. */
    for (unsigned i = (unsigned)settings->owners.built; jobs && i < settings->owners.count; i++)
        if (settings->owners.items[i].is_followed)
            add(set, client, EVENT_OWNER, i);
    return set;
}

void watch_set_relist(struct watch_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        kube_reflector_relist(set->watches[i].reflector);
}

struct pods_command {
    struct kube_command command;
    struct watch_set *set;
};

static void pods_drop(struct message *m)
{
    free(m);
}

static void pods_run(struct kube_command *command, struct kube_client *client)
{
    add(((struct pods_command *)command)->set, client, EVENT_POD, 0);
    free(command);
}

void watch_set_pods(struct watch_set *set)
{
    struct pods_command *command;

    if (atomic_exchange(&set->has_pods, true))
        return;
    command = mem_alloc(sizeof(*command));
    command->command.message.drop = pods_drop;
    command->command.run = pods_run;
    command->set = set;
    kube_client_post(set->client, &command->command);
}

void watch_set_destroy(struct watch_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        kube_reflector_destroy(set->watches[i].reflector);
    free(set->watches);
    free(set);
}
