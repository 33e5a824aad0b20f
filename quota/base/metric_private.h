/* metric_private.h - what metric.c and metric_scrape.c share, and nobody else.
 *
 * Everything but names, labels and bounds is read and changed under the registry's mutex. */
#pragma once

#include <pthread.h>

#include "quota/base/map.h"
#include "quota/base/metric.h"

/* With its texts behind it in one piece of memory: a scrape reads them all. */
struct series {
    size_t place;       /* in metric->series */
    double value;       /* histograms: the sum */
    const char *labels; /* name="value",... in order of names, escaped */
    const char *key;    /* label values in the given order, each with its NUL */
    uint32_t labels_length, key_length;
    uint64_t count;     /* histograms: observations */
    uint64_t buckets[]; /* histograms: observations per bucket, not cumulated */
};

struct metric {
    struct metric_registry *registry;
    char *name, *help;
    enum metric_type type;
    char **labels;
    size_t *order; /* label indexes by name */
    size_t label_count;
    double *bounds;
    char **bound_texts;
    size_t bucket_count;
    struct map *by_key;
    struct series **series; /* sorted by 'labels' when 'is_sorted'; NULL where one was removed */
    size_t count, capacity; /* with the holes */
    size_t holes;
    bool is_sorted;
};

struct metric_registry {
    pthread_mutex_t mutex;
    struct metric **metrics; /* sorted by name */
    size_t count, capacity;
};

/* Leave out the holes, keeping the order. */
void metric_holes_close(struct metric *metric);
