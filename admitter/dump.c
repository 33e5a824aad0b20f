#include "admitter/dump.h"

#include <stdlib.h>
#include <jansson.h>
#include "admitter/debug_state.h"
#include "admitter/loop/loop_private.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"
#include "quota/engine/figures.h"

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* A member as JSON text; heap. */
static char *list_text(const json_t *object, const char *key)
{
    const json_t *list = json_object_get(object, key);

    return list ? json_dumps(list, JSON_COMPACT) : mem_dup("[]");
}

/* Flavors and resources with their nominal quota, in the order of the groups; heap. */
static char *groups_text(struct loop *loop, const char *name)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct strbuf out = STRBUF_INIT;
    size_t count;
    const struct quota_limits *limits =
        engine_cluster_queue_limits(loop->engine, name, &arena, &count);

    strbuf_putc(&out, '[');
    for (size_t i = 0; i < count; i++)
        strbuf_printf(&out, "%s{\"flavor\":\"%s\",\"resource\":\"%s\",\"nominal\":%lld}",
                      i ? "," : "", limits[i].flavor, limits[i].resource,
                      (long long)limits[i].nominal);
    strbuf_putc(&out, ']');
    return strbuf_take(&out);
}

static void dump_queue(struct loop *loop, const json_t *queue)
{
    const char *name = text_of(queue, "name");
    AUTO_FREE char *groups = groups_text(loop, name);
    AUTO_FREE char *usage = list_text(queue, "usage");
    AUTO_FREE char *workloads = list_text(queue, "reserving");
    struct tree_place place = { 0 };
    bool has_cohort =
        engine_cluster_queue_place(loop->engine, name, &place) && place.parent && *place.parent;

    LOG(LOG_INFO, "Found ClusterQueue", KS("clusterQueue", name),
        KS("cohort", has_cohort ? place.parent : "<none>"), KS("resourceGroups", groups),
        KS("usage", usage), KS("workloads", workloads));
}

static void dump_cohort(const json_t *cohort)
{
    AUTO_FREE char *usage = list_text(cohort, "usage");

    LOG(LOG_INFO, "Found cohort", KS("cohort", text_of(cohort, "name")), KS("usage", usage));
}

static void dump_waiting(const json_t *queue)
{
    AUTO_FREE char *pending = list_text(queue, "queue");
    AUTO_FREE char *parked = list_text(queue, "parked");

    LOG(LOG_INFO, "Found pending and inadmissible workloads in ClusterQueue",
        KS("clusterQueue", text_of(queue, "name")), KS("pending", pending),
        KS("inadmissible", parked));
}

void dump_write(struct loop *loop, void *context)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    json_t *state, *item;
    size_t i;

    (void)context;
    debug_state_write(loop, &text);
    state = json_loadb(text.text, text.length, 0, NULL);
    LOG(LOG_INFO, "Started dump");
    json_array_foreach(json_object_get(state, "clusterQueues"), i, item)
        dump_queue(loop, item);
    json_array_foreach(json_object_get(state, "cohorts"), i, item)
        dump_cohort(item);
    json_array_foreach(json_object_get(state, "clusterQueues"), i, item)
        dump_waiting(item);
    LOG(LOG_INFO, "Ended dump");
    json_decref(state);
}
