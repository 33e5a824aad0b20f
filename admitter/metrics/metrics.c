#include "admitter/metrics/metrics_private.h"

#include <stdlib.h>
#include "quota/base/mem.h"

#define ROLE "replica_role"
#define VALUES_MAX (METRICS_LABELS_MAX + 1 + 4 * METRICS_CUSTOM_MAX)

static struct metrics *current;

struct metrics *metrics_current(void)
{
    return current;
}

/* ---- set-up ---- */

static bool is_wanted(const struct metrics_options *options, enum metrics_when when)
{
    switch (when) {
    case WHEN_LOCAL:
        return options->local_queues;
    case WHEN_LOCAL_UNADMITTED:
        return options->local_queues && options->unadmitted;
    case WHEN_RESOURCES:
        return options->resources;
    case WHEN_COHORTS:
        return options->cohorts;
    case WHEN_CREATION:
        return options->creation_latency;
    case WHEN_UNADMITTED:
        return options->unadmitted;
    case WHEN_HASHES:
        return options->hashes;
    default:
        return true;
    }
}

/* Names of the custom columns of a row; each is the caller's to free. */
static size_t custom_names(const struct metrics_options *options, unsigned kinds, char **names)
{
    size_t count = 0;

    for (unsigned kind = 0; kind <= LABEL_FROM_WORKLOAD; kind++)
        for (size_t i = 0; (kinds & 1u << kind) && i < options->custom_label_count; i++)
            if (options->custom_labels[i].kind == kind && count < VALUES_MAX)
                names[count++] = mem_format("custom_%s", options->custom_labels[i].name);
    return count;
}

static struct metric *register_row(struct metrics *m, const struct metrics_row *row)
{
    const char *labels[2 * VALUES_MAX];
    char *custom[VALUES_MAX];
    size_t count = metrics_base_count(row),
           custom_count = custom_names(&m->options, row->custom, custom);
    struct metric_info info = { .name = row->name, .help = row->help, .type = row->type };
    struct metric *metric;

    memcpy(labels, row->labels, count * sizeof(*labels));
    labels[count++] = ROLE;
    for (size_t i = 0; i < custom_count; i++)
        labels[count++] = custom[i];
    info.labels = labels;
    info.label_count = count;
    info.buckets = row->buckets ? row->buckets->bounds : NULL;
    info.bucket_count = row->buckets ? row->buckets->count : 0;
    metric = metric_register(m->registry, &info);
    for (size_t i = 0; i < custom_count; i++)
        free(custom[i]);
    return metric;
}

static void register_build(struct metrics *m)
{
    static const char *const labels[] = { "git_version", "git_commit", "build_date",
                                          "go_version",  "compiler",   "platform" };
    const char *const values[] = {
        ("v" SLUICE_VERSION),
        "unknown",
        "unknown",
        "C17",
        __VERSION__,
#if defined(__aarch64__)
        "linux/arm64"
#else
        "linux/amd64"
#endif
    };
    struct metric_info info = { .name = "kueue_build_info",
                                .help = "1; what this program was built from.",
                                .type = METRIC_GAUGE,
                                .labels = labels,
                                .label_count = ARRAY_COUNT(labels) };

    metric_set(metric_register(m->registry, &info), values, 1);
}

static void register_extra(struct metrics *m)
{
    static const char *const labels[] = { "kind", "code" }, *const name[] = { "name" };

    m->write_failures = metric_register(
        m->registry, &(struct metric_info){ .name = "sluice_write_failures_total",
                                            .help = "Writes that the API server did not take; "
                                                    "codes invalid and forbidden are for good.",
                                            .type = METRIC_COUNTER,
                                            .labels = labels,
                                            .label_count = ARRAY_COUNT(labels) });
    m->leader =
        metric_register(m->registry, &(struct metric_info){ .name = "leader_election_master_status",
                                                            .help = "1 while this process leads.",
                                                            .type = METRIC_GAUGE,
                                                            .labels = name,
                                                            .label_count = 1 });
}

static void count_custom(struct metrics *m)
{
    for (size_t i = 0; i < m->options.custom_label_count; i++) {
        size_t *count = &m->custom_count[m->options.custom_labels[i].kind];

        if (*count < METRICS_CUSTOM_MAX)
            ++*count;
    }
}

void metrics_start(const struct metrics_options *options)
{
    struct metrics *m = mem_alloc(sizeof(*m));

    metrics_stop();
    m->options = *options;
    m->registry = metric_registry_create();
    atomic_store(&m->role, options->standalone ? "standalone" : "follower");
    for (size_t i = 0; i < LABEL_FROM_WORKLOAD; i++)
        m->records[i] = map_create();
    count_custom(m);
    for (size_t i = 0; i < METRICS_COUNT; i++)
        if (is_wanted(options, metrics_table[i].when))
            m->items[i] = register_row(m, &metrics_table[i]);
    register_build(m);
    register_extra(m);
    current = m;
}

static void record_destroy(struct metrics_record *record)
{
    for (size_t i = 0; i < METRICS_CUSTOM_MAX; i++)
        free(record->custom[i]);
    free(record->parent);
    free(record->root);
    free(record);
}

void metrics_stop(void)
{
    struct metrics *m = current;
    struct map_entry entry;

    current = NULL;
    if (!m)
        return;
    for (size_t i = 0; i < LABEL_FROM_WORKLOAD; i++) {
        for (size_t at = 0; map_next(m->records[i], &at, &entry);)
            record_destroy(entry.value);
        map_destroy(m->records[i]);
    }
    metric_registry_destroy(m->registry);
    free(m);
}

struct metric_registry *metrics_registry(void)
{
    return current ? current->registry : NULL;
}

void metrics_render(struct strbuf *out)
{
    if (current)
        metric_text(current->registry, out);
}

void metrics_leading(bool leading)
{
    if (!current || current->options.standalone)
        return;
    metric_set(current->leader, (const char *const[]){ current->options.lease_name }, leading);
    atomic_store(&current->role, leading ? "leader" : "follower");
    if (leading)
        metric_registry_remove_gauges(current->registry, ROLE, "follower");
}

void metrics_write_failed(const char *kind, const char *code)
{
    if (current)
        metric_add(current->write_failures, (const char *const[]){ kind, code }, 1);
}

/* ---- records of objects ---- */

static char *record_key(const char *namespace, const char *name)
{
    return mem_format("%s/%s", namespace ? namespace : "", name ? name : "");
}

struct metrics_record *metrics_record(enum label_source_kind kind, const char *namespace,
                                      const char *name)
{
    AUTO_FREE char *key = record_key(namespace, name);
    struct metrics_record *record = map_get(current->records[kind], str_of(key));

    if (record)
        return record;
    record = mem_alloc(sizeof(*record));
    record->parent = mem_dup("");
    record->root = mem_dup("");
    /* Without a selector everything is wanted; with one, what has no labels yet is not. */
    record->is_reported =
        !current->options.local_queue_selector || !current->options.local_queue_selector->present;
    map_put(current->records[kind], str_of(key), record);
    return record;
}

void metrics_forget(enum label_source_kind kind, const char *namespace, const char *name)
{
    AUTO_FREE char *key = record_key(namespace, name);
    struct metrics_record *record = map_remove(current->records[kind], str_of(key));

    if (record)
        record_destroy(record);
}

bool metrics_wants(const char *namespace, const char *local_queue)
{
    return current && current->options.local_queues &&
           metrics_record(LABEL_FROM_LOCAL_QUEUE, namespace, local_queue)->is_reported;
}

/* ---- one observation ---- */

static const char *const *owner_values(enum label_source_kind kind,
                                       const struct metrics_owner *owner)
{
    if (kind == LABEL_FROM_WORKLOAD)
        return owner->workload;
    if (kind == LABEL_FROM_LOCAL_QUEUE && owner->local_queue)
        return (const char *const *)metrics_record(kind, owner->namespace, owner->local_queue)
            ->custom;
    if (kind == LABEL_FROM_COHORT && owner->cohort)
        return (const char *const *)metrics_record(kind, NULL, owner->cohort)->custom;
    if (kind == LABEL_FROM_CLUSTER_QUEUE && owner->cluster_queue)
        return (const char *const *)metrics_record(kind, NULL, owner->cluster_queue)->custom;
    return NULL;
}

static void add_custom(unsigned kinds, const struct metrics_owner *owner, const char **values,
                       size_t count)
{
    for (unsigned kind = 0; kind <= LABEL_FROM_WORKLOAD; kind++) {
        const char *const *custom = NULL;

        if (!(kinds & 1u << kind) || current->custom_count[kind] == 0)
            continue;
        custom = owner_values((enum label_source_kind)kind, owner);
        for (size_t i = 0; i < current->custom_count[kind]; i++)
            values[count++] = custom ? custom[i] : "";
    }
}

/* All label values of a series, in order of declaration. */
static void fill_values(enum metrics_id id, const struct metrics_owner *owner,
                        const char *const *base, const char **values)
{
    const struct metrics_row *row = &metrics_table[id];
    size_t count = metrics_base_count(row);

    memcpy(values, base, count * sizeof(*values));
    values[count] = atomic_load(&current->role);
    add_custom(row->custom, owner, values, count + 1);
}

void metrics_emit(enum metrics_id id, enum metrics_verb verb, const struct metrics_owner *owner,
                  const char *const *base, double value)
{
    const char *values[VALUES_MAX];

    if (!current || !current->items[id])
        return;
    fill_values(id, owner, base, values);
    if (verb == VERB_ADD)
        metric_add(current->items[id], values, value);
    else if (verb == VERB_SET)
        metric_set(current->items[id], values, value);
    else if (verb == VERB_REMOVE)
        metric_remove(current->items[id], values);
    else
        metric_observe(current->items[id], values, value);
}

void metrics_drop(enum metrics_id id, const char *const *base)
{
    const char *match[VALUES_MAX] = { 0 };

    if (!current || !current->items[id])
        return;
    memcpy(match, base, metrics_base_count(&metrics_table[id]) * sizeof(*match));
    metric_remove(current->items[id], match);
}
