#include "admitter/metrics/metrics_private.h"

#include <stdlib.h>
#include "quota/base/mem.h"
#include "quota/engine/selector.h"

#define UNTRACKED "kueue.x-k8s.io/_UNTRACKED_VALUE_"

/* ---- custom labels ---- */

static const char *custom_value(const struct custom_label *label,
                                const struct metrics_object *object)
{
    const char *value =
        label->annotation
            ? labels_get(object->annotations, object->annotation_count, label->annotation)
            : labels_get(object->labels, object->label_count, label->label);

    if (!value)
        return "";
    for (size_t i = 0; i < label->tracked_count; i++)
        if (strcmp(label->tracked[i], value) == 0)
            return value;
    return label->tracked_count > 0 ? UNTRACKED : value;
}

static size_t custom_values(enum label_source_kind kind, const struct metrics_object *object,
                            const char **values)
{
    size_t count = 0;

    for (size_t i = 0; i < metrics_current()->options.custom_label_count; i++)
        if (metrics_current()->options.custom_labels[i].kind == kind && count < METRICS_CUSTOM_MAX)
            values[count++] = custom_value(&metrics_current()->options.custom_labels[i], object);
    return count;
}

/* True when one of the values is another one than before. */
static bool remember_custom(struct metrics_record *record, enum label_source_kind kind,
                            const struct metrics_object *object)
{
    const char *values[METRICS_CUSTOM_MAX];
    size_t count = custom_values(kind, object, values);
    bool changed = false;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(record->custom[i] ? record->custom[i] : "", values[i]) == 0)
            continue;
        free(record->custom[i]);
        record->custom[i] = mem_dup(values[i]);
        changed = true;
    }
    return changed;
}

/* Remove the series of an object: those in which all of 'names' are labels with these values. */
static void drop_all(const char *const *names, const char *const *values, size_t count,
                     const char *unless)
{
    for (size_t id = 0; id < METRICS_COUNT; id++) {
        const struct metrics_row *row = &metrics_table[id];
        const char *match[METRICS_LABELS_MAX] = { 0 };
        size_t found = 0;
        bool is_other = false;

        for (size_t i = 0; i < metrics_base_count(row); i++) {
            is_other |= unless && strcmp(row->labels[i], unless) == 0;
            for (size_t k = 0; k < count; k++) {
                if (strcmp(row->labels[i], names[k]) == 0) {
                    match[i] = values[k];
                    found++;
                }
            }
        }
        if (found == count && !is_other)
            metrics_drop((enum metrics_id)id, match);
    }
}

static void drop_cluster_queue(const char *name)
{
    drop_all((const char *const[]){ "cluster_queue" }, &name, 1, NULL);
    drop_all((const char *const[]){ "preempting_cluster_queue" }, &name, 1, NULL);
}

static void drop_cohort(const char *name)
{
    drop_all((const char *const[]){ "cohort" }, &name, 1, "cluster_queue");
}

static void drop_local_queue(const char *namespace, const char *name)
{
    drop_all((const char *const[]){ "name", "namespace" }, (const char *const[]){ name, namespace },
             2, NULL);
}

bool metrics_cluster_queue_labels(const char *name, const struct metrics_object *object)
{
    struct metrics_record *record;

    if (!metrics_current())
        return false;
    record = metrics_record(LABEL_FROM_CLUSTER_QUEUE, NULL, name);
    if (!remember_custom(record, LABEL_FROM_CLUSTER_QUEUE, object))
        return false;
    drop_cluster_queue(name);
    return true;
}

bool metrics_cohort_labels(const char *name, const struct metrics_object *object)
{
    struct metrics_record *record;

    if (!metrics_current())
        return false;
    record = metrics_record(LABEL_FROM_COHORT, NULL, name);
    if (!remember_custom(record, LABEL_FROM_COHORT, object))
        return false;
    drop_cohort(name);
    return true;
}

bool metrics_local_queue_labels(const char *namespace, const char *name,
                                const struct metrics_object *object)
{
    const struct label_selector *selector;
    struct metrics_record *record;
    bool was_reported;

    if (!metrics_current())
        return false;
    selector = metrics_current()->options.local_queue_selector;
    record = metrics_record(LABEL_FROM_LOCAL_QUEUE, namespace, name);
    was_reported = record->is_reported;
    record->is_reported = !selector || !selector->present ||
                          selector_matches(selector, object->labels, object->label_count);
    if (!remember_custom(record, LABEL_FROM_LOCAL_QUEUE, object) &&
        was_reported == record->is_reported)
        return false;
    drop_local_queue(namespace, name);
    return true;
}

void metrics_workload_labels(struct metrics_workload *workload, const struct metrics_object *object)
{
    if (metrics_current())
        custom_values(LABEL_FROM_WORKLOAD, object, workload->custom);
}

bool metrics_label_workloads(void)
{
    return metrics_current() && metrics_current()->custom_count[LABEL_FROM_WORKLOAD] > 0;
}

void metrics_cluster_queue_clear(const char *name)
{
    if (!metrics_current())
        return;
    drop_cluster_queue(name);
    metrics_forget(LABEL_FROM_CLUSTER_QUEUE, NULL, name);
}

void metrics_cohort_clear(const char *name)
{
    if (!metrics_current())
        return;
    drop_cohort(name);
    metrics_forget(LABEL_FROM_COHORT, NULL, name);
}

void metrics_cohorts_keep(bool (*exists)(void *context, const char *name), void *context)
{
    struct map_entry *entries; /* keys are "/name" */
    size_t count;

    if (!metrics_current())
        return;
    count = map_count(metrics_current()->records[LABEL_FROM_COHORT]);
    entries = map_sorted(metrics_current()->records[LABEL_FROM_COHORT]);
    for (size_t i = 0; i < count; i++)
        if (!exists(context, entries[i].key.text + 1))
            metrics_cohort_clear(entries[i].key.text + 1);
    free(entries);
}

void metrics_local_queue_clear(const char *namespace, const char *name)
{
    if (!metrics_current())
        return;
    drop_local_queue(namespace, name);
    metrics_forget(LABEL_FROM_LOCAL_QUEUE, namespace, name);
}
