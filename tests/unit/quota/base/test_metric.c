#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "quota/base/mem.h"
#include "quota/base/metric.h"

#define VALUES(...) ((const char *const[]){ __VA_ARGS__ })
static const char *const queue_labels[] = { "queue", "class" };

static struct metric *add_metric(struct metric_registry *registry, const char *name,
                                 enum metric_type type)
{
    static const double buckets[] = { 0.005, 1, 2.5, 10240 };
    struct metric_info info = { .name = name,
                                .help = "What it is\\ in\nwords",
                                .type = type,
                                .labels = queue_labels,
                                .label_count = 2,
                                .buckets = buckets,
                                .bucket_count = type == METRIC_HISTOGRAM ? 4 : 0 };

    return metric_register(registry, &info);
}

static void assert_text(const struct metric_registry *registry, const char *expected)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    metric_text(registry, &text);
    assert_string_equal(text.text ? text.text : "", expected);
}

#define HELP(name) "# HELP " name " What it is\\\\ in\\nwords\n"

static void counters_and_gauges_are_sorted_by_name_and_labels(void **state)
{
    struct metric_registry *registry = metric_registry_create();
    struct metric *gauge = add_metric(registry, "b_gauge", METRIC_GAUGE);
    struct metric *counter = add_metric(registry, "a_total", METRIC_COUNTER);

    (void)state;
    metric_add(counter, VALUES("q2", "high"), 1);
    metric_add(counter, VALUES("q1", "high"), 1);
    metric_add(counter, VALUES("q1", "high"), 2);
    metric_add(counter, VALUES("q1", NULL), 1);
    metric_set(gauge, VALUES("q", "c"), 2.5);
    metric_set(gauge, VALUES("q", "c"), -1.5);
    assert_text(registry, HELP("a_total") "# TYPE a_total counter\n"
                                          "a_total{class=\"\",queue=\"q1\"} 1\n"
                                          "a_total{class=\"high\",queue=\"q1\"} 3\n"
                                          "a_total{class=\"high\",queue=\"q2\"} 1\n" HELP(
                                              "b_gauge") "# TYPE b_gauge gauge\n"
                                                         "b_gauge{class=\"c\",queue=\"q\"} -1.5\n");
    metric_registry_destroy(registry);
}

static void histograms_count_up_to_each_bound(void **state)
{
    struct metric_registry *registry = metric_registry_create();
    struct metric *histogram = add_metric(registry, "h_seconds", METRIC_HISTOGRAM);

    (void)state;
    metric_observe(histogram, VALUES("q", ""), 0.005);
    metric_observe(histogram, VALUES("q", ""), 1.5);
    metric_observe(histogram, VALUES("q", ""), 2.5);
    metric_observe(histogram, VALUES("q", ""), 99999);
    assert_text(registry,
                HELP("h_seconds") "# TYPE h_seconds histogram\n"
                                  "h_seconds_bucket{class=\"\",queue=\"q\",le=\"0.005\"} 1\n"
                                  "h_seconds_bucket{class=\"\",queue=\"q\",le=\"1\"} 1\n"
                                  "h_seconds_bucket{class=\"\",queue=\"q\",le=\"2.5\"} 3\n"
                                  "h_seconds_bucket{class=\"\",queue=\"q\",le=\"10240\"} 3\n"
                                  "h_seconds_bucket{class=\"\",queue=\"q\",le=\"+Inf\"} 4\n"
                                  "h_seconds_sum{class=\"\",queue=\"q\"} 100003.005\n"
                                  "h_seconds_count{class=\"\",queue=\"q\"} 4\n");
    metric_registry_destroy(registry);
}

static void a_metric_without_labels_has_no_braces(void **state)
{
    struct metric_registry *registry = metric_registry_create();
    double bounds[] = { 1 };
    struct metric *plain = metric_register(
        registry, &(struct metric_info){ .name = "a", .help = "A.", .type = METRIC_GAUGE });
    struct metric *histogram =
        metric_register(registry, &(struct metric_info){ .name = "b",
                                                         .help = "B.",
                                                         .type = METRIC_HISTOGRAM,
                                                         .buckets = bounds,
                                                         .bucket_count = 1 });

    (void)state;
    metric_set(plain, NULL, 7);
    metric_observe(histogram, NULL, 2);
    assert_text(registry, "# HELP a A.\n# TYPE a gauge\na 7\n# HELP b B.\n# TYPE b histogram\n"
                          "b_bucket{le=\"1\"} 0\nb_bucket{le=\"+Inf\"} 1\nb_sum 2\nb_count 1\n");
    metric_registry_destroy(registry);
}

static void a_metric_without_series_says_nothing(void **state)
{
    struct metric_registry *registry = metric_registry_create();
    struct metric *metric = add_metric(registry, "a", METRIC_COUNTER);

    (void)state;
    assert_text(registry, "");
    metric_add(metric, VALUES("q", ""), 1);
    assert_int_equal(metric_remove(metric, VALUES("q", NULL)), 1);
    assert_text(registry, "");
    metric_add(NULL, VALUES("q", ""), 1); /* switched off */
    metric_set(NULL, NULL, 1);
    metric_observe(NULL, NULL, 1);
    assert_int_equal(metric_remove(NULL, NULL), 0);
    metric_registry_destroy(registry);
}

static void numbers_and_label_values_are_written_as_the_format_asks(void **state)
{
    static const struct {
        double value;
        const char *text;
    } numbers[] = {
        { 0, "0" },
        { -0.5, "-0.5" },
        { 1e6, "1000000" },
        { 0.1, "0.1" },
        { 1.0 / 3, "0.3333333333333333" },
        { 1e300, "1e+300" },
        { INFINITY, "+Inf" },
        { -INFINITY, "-Inf" },
        { NAN, "NaN" },
        { -9007199254740991.0, "-9007199254740991" },
    };
    struct metric_registry *registry = metric_registry_create();
    struct metric *metric = add_metric(registry, "m", METRIC_GAUGE);
    char expected[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        metric_set(metric, VALUES("a\"b\\c\nd", "\xff\xC3\xA9"), numbers[i].value);
        snprintf(expected, sizeof(expected),
                 HELP("m") "# TYPE m gauge\nm{class=\"\xEF\xBF\xBD\xC3\xA9\","
                           "queue=\"a\\\"b\\\\c\\nd\"} %s\n",
                 numbers[i].text);
        assert_text(registry, expected);
    }
    metric_registry_destroy(registry);
}

static void series_go_by_any_label(void **state)
{
    struct metric_registry *registry = metric_registry_create();
    struct metric *metric = add_metric(registry, "m", METRIC_GAUGE);
    double value;

    (void)state;
    for (int i = 0; i < 100; i++) {
        char queue[16];

        snprintf(queue, sizeof(queue), "q%d", i % 10);
        metric_set(metric, VALUES(queue, i < 50 ? "low" : "high"), i);
    }
    assert_int_equal(metric_remove(metric, VALUES("q3", NULL)), 2);
    assert_int_equal(metric_remove(metric, VALUES("q3", NULL)), 0);
    assert_int_equal(metric_remove(metric, VALUES("q4", "low")), 1);
    assert_int_equal(metric_remove(metric, VALUES("q4", "none")), 0);
    assert_false(metric_read(metric, VALUES("q4", "low"), &value));
    assert_true(metric_read(metric, VALUES("q4", "high"), &value));
    assert_int_equal((int)value, 94);
    assert_int_equal(metric_remove(metric, VALUES(NULL, "high")), 9);
    assert_int_equal(metric_remove(metric, NULL), 8);
    metric_set(metric, VALUES("q3", "low"), 5);
    assert_true(metric_read(metric, VALUES("q3", "low"), &value));
    assert_int_equal((int)value, 5);
    metric_registry_destroy(registry);
}

static void series_come_and_go_one_by_one(void **state)
{
    static const char *const labels[] = { "x" };
    struct metric_registry *registry = metric_registry_create();
    struct metric *metric = metric_register(
        registry,
        &(struct metric_info){
            .name = "m", .help = "h", .labels = labels, .label_count = 1, .type = METRIC_GAUGE });
    char text[16];
    const char *values[] = { text };
    double value;

    (void)state;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 10; i++) {
            snprintf(text, sizeof(text), "%d", (i * 7) % 10);
            metric_set(metric, values, i);
        }
        for (int i = 0; i < 10; i += round < 99 ? 1 : 3) {
            snprintf(text, sizeof(text), "%d", i);
            assert_int_equal(metric_remove(metric, values), 1);
            assert_int_equal(metric_remove(metric, values), 0);
            assert_false(metric_read(metric, values, &value));
        }
    }
    assert_text(registry, "# HELP m h\n# TYPE m gauge\n"
                          "m{x=\"1\"} 3\nm{x=\"2\"} 6\nm{x=\"4\"} 2\n"
                          "m{x=\"5\"} 5\nm{x=\"7\"} 1\nm{x=\"8\"} 4\n");
    assert_int_equal(metric_remove(metric, NULL), 6);
    assert_text(registry, "");
    metric_registry_destroy(registry);
}

static void values_do_not_run_into_each_other(void **state)
{
    struct metric_registry *registry = metric_registry_create();
    struct metric *metric = add_metric(registry, "m", METRIC_COUNTER);
    double value;

    (void)state;
    metric_add(metric, VALUES("ab", "c"), 1);
    metric_add(metric, VALUES("a", "bc"), 1);
    assert_true(metric_read(metric, VALUES("ab", "c"), &value));
    assert_int_equal((int)value, 1);
    metric_registry_destroy(registry);
}

static void gauges_of_a_role_go_together(void **state)
{
    struct metric_registry *registry = metric_registry_create();
    struct metric *gauge = add_metric(registry, "g", METRIC_GAUGE);
    struct metric *counter = add_metric(registry, "c", METRIC_COUNTER);
    double value;

    (void)state;
    metric_set(gauge, VALUES("a", "follower"), 1);
    metric_set(gauge, VALUES("a", "leader"), 1);
    metric_add(counter, VALUES("a", "follower"), 1);
    assert_int_equal(metric_registry_remove_gauges(registry, "class", "follower"), 1);
    assert_int_equal(metric_registry_remove_gauges(registry, "other", "follower"), 0);
    assert_true(metric_read(gauge, VALUES("a", "leader"), &value));
    assert_true(metric_read(counter, VALUES("a", "follower"), &value));
    metric_registry_destroy(registry);
}

/* Against an obvious store: random sets and removals, then every value must be there. */
static void random_changes_agree_with_a_plain_table(void **state)
{
    enum { QUEUES = 20, CLASSES = 5 };
    struct metric_registry *registry = metric_registry_create();
    struct metric *metric = add_metric(registry, "m", METRIC_GAUGE);
    double table[QUEUES][CLASSES];
    unsigned seed = 7;

    (void)state;
    for (int q = 0; q < QUEUES; q++)
        for (int c = 0; c < CLASSES; c++)
            table[q][c] = -1;
    for (int step = 0; step < 20000; step++) {
        char queue[16], class[16];
        int q = rand_r(&seed) % QUEUES, c = rand_r(&seed) % CLASSES;

        snprintf(queue, sizeof(queue), "q%d", q);
        snprintf(class, sizeof(class), "c%d", c);
        if (rand_r(&seed) % 3) {
            metric_set(metric, VALUES(queue, class), step);
            table[q][c] = step;
        } else if (rand_r(&seed) % 20) {
            metric_remove(metric, VALUES(queue, class));
            table[q][c] = -1;
        } else {
            metric_remove(metric, VALUES(queue, NULL));
            for (int k = 0; k < CLASSES; k++)
                table[q][k] = -1;
        }
    }
    for (int q = 0; q < QUEUES; q++) {
        for (int c = 0; c < CLASSES; c++) {
            char queue[16], class[16];
            double value;

            snprintf(queue, sizeof(queue), "q%d", q);
            snprintf(class, sizeof(class), "c%d", c);
            assert_int_equal(metric_read(metric, VALUES(queue, class), &value), table[q][c] >= 0);
            if (table[q][c] >= 0)
                assert_int_equal((int)value, (int)table[q][c]);
        }
    }
    metric_registry_destroy(registry);
}

static void *count_up(void *metric)
{
    for (int i = 0; i < 5000; i++)
        metric_add(metric, VALUES(i % 2 ? "a" : "b", ""), 1);
    return NULL;
}

static void threads_count_together(void **state)
{
    struct metric_registry *registry = metric_registry_create();
    struct metric *metric = add_metric(registry, "m", METRIC_COUNTER);
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    pthread_t threads[4];
    double value;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, metric), 0);
    metric_text(registry, &text);
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_true(metric_read(metric, VALUES("a", ""), &value));
    assert_int_equal((int)value, 10000);
    metric_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges_are_sorted_by_name_and_labels),
        cmocka_unit_test(histograms_count_up_to_each_bound),
        cmocka_unit_test(a_metric_without_labels_has_no_braces),
        cmocka_unit_test(a_metric_without_series_says_nothing),
        cmocka_unit_test(numbers_and_label_values_are_written_as_the_format_asks),
        cmocka_unit_test(series_go_by_any_label),
        cmocka_unit_test(series_come_and_go_one_by_one),
        cmocka_unit_test(values_do_not_run_into_each_other),
        cmocka_unit_test(gauges_of_a_role_go_together),
        cmocka_unit_test(random_changes_agree_with_a_plain_table),
        cmocka_unit_test(threads_count_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
