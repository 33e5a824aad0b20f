#include "admitter/debug_state.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "admitter/loop/loop_private.h"
#include "admitter/simulate/json.h"
#include "quota/base/mem.h"
#include "quota/engine/figures.h"

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct simulate_waiting *)a)->key,
                  ((const struct simulate_waiting *)b)->key);
}

/* Every Workload that holds no quota and is not finished. */
static struct simulate_waiting *waiting_list(struct loop *loop, struct arena *arena, size_t *count)
{
    struct simulate_waiting *list =
        ARENA_ARRAY(arena, map_count(loop->workloads) + 1, struct simulate_waiting);
    struct map_entry entry;

    *count = 0;
    for (size_t at = 0; map_next(loop->workloads, &at, &entry);) {
        const struct workload_record *record = entry.value;
        const struct object_record *queue;
        json_t *tree;

        if (record->is_reserved || record->is_finished)
            continue;
        queue = record->queue_key
                    ? map_get(loop->objects[OBJECT_LOCAL_QUEUE], str_of(record->queue_key))
                    : NULL;
        tree = workload_tree(record);
        list[(*count)++] = (struct simulate_waiting){
            .key = record->key,
            .cluster_queue = queue && queue->cluster_queue ? queue->cluster_queue : "",
            .reason = arena_strdup(arena, condition_reason(tree, "QuotaReserved")),
            .message = arena_strdup(arena, condition_message(tree, "QuotaReserved")),
        };
        json_decref(tree);
    }
    qsort(list, *count, sizeof(*list), by_key);
    return list;
}

void debug_state_write(struct loop *loop, struct strbuf *out)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    size_t count;
    struct simulate_waiting *waiting = waiting_list(loop, &arena, &count);

    simulate_json_state(out, loop->engine, waiting, count, !engine_has_heads(loop->engine), &arena);
}

static json_t *amounts_json(const struct resource_list *list)
{
    json_t *out = json_object();
    char text[QUANTITY_TEXT];

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].quantity.nano != 0)
            json_object_set_new(out, list->items[i].name,
                                json_string(quantity_print(list->items[i].quantity, text)));
    return out;
}

void debug_afs_write(struct loop *loop, struct strbuf *out)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    json_t *all = json_object();
    AUTO_FREE char *text = NULL;
    struct map_entry entry;

    for (size_t at = 0; map_next(loop->objects[OBJECT_LOCAL_QUEUE], &at, &entry);) {
        const struct object_record *queue = entry.value;
        struct resource_list consumed, penalty;
        int64_t updated;

        if (!engine_local_queue_consumed(loop->engine, queue->namespace, queue->name, &arena,
                                         &consumed, &updated))
            continue;
        engine_local_queue_penalty(loop->engine, queue->namespace, queue->name, &arena, &penalty);
        json_object_set_new(all, entry.key.text,
                            json_pack("{s:o, s:o}", "consumed", amounts_json(&consumed), "penalty",
                                      amounts_json(&penalty)));
    }
    text = json_dumps(all, JSON_SORT_KEYS);
    strbuf_puts(out, text);
    json_decref(all);
}
