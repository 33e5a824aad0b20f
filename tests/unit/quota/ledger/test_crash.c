#include "tests/unit/quota/ledger/support.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/quota/ledger/support_vfs.h"

#define FILE_NAME "/ledger"

/* The script: what a controller would submit, closed and opened again in the middle. Each group is
 * submitted at once and waited for, so that transactions hold one record or several. */
enum { RECORDS = 16, MIDDLE = 9 };

static const unsigned char group_ends[RECORDS] = { 1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1 };
static const struct ledger_options options = { .vfs = "fault", .batch_wait_ns = 1 };

static struct ledger_record record_of(struct ledger *l, int step, uint64_t *intents)
{
    static const struct ledger_amount amounts[] = { { "h100", "gpu", 8 }, { "x86", "cpu", 100 } };
    static char uids[RECORDS][8];
    struct ledger_record record;

    snprintf(uids[step], sizeof(uids[step]), "w%d", step % 4);
    switch (step % 5) {
    case 0:
    case 1:
        record = gang(l, step + 1, uids[step], step);
        intents[step] = record.intent.id;
        return record;
    case 2:
        return usage(step + 1, uids[step], amounts, 1 + (size_t)step % 2);
    case 3:
        return resolution(step + 1, intents[step - 3], step % 2, "conflict");
    default:
        return step % 2 ? usage(step + 1, "w2", NULL, 0)
                        : decision(step + 1, uids[step], "Admitted");
    }
}

struct outcome {
    unsigned submitted;
    unsigned acknowledged; /* all up to here are answered with success */
    unsigned durable;      /* of these, up to the last one that was synced */
};

static bool is_synced_kind(int step)
{
    return step % 5 == 0 || step % 5 == 1;
}

/* Submit one group starting at 'step'. Returns the step after it; *fine: all was written. */
static int group_submit(struct ledger *l, int step, int end, uint64_t *intents,
                        struct outcome *outcome, bool *fine)
{
    struct answers answers = { 0 };
    unsigned count = 0;

    do {
        struct ledger_record record = record_of(l, step, intents);

        ledger_submit(l, &record, answers_note, &answers);
        count++;
    } while (!group_ends[step++] && step < end);
    answers_wait(&answers, count);
    outcome->submitted += count;
    *fine = answers.failed == 0;
    if (!*fine)
        return step;
    for (int i = step - (int)count; i < step; i++) {
        outcome->acknowledged++;
        if (is_synced_kind(i))
            outcome->durable = outcome->acknowledged;
    }
    return step;
}

static bool part_run(int step, int end, uint64_t *intents, struct outcome *outcome)
{
    struct ledger *l = ledger_open(FILE_NAME, &options, NULL);
    bool fine = l != NULL;

    while (fine && step < end)
        step = group_submit(l, step, end, intents, outcome, &fine);
    ledger_close(l);
    return fine;
}

static struct outcome script_run(void)
{
    uint64_t intents[RECORDS] = { 0 };
    struct outcome outcome = { 0, 0, 0 };

    if (part_run(0, MIDDLE, intents, &outcome))
        (void)part_run(MIDDLE, RECORDS, intents, &outcome);
    return outcome;
}

/* ---- what is in the file ---- */

static int add_row(void *context, int count, char **values, char **names)
{
    (void)names;
    for (int i = 0; i < count; i++)
        strbuf_printf(context, "%s|", values[i] ? values[i] : "-");
    strbuf_putc(context, '\n');
    return 0;
}

/* Everything but the count of starts, as text. Ids of intervals are kept: order matters. */
static char *state_text(void)
{
    static const char sql[] =
        "PRAGMA locking_mode=EXCLUSIVE; SELECT 'intent', * FROM intents; SELECT * FROM"
        " intent_pod_sets; SELECT * FROM intent_amounts; SELECT 'usage', * FROM usage;"
        " SELECT 'decision', * FROM decisions; PRAGMA integrity_check;"
        " SELECT 'broken', i.id FROM intents i WHERE pod_sets <>"
        " (SELECT count(*) FROM intent_pod_sets p WHERE p.intent = i.id);";
    struct strbuf text = STRBUF_INIT;
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open_v2(FILE_NAME, &db, SQLITE_OPEN_READWRITE, "fault"), SQLITE_OK);
    if (sqlite3_exec(db, sql, add_row, &text, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    return strbuf_take(&text);
}

static char *prefixes[RECORDS + 1]; /* the state after each number of records */

/* Ids of intents depend on the number of starts, so a prefix that reaches into the second part is
 * made with the same two parts. */
static int prefixes_make(void **state)
{
    (void)state;
    fault_disk_install();
    for (int end = 0; end <= RECORDS; end++) {
        uint64_t intents[RECORDS] = { 0 };
        struct outcome outcome = { 0, 0, 0 };

        fault_disk_wipe();
        assert_true(part_run(0, end < MIDDLE ? end : MIDDLE, intents, &outcome));
        if (end > MIDDLE)
            assert_true(part_run(MIDDLE, end, intents, &outcome));
        assert_int_equal(outcome.acknowledged, end);
        prefixes[end] = state_text();
    }
    return 0;
}

static int prefixes_drop(void **state)
{
    (void)state;
    for (int i = 0; i <= RECORDS; i++)
        free(prefixes[i]);
    fault_disk_wipe();
    return 0;
}

static void expect_prefix(unsigned from, unsigned to, const char *what, unsigned long call)
{
    AUTO_FREE char *text = NULL;
    struct err e = { ERR_NONE, "" };
    struct ledger *l = ledger_open(FILE_NAME, &options, &e);

    if (!l)
        fail_msg("%s at call %lu: %s", what, call, e.text);
    if (ledger_found(l)->damaged)
        fail_msg("%s at call %lu: %s", what, call, ledger_found(l)->damage);
    ledger_close(l);
    text = state_text();
    for (unsigned i = from; i <= to; i++)
        if (strcmp(text, prefixes[i]) == 0)
            return;
    fail_msg("%s at call %lu: no prefix of %u to %u records:\n%s", what, call, from, to, text);
}

static void kill_at_every_call(void **state)
{
    unsigned long call = 1;

    (void)state;
    for (;; call++) {
        struct outcome outcome;

        fault_disk_wipe();
        fault_disk_plan(FAULT_KILL, call, 0);
        outcome = script_run();
        if (!fault_disk_struck())
            break;
        fault_disk_restart();
        expect_prefix(outcome.acknowledged, outcome.submitted, "kill", call);
    }
    assert_true(call > 150);
}

/* What is kept of the unsynced writes is drawn: twice for each call. */
static void power_loss_at_every_call(void **state)
{
    unsigned long call = 1;
    bool struck = true;

    (void)state;
    for (; struck; call++)
        for (unsigned seed = 0; seed < 2 && struck; seed++) {
            struct outcome outcome;

            fault_disk_wipe();
            fault_disk_plan(FAULT_POWER, call, (unsigned)call * 2 + seed);
            outcome = script_run();
            struck = fault_disk_struck();
            fault_disk_restart();
            expect_prefix(outcome.durable, outcome.submitted, "power loss", call);
        }
    assert_true(call > 150);
}

/* A group that was refused is there as a whole or not at all, and so are those before it. */
static void an_error_at_every_call(void **state)
{
    static const enum fault faults[] = { FAULT_ONCE, FAULT_FULL, FAULT_SYNC };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        unsigned long call = 1;
        bool struck = true;

        for (; struck; call++) {
            struct outcome outcome;

            fault_disk_wipe();
            fault_disk_plan(faults[i], call, 0);
            outcome = script_run();
            struck = fault_disk_struck();
            fault_disk_restart();
            expect_prefix(outcome.acknowledged, outcome.submitted, "error", call);
        }
        assert_true(call > 150);
    }
}

/* ---- errors that pass ---- */

struct states {
    unsigned failed, recovered;
};

static void state_note(void *context, bool failed, const char *why)
{
    struct states *states = context;

    (void)why;
    __atomic_add_fetch(failed ? &states->failed : &states->recovered, 1, __ATOMIC_RELEASE);
}

static void wait_for(const unsigned *value, unsigned wanted)
{
    for (int i = 0; i < 100000 && __atomic_load_n(value, __ATOMIC_ACQUIRE) < wanted; i++)
        usleep(1000);
    assert_int_equal(__atomic_load_n(value, __ATOMIC_ACQUIRE), wanted);
}

static void submit_and_wait(struct ledger *l, int64_t time, bool works)
{
    struct answers answers = { 0 };
    struct ledger_record record = gang(l, time, "w", 3);

    ledger_submit(l, &record, answers_note, &answers);
    answers_wait(&answers, 1);
    assert_int_equal(answers.failed, !works);
    if (!works)
        assert_int_equal(answers.last.code, ERR_IO);
    assert_int_equal(ledger_failed(l), !works);
}

static void a_passing_error_is_reported_and_overcome(void **state)
{
    static const enum fault faults[] = { FAULT_FULL, FAULT_SYNC };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        struct states states = { 0, 0 };
        struct ledger_options watched = options;
        struct ledger *l;

        watched.state_changed = state_note;
        watched.state_context = &states;
        fault_disk_wipe();
        l = ledger_open(FILE_NAME, &watched, NULL);
        assert_non_null(l);
        submit_and_wait(l, 1, true);
        fault_disk_plan(faults[i], 1, 0);
        submit_and_wait(l, 2, false);
        submit_and_wait(l, 3, false);
        assert_int_equal(states.failed, 1);
        assert_int_equal(ledger_counts(l).failed, 2);
        fault_disk_plan(FAULT_NONE, 0, 0);
        wait_for(&states.recovered, 1);
        submit_and_wait(l, 4, true);
        ledger_close(l);
        l = ledger_open(FILE_NAME, &options, NULL);
        assert_non_null(l);
        /* The refused one may have reached the file before its sync failed: it was not confirmed,
         * and is found open like any other. */
        assert_true(ledger_found(l)->intent_count == 2 || ledger_found(l)->intent_count == 3);
        assert_int_equal(ledger_found(l)->intents[ledger_found(l)->intent_count - 1].time, 4);
        ledger_close(l);
    }
}

static void a_full_disk_at_start_is_an_error_that_names_it(void **state)
{
    unsigned long call = 1;

    (void)state;
    for (;; call++) {
        struct err e = { ERR_NONE, "" };
        struct ledger *l;

        fault_disk_wipe();
        fault_disk_plan(FAULT_FULL, call, 0);
        l = ledger_open(FILE_NAME, &options, &e);
        if (l) {
            ledger_close(l);
            break;
        }
        assert_int_equal(e.code, ERR_IO);
        assert_non_null(strstr(e.text, "full"));
        fault_disk_restart();
        l = ledger_open(FILE_NAME, &options, &e);
        if (!l)
            fail_msg("after call %lu: %s", call, e.text);
        assert_null(ledger_found(l)->damaged);
        ledger_close(l);
    }
    assert_true(call > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_at_every_call),
        cmocka_unit_test(power_loss_at_every_call),
        cmocka_unit_test(an_error_at_every_call),
        cmocka_unit_test(a_passing_error_is_reported_and_overcome),
        cmocka_unit_test(a_full_disk_at_start_is_an_error_that_names_it),
    };

    return cmocka_run_group_tests(tests, prefixes_make, prefixes_drop);
}
