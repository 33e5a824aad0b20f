/* Decisions and events of the engine at three sizes: microseconds as median and 99th percentile,
 * how they grow from size to size, and memory per pending workload. BENCH_QUICK shrinks the
 * sizes. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "tests/bench/measure.h"
#include "tests/bench/town.h"

enum { SIZES = 3, EVENTS = 10000, QUOTA = 4 };

enum what {
    YARDSTICK,
    CREATE,
    ADMIT_FIRST,
    ADMIT,
    CONFIRM,
    FINISH,
    PARK,
    CREATE_PARKED,
    DELETE,
    EDIT,
    UNPARK,
    PREEMPT_1,
    PREEMPT_10,
    PREEMPT_100,
    WHATS
};
static const char *const titles[WHATS] = {
    "yardstick: heap of numbers",
    "create, first",
    "admit, first cycle, per head",
    "admit, per head",
    "confirm a reservation",
    "finish",
    "park, per head",
    "create beside parked ones",
    "delete a parked one",
    "quota edit",
    "un-park after it, per workload",
    "preempt, 1 candidate",
    "preempt, 10 candidates",
    "preempt, 100 candidates",
};

struct figures {
    size_t pending;
    struct samples samples[WHATS];
    double bytes; /* per pending workload */
};

/* ---- measuring ---- */

static void note(struct figures *figures, enum what what, int64_t begin, size_t count)
{
    samples_add(&figures->samples[what],
                (double)(measure_cpu() - begin) / (double)(count > 0 ? count : 1));
}

static void cycle_note(struct town *town, struct figures *figures, enum what what)
{
    int64_t begin = measure_cpu();

    town_cycle(town);
    note(figures, what, begin, town->cycle.count);
}

static void expect(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static uint64_t number_in(const char *name)
{
    return strtoull(strrchr(name, '-') + 1, NULL, 10);
}

/* ---- a town where quota comes free all the time ---- */

static unsigned queue_of(uint64_t number)
{
    return (unsigned)(number * 7919 % TOWN_QUEUES);
}

static void fill(struct town *town, struct figures *figures)
{
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;

    while (town->created < figures->pending) {
        int64_t begin = measure_cpu();

        town_create(town, queue_of(town->created), 1000);
        note(figures, CREATE, begin, 1);
    }
    figures->bytes =
        (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / (double)figures->pending;
}

/* The answer to the write of each admission of the last cycle. */
static size_t confirm(struct town *town, struct figures *figures, uint64_t *admitted)
{
    size_t count = 0;

    for (size_t i = 0; i < town->cycle.count; i++) {
        uint64_t number = number_in(town->cycle.decisions[i].name);
        int64_t begin = measure_cpu();

        expect(town->cycle.decisions[i].outcome == OUTCOME_ADMITTED, "a head is not admitted");
        town_put(town, &(struct town_workload){ queue_of(number), number, 0, 1000, true });
        note(figures, CONFIRM, begin, 1);
        admitted[count++] = number;
    }
    return count;
}

static void turnover(struct town *town, struct figures *figures)
{
    uint64_t admitted[QUOTA * TOWN_QUEUES];
    size_t count = 0;

    for (int i = 0; i < QUOTA; i++) {
        cycle_note(town, figures, figures->samples[ADMIT_FIRST].count > 0 ? ADMIT : ADMIT_FIRST);
        count += confirm(town, figures, &admitted[count]);
    }
    for (size_t i = 0; i < count; i++) {
        int64_t begin = measure_cpu();

        town_remove(town, admitted[i]);
        note(figures, FINISH, begin, 1);
    }
    for (size_t i = 0; i < count; i++)
        town_create(town, queue_of(admitted[i]), 1000);
    town_settle(town);
}

static void busy_town(struct figures *figures)
{
    struct town town;

    town_open(&town, QUOTA);
    fill(&town, figures);
    for (int i = 0; i < (measure_quickly() ? 3 : 12); i++)
        turnover(&town, figures);
    town_close(&town);
}

/* ---- a town without free quota; cohort 0 is kept for preemption ---- */

static unsigned waiting_queue(uint64_t number)
{
    unsigned queue = queue_of(number);

    return queue % TOWN_COHORTS == 0 ? queue + 1 : queue;
}

static void town_occupy(struct town *town)
{
    for (unsigned queue = 0; queue < TOWN_QUEUES; queue++)
        if (queue % TOWN_COHORTS != 0)
            town_put(town, &(struct town_workload){ queue, town->created++, 100, 1000, true });
}

/* Shapes differ, so that no head is parked on the word of another (3.8). */
static int64_t milli_of(uint64_t number)
{
    return 100 + (int64_t)(number / TOWN_QUEUES % 900);
}

static void park_all(struct town *town, struct figures *figures)
{
    for (size_t i = 0; i < figures->pending; i++)
        town_create(town, waiting_queue(town->created), milli_of(town->created));
    while (engine_has_heads(town->engine))
        cycle_note(town, figures, PARK);
}

static void events(struct town *town, struct figures *figures)
{
    for (int i = 0; i < EVENTS; i++) {
        uint64_t oldest = TOWN_QUEUES + (uint64_t)i;
        int64_t begin = measure_cpu();

        town_create(town, waiting_queue(town->created), milli_of(town->created));
        note(figures, CREATE_PARKED, begin, 1);
        begin = measure_cpu();
        town_remove(town, oldest);
        note(figures, DELETE, begin, 1);
    }
    town_settle(town);
    while (engine_has_heads(town->engine))
        cycle_note(town, figures, PARK);
}

/* The edit, with all that the next decision needs recomputed; then the tree's un-parking. */
static void edits(struct town *town, struct figures *figures)
{
    for (unsigned i = 0; i < (measure_quickly() ? 20 : 100); i++) {
        unsigned queue = i * 37 % TOWN_QUEUES;
        struct queue_status status;
        char name[32];
        int64_t begin = measure_cpu();

        if (queue % TOWN_COHORTS == 0)
            continue;
        town_queue(town, queue, 0);
        engine_cycle(town->engine, town->now, &town->answer, &town->cycle);
        note(figures, EDIT, begin, 1);
        begin = measure_cpu();
        town_settle(town);
        snprintf(name, sizeof(name), "queue-%06u", queue);
        engine_cluster_queue_status(town->engine, name, &town->answer, &status);
        note(figures, UNPARK, begin, (size_t)status.pending_active * (TOWN_QUEUES / TOWN_COHORTS));
        while (engine_has_heads(town->engine))
            town_cycle(town);
    }
}

/* Queue 0 wants back what the other queues of its cohort borrowed, 'count' workloads in all. */
static void preemption(struct town *town, struct figures *figures, unsigned count, enum what what)
{
    uint64_t first = town->created;

    town_queue(town, 0, count);
    for (unsigned i = 0; i < count; i++) {
        unsigned borrower = TOWN_COHORTS * (1 + i % (TOWN_QUEUES / TOWN_COHORTS - 1));

        town_put(town, &(struct town_workload){ borrower, town->created++, 0, 1000, true });
    }
    for (int i = 0; i < (measure_quickly() ? 20 : 200); i++) {
        const struct decision *decision;

        town_create(town, 0, INT64_C(1000) * count);
        cycle_note(town, figures, what);
        decision = &town->cycle.decisions[0];
        expect(town->cycle.count == 1 && decision->victim_count == count,
               "not every candidate is a victim");
        for (uint64_t v = first; v < first + count; v++) {
            char name[64];

            snprintf(name, sizeof(name), "job-training-run-%06llu", (unsigned long long)v);
            engine_eviction_failed(town->engine, "default", name, false, town->now);
        }
        town_remove(town, town->created - 1);
        town_settle(town);
    }
    for (uint64_t v = first; v < first + count; v++)
        town_remove(town, v);
}

static void full_town(struct figures *figures)
{
    struct town town;

    town_open(&town, 1);
    for (unsigned queue = 0; queue < TOWN_QUEUES; queue += TOWN_COHORTS)
        town_queue(&town, queue, 0);
    town_occupy(&town);
    park_all(&town, figures);
    events(&town, figures);
    preemption(&town, figures, 1, PREEMPT_1);
    preemption(&town, figures, 10, PREEMPT_10);
    preemption(&town, figures, 100, PREEMPT_100);
    edits(&town, figures);
    town_close(&town);
}

/* ---- the report ---- */

static void row_print(struct figures figures[SIZES], enum what what)
{
    double first = samples_at(&figures[0].samples[what], 0.5);

    printf("%-32s", titles[what]);
    for (int i = 0; i < SIZES; i++)
        printf("  %9.2f %9.2f", samples_at(&figures[i].samples[what], 0.5) / 1000,
               samples_at(&figures[i].samples[what], 0.99) / 1000);
    printf("  %8.2f %8.2f\n", samples_at(&figures[1].samples[what], 0.5) / first,
           samples_at(&figures[2].samples[what], 0.5) / first);
}

static void report(struct figures figures[SIZES])
{
    printf("%u ClusterQueues in %u cohorts; processor microseconds: median, 99th percentile; "
           "growth of the median\n",
           TOWN_QUEUES, TOWN_COHORTS);
    printf("%-32s", "pending workloads");
    for (int i = 0; i < SIZES; i++)
        printf("  %19zu", figures[i].pending);
    printf("  %7.0fx %7.0fx\n", (double)figures[1].pending / (double)figures[0].pending,
           (double)figures[2].pending / (double)figures[0].pending);
    for (enum what what = 0; what < WHATS; what++)
        row_print(figures, what);
    printf("%-32s", "bytes per pending workload");
    for (int i = 0; i < SIZES; i++)
        printf("  %19.0f", figures[i].bytes);
    printf("\n");
}

int main(void)
{
    struct figures figures[SIZES] = { 0 };
    size_t pending = measure_quickly() ? 2000 : 10000;

    for (int i = 0; i < SIZES; i++, pending *= measure_quickly() ? 4 : 10) {
        figures[i].pending = pending;
        samples_add(&figures[i].samples[YARDSTICK], yardstick_heap(pending));
        busy_town(&figures[i]);
        full_town(&figures[i]);
    }
    report(figures);
    for (int i = 0; i < SIZES; i++)
        for (enum what what = 0; what < WHATS; what++)
            samples_finish(&figures[i].samples[what]);
    return 0;
}
