/* Cohorts: declared ones and those that only exist because somebody names them. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

struct cohort_record *cohort_find(const struct engine *engine, const char *name)
{
    return map_get(engine->cohorts, str_of(name));
}

struct cohort_record *cohort_get(struct engine *engine, const char *name)
{
    struct cohort_record *cohort = cohort_find(engine, name);

    if (!cohort) {
        cohort = mem_alloc(sizeof(*cohort));
        cohort->name = mem_dup(name);
        node_init(&cohort->node, cohort->name, true);
        map_put(engine->cohorts, str_of(name), cohort);
        cohort_changed(engine, cohort);
    }
    return cohort;
}

static void cohort_free(struct cohort_record *cohort)
{
    arena_finish(&cohort->facts);
    node_finish(&cohort->node);
    free(cohort->name);
    free(cohort);
}

void cohort_release(struct engine *engine, struct cohort_record *cohort)
{
    if (cohort->exists || cohort->node.child_count > 0 || cohort->node.parent)
        return;
    map_remove(engine->cohorts, str_of(cohort->name));
    tree_forget(engine, &cohort->node);
    changed_forget_cohort(engine, cohort);
    cohort_free(cohort);
}

/* Move a cohort below another one (or nowhere), seeing to cycles that come or go. */
static void cohort_move(struct engine *engine, struct cohort_record *cohort,
                        struct cohort_record *parent)
{
    struct node *node = &cohort->node, *old = node->parent;
    struct node *above = parent ? &parent->node : NULL;
    bool was_cyclic = node->is_cyclic, batch;

    if (old == above)
        return;
    tree_quota_changed(engine, node);
    batch = !was_cyclic && tree_root(node)->unpark_at != TIME_NONE;
    node_attach(node, above);
    if (was_cyclic || tree_is_cyclic(node))
        cyclic_marks_update(engine);
    if (batch) /* asked for while it was part of the other tree */
        tree_unpark(engine, node, engine->now);
    if (old) {
        tree_touch(engine, old);
        tree_generation_grow(engine, old);
        tree_unpark(engine, old, engine->now); /* what was borrowed there is free */
        cohort_release(engine, node_cohort(old));
    }
}

static bool cohort_same(const struct cohort_record *record, const struct cohort *cohort)
{
    return record->exists &&
           strcmp(record->copy.parent, cohort->parent ? cohort->parent : "") == 0 &&
           record->node.weight == weight_nano(cohort->has_weight, cohort->weight) &&
           groups_equal(record->copy.groups, record->copy.group_count, cohort->groups,
                        cohort->group_count);
}

void engine_cohort_put(struct engine *engine, const struct cohort *cohort, int64_t now)
{
    struct cohort_record *record = cohort_get(engine, cohort->name);
    bool has_parent = cohort->parent && *cohort->parent;

    engine->now = now;
    if (cohort_same(record, cohort))
        return;
    record->exists = true;
    arena_reset(&record->facts);
    copy_cohort(&record->facts, cohort, &record->copy);
    record->node.weight = weight_nano(cohort->has_weight, cohort->weight);
    quotas_declare(engine, &record->node, record->copy.groups, record->copy.group_count);
    cohort_move(engine, record, has_parent ? cohort_get(engine, cohort->parent) : NULL);
    tree_touch(engine, &record->node);
    tree_generation_grow(engine, &record->node);
    tree_unpark(engine, &record->node, now);
    tree_quota_changed(engine, &record->node);
}

void engine_cohort_remove(struct engine *engine, const char *name, int64_t now)
{
    struct cohort_record *record = cohort_find(engine, name);

    engine->now = now;
    if (!record || !record->exists)
        return;
    cohort_changed(engine, record);
    cohort_move(engine, record, NULL);
    record->exists = false; /* not before: it may have been its own parent */
    node_undeclare(&record->node);
    record->node.weight = weight_nano(false, (struct quantity){ 0 });
    tree_touch(engine, &record->node);
    tree_generation_grow(engine, &record->node);
    tree_quota_changed(engine, &record->node);
    arena_reset(&record->facts);
    memset(&record->copy, 0, sizeof(record->copy));
    cohort_release(engine, record);
}

void cohorts_finish(struct engine *engine)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->cohorts, &at, &entry);)
        cohort_free(entry.value);
    map_destroy(engine->cohorts);
}
