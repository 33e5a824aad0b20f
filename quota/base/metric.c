#include "quota/base/metric.h"

#include <stdlib.h>
#include "quota/base/map.h"
#include "quota/base/mem.h"
#include "quota/base/metric_private.h"
#include "quota/base/metric_text.h"

/* ---- registry ---- */

struct metric_registry *metric_registry_create(void)
{
    struct metric_registry *registry = mem_alloc(sizeof(*registry));

    pthread_mutex_init(&registry->mutex, NULL);
    return registry;
}

static void metric_destroy(struct metric *metric)
{
    for (size_t i = 0; i < metric->count; i++)
        free(metric->series[i]);
    for (size_t i = 0; i < metric->label_count; i++)
        free(metric->labels[i]);
    for (size_t i = 0; i < metric->bucket_count; i++)
        free(metric->bound_texts[i]);
    map_destroy(metric->by_key);
    free(metric->series);
    free(metric->labels);
    free(metric->order);
    free(metric->bounds);
    free(metric->bound_texts);
    free(metric->name);
    free(metric->help);
    free(metric);
}

void metric_registry_destroy(struct metric_registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->count; i++)
        metric_destroy(registry->metrics[i]);
    free(registry->metrics);
    pthread_mutex_destroy(&registry->mutex);
    free(registry);
}

static void copy_labels(struct metric *metric, const struct metric_info *info)
{
    metric->label_count = info->label_count;
    metric->labels = mem_array(info->label_count + 1, sizeof(*metric->labels));
    metric->order = mem_array(info->label_count + 1, sizeof(*metric->order));
    for (size_t i = 0; i < info->label_count; i++) {
        size_t at = i;

        metric->labels[i] = mem_dup(info->labels[i]);
        for (; at > 0 && strcmp(info->labels[metric->order[at - 1]], info->labels[i]) > 0; at--)
            metric->order[at] = metric->order[at - 1];
        metric->order[at] = i;
    }
}

static void copy_buckets(struct metric *metric, const struct metric_info *info)
{
    metric->bucket_count = info->bucket_count;
    metric->bounds = mem_array(info->bucket_count + 1, sizeof(*metric->bounds));
    metric->bound_texts = mem_array(info->bucket_count + 1, sizeof(*metric->bound_texts));
    for (size_t i = 0; i < info->bucket_count; i++) {
        char text[METRIC_NUMBER_TEXT];

        metric->bounds[i] = info->buckets[i];
        metric_number(info->buckets[i], text);
        metric->bound_texts[i] = mem_dup(text);
    }
}

static void registry_insert(struct metric_registry *registry, struct metric *metric)
{
    size_t at = registry->count;

    registry->metrics = mem_grow(registry->metrics, registry->count, &registry->capacity,
                                 sizeof(*registry->metrics));
    for (; at > 0 && strcmp(registry->metrics[at - 1]->name, metric->name) > 0; at--)
        registry->metrics[at] = registry->metrics[at - 1];
    registry->metrics[at] = metric;
    registry->count++;
}

struct metric *metric_register(struct metric_registry *registry, const struct metric_info *info)
{
    struct metric *metric = mem_alloc(sizeof(*metric));

    metric->registry = registry;
    metric->name = mem_dup(info->name);
    metric->help = mem_dup(info->help);
    metric->type = info->type;
    metric->by_key = map_create();
    metric->is_sorted = true;
    copy_labels(metric, info);
    copy_buckets(metric, info);
    pthread_mutex_lock(&registry->mutex);
    registry_insert(registry, metric);
    pthread_mutex_unlock(&registry->mutex);
    return metric;
}

/* ---- series ---- */

static const char *value_of(const char *const *values, size_t i)
{
    return values && values[i] ? values[i] : "";
}

#define KEY_SPACE 512
/* A key that is usually built without the heap. */
struct key {
    char space[KEY_SPACE];
    char *text;
    size_t length;
};

static void key_init(struct key *key, const struct metric *metric, const char *const *values)
{
    size_t lengths[16], total = 0, count = metric->label_count, at = 0;

    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(value_of(values, i)) + 1;

        if (i < ARRAY_COUNT(lengths))
            lengths[i] = length;
        total += length;
    }
    key->text = total <= KEY_SPACE ? key->space : mem_alloc(total);
    key->length = total;
    for (size_t i = 0; i < count; i++) {
        const char *value = value_of(values, i);
        size_t length = i < ARRAY_COUNT(lengths) ? lengths[i] : strlen(value) + 1;

        memcpy(key->text + at, value, length);
        at += length;
    }
}

static void key_finish(struct key *key)
{
    if (key->text != key->space)
        free(key->text);
}

static struct str key_view(const struct key *key)
{
    return (struct str){ key->text, key->length };
}

static void labels_print(struct strbuf *out, const struct metric *metric, const char *const *values)
{
    for (size_t i = 0; i < metric->label_count; i++) {
        size_t label = metric->order[i];

        strbuf_printf(out, "%s%s=\"", i > 0 ? "," : "", metric->labels[label]);
        metric_escape(out, value_of(values, label), true);
        strbuf_putc(out, '"');
    }
}

static struct series *series_make(const struct metric *metric, const struct key *key,
                                  const char *const *values)
{
    AUTO_STRBUF struct strbuf labels = STRBUF_INIT;
    size_t size = sizeof(struct series);
    struct series *series;
    char *texts;

    if (metric->type == METRIC_HISTOGRAM)
        size += (metric->bucket_count + 1) * sizeof(series->buckets[0]);
    labels_print(&labels, metric, values);
    series = mem_alloc(size + labels.length + 1 + key->length);
    texts = (char *)series + size;
    if (labels.length > 0)
        memcpy(texts, labels.text, labels.length);
    memcpy(texts + labels.length + 1, key->text, key->length);
    series->labels = texts;
    series->labels_length = (uint32_t)labels.length;
    series->key = texts + labels.length + 1;
    series->key_length = (uint32_t)key->length;
    return series;
}

void metric_holes_close(struct metric *metric)
{
    size_t kept = 0;

    if (metric->holes == 0)
        return;
    for (size_t i = 0; i < metric->count; i++) {
        struct series *series = metric->series[i];

        if (!series)
            continue;
        series->place = kept;
        metric->series[kept++] = series;
    }
    metric->count = kept;
    metric->holes = 0;
}

static struct series *series_create(struct metric *metric, const struct key *key,
                                    const char *const *values)
{
    struct series *series = series_make(metric, key, values);

    if (metric->holes > metric->count / 2)
        metric_holes_close(metric);
    metric->series =
        mem_grow(metric->series, metric->count, &metric->capacity, sizeof(*metric->series));
    series->place = metric->count;
    metric->series[metric->count++] = series;
    metric->is_sorted = false;
    map_put(metric->by_key, key_view(key), series);
    return series;
}

/* Under the mutex: the series of these values, made when there is none yet. */
static struct series *series_get(struct metric *metric, const char *const *values)
{
    struct series *series;
    struct key key;

    key_init(&key, metric, values);
    series = map_get(metric->by_key, key_view(&key));
    if (!series)
        series = series_create(metric, &key, values);
    key_finish(&key);
    return series;
}

void metric_add(struct metric *metric, const char *const *values, double amount)
{
    if (!metric)
        return;
    pthread_mutex_lock(&metric->registry->mutex);
    series_get(metric, values)->value += amount;
    pthread_mutex_unlock(&metric->registry->mutex);
}

void metric_set(struct metric *metric, const char *const *values, double value)
{
    if (!metric)
        return;
    pthread_mutex_lock(&metric->registry->mutex);
    series_get(metric, values)->value = value;
    pthread_mutex_unlock(&metric->registry->mutex);
}

void metric_observe(struct metric *metric, const char *const *values, double value)
{
    struct series *series;
    size_t bucket = 0;

    if (!metric)
        return;
    while (bucket < metric->bucket_count && !(value <= metric->bounds[bucket]))
        bucket++;
    pthread_mutex_lock(&metric->registry->mutex);
    series = series_get(metric, values);
    series->value += value;
    series->count++;
    series->buckets[bucket]++;
    pthread_mutex_unlock(&metric->registry->mutex);
}

bool metric_read(const struct metric *metric, const char *const *values, double *value)
{
    const struct series *series;
    struct key key;

    *value = 0;
    if (!metric)
        return false;
    key_init(&key, metric, values);
    pthread_mutex_lock(&metric->registry->mutex);
    series = map_get(metric->by_key, key_view(&key));
    if (series)
        *value = metric->type == METRIC_HISTOGRAM ? (double)series->count : series->value;
    pthread_mutex_unlock(&metric->registry->mutex);
    key_finish(&key);
    return series != NULL;
}

/* ---- removal ---- */

static bool series_matches(const struct metric *metric, const struct series *series,
                           const char *const *match)
{
    const char *value = series->key;

    for (size_t i = 0; match && i < metric->label_count; i++) {
        if (match[i] && strcmp(match[i], value) != 0)
            return false;
        value += strlen(value) + 1;
    }
    return true;
}

static void series_remove(struct metric *metric, struct series *series)
{
    map_remove(metric->by_key, (struct str){ series->key, series->key_length });
    metric->series[series->place] = NULL;
    metric->holes++;
    free(series);
}

static size_t remove_matching(struct metric *metric, const char *const *match)
{
    size_t count = 0;

    for (size_t i = 0; i < metric->count; i++)
        if (metric->series[i] && series_matches(metric, metric->series[i], match)) {
            series_remove(metric, metric->series[i]);
            count++;
        }
    return count;
}

/* When every value is given there is at most one: no walk then. */
static size_t remove_one(struct metric *metric, const char *const *values)
{
    struct series *series;
    struct key key;

    key_init(&key, metric, values);
    series = map_get(metric->by_key, key_view(&key));
    key_finish(&key);
    if (series)
        series_remove(metric, series);
    return series ? 1 : 0;
}

static bool is_complete(const struct metric *metric, const char *const *match)
{
    for (size_t i = 0; i < metric->label_count; i++)
        if (!match || !match[i])
            return false;
    return true;
}

size_t metric_remove(struct metric *metric, const char *const *match)
{
    size_t count;

    if (!metric)
        return 0;
    pthread_mutex_lock(&metric->registry->mutex);
    count = is_complete(metric, match) ? remove_one(metric, match) : remove_matching(metric, match);
    pthread_mutex_unlock(&metric->registry->mutex);
    return count;
}

static size_t remove_by_label(struct metric *metric, const char *label, const char *value)
{
    const char **match = mem_array(metric->label_count + 1, sizeof(*match));
    bool has_label = false;
    size_t count = 0;

    for (size_t i = 0; i < metric->label_count; i++) {
        if (strcmp(metric->labels[i], label) == 0) {
            match[i] = value;
            has_label = true;
        }
    }
    if (has_label)
        count = remove_matching(metric, match);
    free(match);
    return count;
}

size_t metric_registry_remove_gauges(struct metric_registry *registry, const char *label,
                                     const char *value)
{
    size_t count = 0;

    pthread_mutex_lock(&registry->mutex);
    for (size_t i = 0; i < registry->count; i++)
        if (registry->metrics[i]->type == METRIC_GAUGE)
            count += remove_by_label(registry->metrics[i], label, value);
    pthread_mutex_unlock(&registry->mutex);
    return count;
}
