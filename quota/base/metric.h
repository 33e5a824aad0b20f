/* metric.h - counters, gauges and histograms, and their text in the format of Prometheus.
 *
 * A registry holds metrics, a metric holds one series per combination of label values. All calls
 * but create and destroy may come from any thread: one mutex per registry, held for a look-up and
 * an addition, and by metric_text for one metric at a time. Registering the same thing happens
 * once, at start. Values are floating point, as the format asks for; no decision is made with
 * them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "quota/base/str.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_registry;
struct metric;

/* What a metric is. Texts and lists are copied. */
struct metric_info {
    const char *name, *help;
    enum metric_type type;
    const char *const *labels; /* names, in the order in which values are given */
    size_t label_count;
    const double *buckets; /* histograms: upper bounds, ascending, without +Inf */
    size_t bucket_count;
};

struct metric_registry *metric_registry_create(void);
void metric_registry_destroy(struct metric_registry *registry); /* with all metrics; NULL is fine */
struct metric *metric_register(struct metric_registry *registry, const struct metric_info *info);

/* 'values' has one text per label; NULL counts as "". Bytes that are not UTF-8 appear as U+FFFD.
 * A NULL metric is silently left alone, so that what is switched off needs no check. */
void metric_add(struct metric *metric, const char *const *values, double amount);
void metric_set(struct metric *metric, const char *const *values, double value);
void metric_observe(struct metric *metric, const char *const *values, double value);

/* Remove the series that carry all given values; NULL in 'match' stands for any value, a NULL
 * 'match' for all series. Returns how many went. */
size_t metric_remove(struct metric *metric, const char *const *match);
/* In every gauge of the registry: the series in which 'label' is 'value'. */
size_t metric_registry_remove_gauges(struct metric_registry *registry, const char *label,
                                     const char *value);

/* One value for tests and status pages: a counter's or gauge's value, a histogram's count. False
 * (and 0) when there is no such series. */
bool metric_read(const struct metric *metric, const char *const *values, double *value);

/* Append the text of everything, in order of names: HELP, TYPE, then series sorted by their labels,
 * which are printed in order of names. A metric without series says nothing. */
void metric_text(const struct metric_registry *registry, struct strbuf *out);
