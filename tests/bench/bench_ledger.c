/* Group commit: durable reservations per second, and how long one waits for its commit. References
 * from the same folder and run: one commit per reservation, and a bare write of 4 KiB with
 * fdatasync. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quota/base/mem.h"
#include "quota/ledger/ledger.h"
#include "tests/bench/measure.h"

enum { RUNS = 5 };

struct answers { /* counted on the ledger thread */
    _Atomic unsigned count, failed;
};

static void answer_note(void *context, const struct err *error)
{
    struct answers *answers = context;

    if (error->code != ERR_NONE)
        atomic_fetch_add(&answers->failed, 1);
    atomic_fetch_add(&answers->count, 1);
}

static void answers_wait(struct answers *answers, unsigned count)
{
    while (atomic_load(&answers->count) < count)
        usleep(20);
    if (atomic_load(&answers->failed) > 0) {
        fprintf(stderr, "bench: the ledger did not write a reservation\n");
        exit(1);
    }
}

static void reserve(struct ledger *ledger, unsigned number, struct answers *answers)
{
    const struct ledger_amount amounts[] = { { "default", "cpu", 1000 },
                                             { "default", "memory", INT64_C(1) << 30 } };
    const struct ledger_pod_set pod_set = { "main", 1, amounts, 2 };
    char name[32], uid[48];
    struct ledger_record record = { .kind = LEDGER_INTENT, .time = measure_now() };

    snprintf(name, sizeof(name), "job-%08u", number);
    snprintf(uid, sizeof(uid), "7d1b6c1e-4f3a-4c59-9f0e-%012u", number);
    record.intent = (struct ledger_intent){
        ledger_intent_id(ledger), number, uid, "default", name, "queue", &pod_set, 1
    };
    ledger_submit(ledger, &record, answer_note, answers);
}

static struct ledger *ledger_begin(const char *path, unsigned batch)
{
    const struct ledger_options options = { .batch_records = batch };
    struct err e = { 0 };
    struct ledger *ledger = ledger_open(path, &options, &e);

    if (!ledger) {
        fprintf(stderr, "bench: %s\n", e.text);
        exit(1);
    }
    return ledger;
}

/* Reservations per second when 'count' of them come at once. */
static double burst(const char *path, unsigned batch, unsigned count)
{
    struct ledger *ledger = ledger_begin(path, batch);
    struct answers answers = { 0 };
    int64_t begin = measure_now();
    double seconds;

    for (unsigned i = 0; i < count; i++)
        reserve(ledger, i, &answers);
    answers_wait(&answers, count);
    seconds = (double)(measure_now() - begin) / 1e9;
    ledger_close(ledger);
    unlink(path);
    return count / seconds;
}

static void burst_print(const char *title, const char *path, unsigned batch, unsigned count,
                        double *median)
{
    struct samples samples = { 0 };

    for (int i = 0; i < RUNS; i++)
        samples_add(&samples, burst(path, batch, count));
    *median = samples_at(&samples, 0.5);
    printf("%-44s %10.0f  (%.0f to %.0f in %d runs)\n", title, *median, samples_at(&samples, 0),
           samples_at(&samples, 1), RUNS);
    samples_finish(&samples);
}

/* From hand-over to durable, for reservations that come alone or 'together' at a time. */
static void waits_print(const char *title, const char *path, unsigned together, double reference)
{
    struct ledger *ledger = ledger_begin(path, 0);
    unsigned rounds = measure_quickly() ? 50 : 1000;
    struct samples samples = { 0 };
    struct answers answers = { 0 };

    for (unsigned i = 0; i < rounds; i++) {
        int64_t begin = measure_now();

        for (unsigned k = 0; k < together; k++)
            reserve(ledger, i * together + k, &answers);
        answers_wait(&answers, (i + 1) * together);
        samples_add(&samples, (double)(measure_now() - begin));
    }
    printf("%-44s %7.0f %7.0f  x %.1f\n", title, samples_at(&samples, 0.5) / 1000,
           samples_at(&samples, 0.99) / 1000, samples_at(&samples, 0.5) / reference);
    samples_finish(&samples);
    ledger_close(ledger);
    unlink(path);
}

/* A bare write of 4 KiB at the end of a file, and its fdatasync. */
static double sync_print(const char *path)
{
    unsigned rounds = measure_quickly() ? 50 : 1000;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct samples samples = { 0 };
    char page[4096];
    double median;

    memset(page, 'x', sizeof(page));
    for (unsigned i = 0; i < rounds; i++) {
        int64_t begin = measure_now();

        if (fd < 0 || write(fd, page, sizeof(page)) != sizeof(page) || fdatasync(fd) != 0) {
            perror("bench: the file for the reference");
            exit(1);
        }
        samples_add(&samples, (double)(measure_now() - begin));
    }
    median = samples_at(&samples, 0.5);
    printf("%-44s %7.0f %7.0f  x 1.0\n", "reference: write 4 KiB and fdatasync", median / 1000,
           samples_at(&samples, 0.99) / 1000);
    samples_finish(&samples);
    close(fd);
    unlink(path);
    return median;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    AUTO_FREE char *path = mem_format("%s/bench-%d.ledger", folder, (int)getpid());
    unsigned count = measure_quickly() ? 2000 : 50000;
    double one, group, bare;

    printf("durable reservations per second, %u at once; median\n", count);
    burst_print("reference: one per commit", path, 1, count / 10, &one);
    burst_print("group commit", path, 0, count, &group);
    printf("%-44s %10.1f\n", "group commit, times the reference", group / one);
    printf(
        "the wait until durable in microseconds; median, 99th percentile, times the bare write\n");
    bare = sync_print(path);
    waits_print("one reservation alone", path, 1, bare);
    waits_print("64 that come together, until the last", path, 64, bare);
    return 0;
}
