/* Gauges that are split by labels of Workloads (gate CustomMetricLabels,
 * spec/operations.md 1.3, 1.9). */
#include <stdlib.h>
#include <string.h>
#include "admitter/loop/report.h"
#include "quota/base/mem.h"

/* Few: two labels with a dozen tracked values each at most. */
struct group_list {
    struct metrics_group *items;
    size_t count, capacity;
};

static struct metrics_group *group_of(struct group_list *list, const char *labels)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].labels, labels) == 0)
            return &list->items[i];
    list->items = mem_grow(list->items, list->count, &list->capacity, sizeof(*list->items));
    list->items[list->count] = (struct metrics_group){ .labels = labels };
    return &list->items[list->count++];
}

static const char *labels_of(const struct workload_record *record)
{
    return record && record->label_values ? record->label_values : "";
}

void report_cluster_queue_groups(struct loop *loop, const char *name, bool active)
{
    struct group_list list = { 0 };
    size_t waiting, reserving;
    const struct queued_workload *queued =
        engine_queue_list(loop->engine, name, &loop->scratch, &waiting);
    const char **keys = engine_reserving_list(loop->engine, name, &loop->scratch, &reserving);

    for (size_t i = 0; i < waiting; i++) {
        struct metrics_group *group =
            group_of(&list, labels_of(workload_find(loop, queued[i].namespace, queued[i].name)));

        if (active && !queued[i].parked)
            group->active++;
        else
            group->inadmissible++;
    }
    for (size_t i = 0; i < reserving; i++) {
        const struct workload_record *record = map_get(loop->workloads, str_of(keys[i]));

        if (record && record->is_admitted)
            group_of(&list, labels_of(record))->admitted++;
    }
    metrics_cluster_queue_groups(name, list.items, list.count);
    free(list.items);
}

void report_local_queue_groups(struct loop *loop, const struct object_record *queue)
{
    const struct queue_entry *entry = map_get(loop->queues, str_of(queue->key));
    struct group_list list = { 0 };

    for (struct workload_record *r = entry ? entry->workloads : NULL; r; r = r->queue_next)
        if (r->is_admitted && !r->is_finished)
            group_of(&list, labels_of(r))->admitted++;
    metrics_local_queue_groups(queue->namespace, queue->name, list.items, list.count);
    free(list.items);
}
