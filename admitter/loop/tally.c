#include "admitter/loop/tally.h"

#include <string.h>
#include "quota/base/mem.h"

struct tally { /* one gauge */
    char *key;
    bool is_finished;
    char *reason, *cause, *cluster_queue;
    char *queue_key; /* NULL: the gauge of the ClusterQueue */
    int64_t count;
};

static void tally_free(struct tally *tally)
{
    free(tally->key);
    free(tally->reason);
    free(tally->cause);
    free(tally->cluster_queue);
    free(tally->queue_key);
    free(tally);
}

static char *key_of(const struct tally_group *group, const char *queue_key)
{
    return mem_format("%d|%s|%s|%s|%s", group->is_finished, group->cluster_queue,
                      queue_key ? queue_key : "", group->reason ? group->reason : "",
                      group->cause ? group->cause : "");
}

static void show(struct loop *loop, const struct tally *tally)
{
    const struct object_record *queue;

    if (!tally->queue_key) {
        if (tally->is_finished)
            metrics_cluster_queue_finished(tally->cluster_queue, tally->count);
        else
            metrics_cluster_queue_unadmitted(tally->cluster_queue, tally->reason, tally->cause,
                                             tally->count);
        return;
    }
    queue = map_get(loop->objects[OBJECT_LOCAL_QUEUE], str_of(tally->queue_key));
    if (!queue)
        return;
    if (tally->is_finished)
        metrics_local_queue_finished(queue->namespace, queue->name, tally->count);
    else
        metrics_local_queue_unadmitted(queue->namespace, queue->name, tally->cluster_queue,
                                       tally->reason, tally->cause, tally->count);
}

static struct tally *join(struct loop *loop, const struct tally_group *group, const char *queue_key)
{
    AUTO_FREE char *key = key_of(group, queue_key);
    struct tally *tally = map_get(loop->tallies, str_of(key));

    if (!tally) {
        tally = mem_alloc(sizeof(*tally));
        tally->is_finished = group->is_finished;
        tally->key = mem_dup(key);
        tally->reason = mem_dup(group->reason ? group->reason : "");
        tally->cause = mem_dup(group->cause ? group->cause : "");
        tally->cluster_queue = mem_dup(group->cluster_queue);
        tally->queue_key = queue_key ? mem_dup(queue_key) : NULL;
        map_put(loop->tallies, str_of(key), tally);
    }
    tally->count++;
    show(loop, tally);
    return tally;
}

static void leave(struct loop *loop, struct tally *tally)
{
    tally->count--;
    show(loop, tally);
    if (tally->count > 0)
        return;
    map_remove(loop->tallies, str_of(tally->key));
    tally_free(tally);
}

static bool is_same(const struct workload_record *record, const struct tally_group *group)
{
    const struct tally *own = record->tallies[1] ? record->tallies[1] : record->tallies[0];
    AUTO_FREE char *key = NULL;

    if (!group || !*group->cluster_queue)
        return !record->tallies[0];
    key = key_of(group, group->queue_key);
    return own && strcmp(own->key, key) == 0;
}

void tally_move(struct loop *loop, struct workload_record *record, const struct tally_group *group)
{
    struct tally *old[2] = { record->tallies[0], record->tallies[1] };

    if (is_same(record, group))
        return;
    record->tallies[0] = record->tallies[1] = NULL;
    if (group && *group->cluster_queue) {
        record->tallies[0] = join(loop, group, NULL);
        record->tallies[1] = group->queue_key ? join(loop, group, group->queue_key) : NULL;
    }
    for (size_t i = 0; i < ARRAY_COUNT(old); i++)
        if (old[i])
            leave(loop, old[i]);
}

void tallies_show(struct loop *loop, const char *cluster_queue, const char *queue_key)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(loop->tallies, &at, &entry);) {
        const struct tally *tally = entry.value;

        if (cluster_queue && strcmp(tally->cluster_queue, cluster_queue) != 0)
            continue;
        if (queue_key && (!tally->queue_key || strcmp(tally->queue_key, queue_key) != 0))
            continue;
        show(loop, tally);
    }
}

static bool end_tally(struct str key, void *value, void *context)
{
    (void)key, (void)context;
    tally_free(value);
    return true;
}

void tallies_destroy(struct map *tallies)
{
    map_remove_if(tallies, end_tally, NULL);
    map_destroy(tallies);
}
