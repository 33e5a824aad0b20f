#include "admitter/loop/owners.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/objects/condition.h"
#include "admitter/loop/snapshot.h"
#include "quota/base/mem.h"

int owner_look_up(const struct owner_kinds *kinds, struct snapshot *snapshot, unsigned kind,
                  const char *namespace, const char *name, struct arena *arena,
                  struct owner_facts *facts)
{
    if (!kinds->items[kind].is_followed)
        return 0;
    if (!snapshot_owner_kind_is_listed(snapshot, kind)) /* not yet, or it may not be read */
        return kinds->items[kind].is_managed ? -1 : 0;
    return snapshot_owner_find(snapshot, kind, namespace, name, arena, facts) ? 1 : -1;
}

void owner_facts_of_job(const struct job *job, struct owner_facts *facts)
{
    *facts = (struct owner_facts){ job->uid, job->queue_name, job->is_elastic, job->owner };
}

/* ---- children ---- */

struct child_list {
    char *owner_uid;
    struct job_record *first;
};

void child_leave(struct loop *loop, struct job_record *record)
{
    struct child_list *list;

    if (!record->child_at)
        return;
    *record->child_at = record->child_next;
    if (record->child_next)
        record->child_next->child_at = record->child_at;
    record->child_at = NULL;
    list = map_get(loop->children, str_of(record->parent_uid));
    if (!list->first) {
        map_remove(loop->children, str_of(list->owner_uid));
        free(list->owner_uid);
        free(list);
    }
    free(record->parent_uid);
    record->parent_uid = NULL;
}

void child_join(struct loop *loop, struct job_record *record)
{
    const char *uid = record->job->owner.uid;
    struct child_list *list;

    if (record->parent_uid && uid && strcmp(record->parent_uid, uid) == 0)
        return;
    child_leave(loop, record);
    if (!uid)
        return;
    list = map_get(loop->children, str_of(uid));
    if (!list) {
        list = mem_alloc(sizeof(*list));
        list->owner_uid = mem_dup(uid);
        map_put(loop->children, str_of(uid), list);
    }
    record->parent_uid = mem_dup(uid);
    record->child_next = list->first;
    record->child_at = &list->first;
    if (record->child_next)
        record->child_next->child_at = &record->child_next;
    list->first = record;
}

void mark_children(struct loop *loop, const char *owner_uid)
{
    const struct child_list *list = map_get(loop->children, str_of(owner_uid));

    for (struct job_record *child = list ? list->first : NULL; child; child = child->child_next)
        mark_job(loop, child);
}

/* ---- objects of other kinds ---- */

void handle_owner(struct loop *loop, struct loop_event *event)
{
    if (event->deleted)
        snapshot_owner_remove(loop->parts.snapshot, event->job_kind, event->namespace, event->name);
    else
        snapshot_owner_put(loop->parts.snapshot, event->job_kind, event->namespace, event->name,
                           event->owner);
    mark_children(loop, event->uid);
    event_destroy(event);
}

/* ---- ancestors ---- */

static int look_up(void *context, unsigned kind, const char *namespace, const char *name,
                   struct arena *arena, struct owner_facts *facts, struct err *e)
{
    const struct loop *loop = context;

    (void)e;
    return owner_look_up(&loop->settings->owners, loop->parts.snapshot, kind, namespace, name,
                         arena, facts);
}

/* The newest unfinished Workload of an owner, if any (R6). */
static const struct workload_record *newest_workload(const struct job_record *record)
{
    const struct workload_record *newest = NULL;

    for (struct workload_record *w = record ? record->workloads : NULL; w; w = w->owner_next)
        if (!w->is_finished && (!newest || w->created > newest->created ||
                                (w->created == newest->created && strcmp(w->uid, newest->uid) > 0)))
            newest = w;
    return newest;
}

/* Slices of an elastic job come and go while it runs: only an eviction stops its children. */
static bool may_run_under(const struct workload_record *workload, bool elastic)
{
    json_t *tree;
    bool evicted;

    if (!workload || !elastic)
        return workload && workload->is_admitted;
    tree = workload_tree(workload);
    evicted = condition_true(tree, "Evicted");
    json_decref(tree);
    return !evicted;
}

void find_ancestor(struct loop *loop, const struct job *job, struct job_facts *facts)
{
    struct ancestor_search search = { &loop->settings->owners,
                                      loop->settings->jobs.manage_without_queue_name, loop,
                                      look_up };
    struct ancestor top;
    struct err e = { 0 };
    int found =
        ancestor_find(&search, &job->owner, job->uid, job->namespace, &loop->arena, &top, &e);

    facts->is_top_level = found == 0;
    if (found < 0) {
        facts->ancestor_problem = arena_strdup(&loop->arena, e.text);
        facts->is_nested_too_deep = e.code == ERR_CONFLICT;
    } else if (found > 0) {
        facts->ancestor_has_queue = *top.facts.queue_name != '\0';
        facts->ancestor_lets_run =
            may_run_under(newest_workload(job_find(loop, top.kind, job->namespace, top.name)),
                          job->is_elastic || top.facts.is_elastic);
    }
}
