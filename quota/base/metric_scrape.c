/* The text of all metrics (metric.h), as a scrape gets it. */
#include <stdlib.h>

#include "quota/base/metric_private.h"
#include "quota/base/metric_text.h"

#define LINE_REST (METRIC_NUMBER_TEXT + 16) /* number, braces, le="", blank, end of line */
#define AHEAD 8 /* series fetched before their turn: in order of labels they lie anywhere */

static int by_labels(const void *a, const void *b)
{
    return strcmp((*(struct series *const *)a)->labels, (*(struct series *const *)b)->labels);
}

static char *put(char *at, const char *text, size_t length)
{
    memcpy(at, text, length);
    return at + length;
}

/* One line; 'bound' is that of a bucket, or NULL. Most of a scrape is spent here. */
static void print_line(struct strbuf *out, const struct metric *metric, const char *suffix,
                       const struct series *series, const char *bound, double value)
{
    size_t name = strlen(metric->name), end = strlen(suffix), limit = bound ? strlen(bound) : 0;
    char *begin = strbuf_space(out, name + end + series->labels_length + limit + LINE_REST);
    char *at = put(put(begin, metric->name, name), suffix, end);

    if (series->labels_length > 0 || bound)
        *at++ = '{';
    at = put(at, series->labels, series->labels_length);
    if (bound) {
        if (series->labels_length > 0)
            *at++ = ',';
        at = put(at, "le=\"", 4);
        at = put(at, bound, limit);
        *at++ = '"';
    }
    if (series->labels_length > 0 || bound)
        *at++ = '}';
    *at++ = ' ';
    at += metric_number(value, at);
    *at++ = '\n';
    strbuf_grown(out, (size_t)(at - begin));
}

static void print_histogram(struct strbuf *out, const struct metric *metric,
                            const struct series *series)
{
    uint64_t count = 0;

    for (size_t i = 0; i < metric->bucket_count; i++) {
        count += series->buckets[i];
        print_line(out, metric, "_bucket", series, metric->bound_texts[i], (double)count);
    }
    print_line(out, metric, "_bucket", series, "+Inf", (double)series->count);
    print_line(out, metric, "_sum", series, NULL, series->value);
    print_line(out, metric, "_count", series, NULL, (double)series->count);
}

static void series_sort(struct metric *metric)
{
    metric_holes_close(metric);
    if (metric->is_sorted)
        return;
    qsort(metric->series, metric->count, sizeof(*metric->series), by_labels);
    for (size_t i = 0; i < metric->count; i++)
        metric->series[i]->place = i;
    metric->is_sorted = true;
}

static void print_metric(struct strbuf *out, struct metric *metric)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };

    series_sort(metric);
    if (metric->count == 0)
        return;
    strbuf_printf(out, "# HELP %s ", metric->name);
    metric_escape(out, metric->help, false);
    strbuf_printf(out, "\n# TYPE %s %s\n", metric->name, types[metric->type]);
    for (size_t i = 0; i < metric->count; i++) {
        if (i + AHEAD < metric->count)
            __builtin_prefetch(metric->series[i + AHEAD]);
        if (metric->type == METRIC_HISTOGRAM)
            print_histogram(out, metric, metric->series[i]);
        else
            print_line(out, metric, "", metric->series[i], NULL, metric->series[i]->value);
    }
}

void metric_text(const struct metric_registry *registry, struct strbuf *out)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)(uintptr_t)&registry->mutex;

    for (size_t i = 0; i < registry->count; i++) {
        pthread_mutex_lock(mutex);
        print_metric(out, registry->metrics[i]);
        pthread_mutex_unlock(mutex);
    }
}
