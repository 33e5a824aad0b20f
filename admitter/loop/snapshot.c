#include "admitter/loop/snapshot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "quota/base/map.h"
#include "quota/base/mem.h"

struct owner_entry {
    char *uid, *queue_name;
    bool is_elastic;
    char *api_version, *kind, *name, *owner_uid; /* NULL without an owner */
};

struct check_names {
    size_t count;
    char *names[];
};

struct snapshot {
    pthread_rwlock_t lock;
    struct map *local_queues;   /* "ns/name" -> name of the ClusterQueue */
    struct map *cluster_queues; /* name -> check_names */
    struct map *checks;         /* name -> controller */
    struct map *namespaces;     /* name -> "1" or "0" */
    struct map *priority_classes;
    struct map *owners;      /* "kind/ns/name" -> owner_entry */
    struct map *owner_kinds; /* those listed: number -> itself */
};

struct snapshot *snapshot_create(void)
{
    struct snapshot *s = mem_alloc(sizeof(*s));

    pthread_rwlock_init(&s->lock, NULL);
    s->local_queues = map_create();
    s->cluster_queues = map_create();
    s->checks = map_create();
    s->namespaces = map_create();
    s->priority_classes = map_create();
    s->owners = map_create();
    s->owner_kinds = map_create();
    return s;
}

static void owner_free(void *value)
{
    struct owner_entry *entry = value;

    if (!entry)
        return;
    free(entry->uid);
    free(entry->queue_name);
    free(entry->api_version);
    free(entry->kind);
    free(entry->name);
    free(entry->owner_uid);
    free(entry);
}

static void checks_free(void *value)
{
    struct check_names *names = value;

    for (size_t i = 0; names && i < names->count; i++)
        free(names->names[i]);
    free(names);
}

static bool end(struct str key, void *value, void *context)
{
    void (**release)(void *) = context;

    (void)key;
    (*release)(value);
    return true;
}

static void map_end(struct map *m, void (*release)(void *))
{
    map_remove_if(m, end, &release);
    map_destroy(m);
}

void snapshot_destroy(struct snapshot *s)
{
    if (!s)
        return;
    map_end(s->local_queues, free);
    map_end(s->cluster_queues, checks_free);
    map_end(s->checks, free);
    map_end(s->namespaces, free);
    map_end(s->priority_classes, free);
    map_end(s->owners, owner_free);
    map_end(s->owner_kinds, free);
    pthread_rwlock_destroy(&s->lock);
    free(s);
}

/* Put or (value NULL) remove under the lock; what was there is released outside it. */
static void change(struct snapshot *s, struct map *m, const char *key, void *value,
                   void (*release)(void *))
{
    void *before;

    pthread_rwlock_wrlock(&s->lock);
    before = value ? map_put(m, str_of(key), value) : map_remove(m, str_of(key));
    pthread_rwlock_unlock(&s->lock);
    if (before)
        release(before);
}

static void change_pair(struct snapshot *s, struct map *m, const char *namespace, const char *name,
                        void *value)
{
    AUTO_FREE char *key = mem_format("%s/%s", namespace, name);

    change(s, m, key, value, free);
}

void snapshot_local_queue_put(struct snapshot *s, const char *namespace, const char *name,
                              const char *cluster_queue)
{
    change_pair(s, s->local_queues, namespace, name, mem_dup(cluster_queue));
}

void snapshot_local_queue_remove(struct snapshot *s, const char *namespace, const char *name)
{
    change_pair(s, s->local_queues, namespace, name, NULL);
}

void snapshot_cluster_queue_put(struct snapshot *s, const struct cluster_queue *queue)
{
    struct check_names *names = mem_alloc(sizeof(*names) + queue->check_count * sizeof(char *));

    names->count = queue->check_count;
    for (size_t i = 0; i < queue->check_count; i++)
        names->names[i] = mem_dup(queue->checks[i].name);
    change(s, s->cluster_queues, queue->name, names, checks_free);
}

void snapshot_cluster_queue_remove(struct snapshot *s, const char *name)
{
    change(s, s->cluster_queues, name, NULL, checks_free);
}

void snapshot_check_put(struct snapshot *s, const char *name, const char *controller)
{
    change(s, s->checks, name, mem_dup(controller ? controller : ""), free);
}

void snapshot_check_remove(struct snapshot *s, const char *name)
{
    change(s, s->checks, name, NULL, free);
}

void snapshot_namespace_put(struct snapshot *s, const char *name, bool is_managed)
{
    change(s, s->namespaces, name, mem_dup(is_managed ? "1" : "0"), free);
}

void snapshot_namespace_remove(struct snapshot *s, const char *name)
{
    change(s, s->namespaces, name, NULL, free);
}

void snapshot_priority_class_put(struct snapshot *s, const char *name)
{
    change(s, s->priority_classes, name, mem_dup(name), free);
}

void snapshot_priority_class_remove(struct snapshot *s, const char *name)
{
    change(s, s->priority_classes, name, NULL, free);
}

static char *owner_key(unsigned kind, const char *namespace, const char *name)
{
    return mem_format("%u/%s/%s", kind, namespace, name);
}

static char *dup_or_null(const char *text)
{
    return text ? mem_dup(text) : NULL;
}

void snapshot_owner_put(struct snapshot *s, unsigned kind, const char *namespace, const char *name,
                        const struct owner_facts *facts)
{
    AUTO_FREE char *key = owner_key(kind, namespace, name);
    struct owner_entry *entry = mem_alloc(sizeof(*entry));

    entry->uid = mem_dup(facts->uid);
    entry->queue_name = mem_dup(facts->queue_name);
    entry->is_elastic = facts->is_elastic;
    entry->api_version = dup_or_null(facts->owner.api_version);
    entry->kind = dup_or_null(facts->owner.kind);
    entry->name = dup_or_null(facts->owner.name);
    entry->owner_uid = dup_or_null(facts->owner.uid);
    change(s, s->owners, key, entry, owner_free);
}

void snapshot_owner_remove(struct snapshot *s, unsigned kind, const char *namespace,
                           const char *name)
{
    AUTO_FREE char *key = owner_key(kind, namespace, name);

    change(s, s->owners, key, NULL, owner_free);
}

void snapshot_owner_kind_listed(struct snapshot *s, unsigned kind)
{
    char *key = mem_format("%u", kind);

    change(s, s->owner_kinds, key, key, free);
}

bool snapshot_has_local_queue(struct snapshot *s, const char *namespace, const char *name)
{
    AUTO_FREE char *key = mem_format("%s/%s", namespace, name);
    bool found;

    pthread_rwlock_rdlock(&s->lock);
    found = map_get(s->local_queues, str_of(key)) != NULL;
    pthread_rwlock_unlock(&s->lock);
    return found;
}

bool snapshot_has_priority_class(struct snapshot *s, const char *name)
{
    bool found;

    pthread_rwlock_rdlock(&s->lock);
    found = map_get(s->priority_classes, str_of(name)) != NULL;
    pthread_rwlock_unlock(&s->lock);
    return found;
}

int snapshot_namespace_managed(struct snapshot *s, const char *name)
{
    const char *found;
    int managed;

    pthread_rwlock_rdlock(&s->lock);
    found = map_get(s->namespaces, str_of(name));
    managed = found ? *found == '1' : -1;
    pthread_rwlock_unlock(&s->lock);
    return managed;
}

static bool has_controller(struct snapshot *s, const char *queue_key, const char *controller)
{
    const char *cluster_queue = map_get(s->local_queues, str_of(queue_key));
    const struct check_names *names =
        cluster_queue ? map_get(s->cluster_queues, str_of(cluster_queue)) : NULL;

    for (size_t i = 0; names && i < names->count; i++) {
        const char *found = map_get(s->checks, str_of(names->names[i]));

        if (found && strcmp(found, controller) == 0)
            return true;
    }
    return false;
}

bool snapshot_queue_has_controller(struct snapshot *s, const char *namespace, const char *queue,
                                   const char *controller)
{
    AUTO_FREE char *key = mem_format("%s/%s", namespace, queue);
    bool found;

    pthread_rwlock_rdlock(&s->lock);
    found = has_controller(s, key, controller);
    pthread_rwlock_unlock(&s->lock);
    return found;
}

bool snapshot_owner_kind_is_listed(struct snapshot *s, unsigned kind)
{
    AUTO_FREE char *key = mem_format("%u", kind);
    bool found;

    pthread_rwlock_rdlock(&s->lock);
    found = map_get(s->owner_kinds, str_of(key)) != NULL;
    pthread_rwlock_unlock(&s->lock);
    return found;
}

bool snapshot_owner_find(struct snapshot *s, unsigned kind, const char *namespace, const char *name,
                         struct arena *arena, struct owner_facts *facts)
{
    AUTO_FREE char *key = owner_key(kind, namespace, name);
    const struct owner_entry *entry;

    pthread_rwlock_rdlock(&s->lock);
    entry = map_get(s->owners, str_of(key));
    if (entry)
        *facts = (struct owner_facts){
            arena_strdup(arena, entry->uid),
            arena_strdup(arena, entry->queue_name),
            entry->is_elastic,
            { arena_strdup(arena, entry->api_version), arena_strdup(arena, entry->kind),
              arena_strdup(arena, entry->name), arena_strdup(arena, entry->owner_uid) }
        };
    pthread_rwlock_unlock(&s->lock);
    return entry != NULL;
}
