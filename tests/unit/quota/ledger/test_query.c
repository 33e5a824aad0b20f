#include "tests/unit/quota/ledger/support.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "quota/base/clock.h"

#define SECOND NANOSECONDS_PER_SECOND
#define START (INT64_C(1767323045) * SECOND) /* 2026-01-02T03:04:05Z */

static const struct ledger_query everything = { NULL, NULL, TIME_NONE, TIME_NONE, 0, true };

static void submit(struct ledger *l, struct ledger_record record)
{
    ledger_submit(l, &record, NULL, NULL);
}

static struct ledger_record workload(int64_t time, const char *name, const char *queue)
{
    return (struct ledger_record){ .kind = LEDGER_WORKLOAD,
                                   .time = time,
                                   .workload = { .uid = name,
                                                 .namespace = "team-a",
                                                 .name = name,
                                                 .queue = queue,
                                                 .cluster_queue = "research",
                                                 .created = time } };
}

static void story_write(struct ledger *l)
{
    static const struct ledger_amount held[] = { { "h100", "cpu", 1500 } };
    struct ledger_record intent = gang(l, START + 2 * SECOND, "one", 4);
    struct ledger_record inputs = decision(START + SECOND, "one", "Pending");

    inputs.decision.inputs = "{\"head\":[1,2]}";
    submit(l, (struct ledger_record){
                  .kind = LEDGER_OBJECT,
                  .time = START,
                  .object = { "ClusterQueue", "research", "{\"cohort\":\"x\"}" } });
    submit(l, (struct ledger_record){ .kind = LEDGER_OBJECT,
                                      .time = START,
                                      .object = { "LocalQueue", "team-a/main", "{}" } });
    submit(l, workload(START, "one", "main"));
    submit(l, workload(START, "two", "spare"));
    submit(l, inputs);
    submit(l, decision(START + SECOND + 5, "two", "Skipped"));
    submit(l, intent);
    submit(l, usage(START + 2 * SECOND, "one", held, 1));
    submit(l, resolution(START + 3 * SECOND, intent.intent.id, true, ""));
    submit(l, usage(START + 9 * SECOND, "one", NULL, 0));
}

static struct place story_make(void)
{
    struct place p = place_make();
    struct ledger *l = ledger_open(p.path, NULL, NULL);

    assert_non_null(l);
    story_write(l);
    ledger_close(l);
    return p;
}

/* The answer as text; heap. */
static char *history_of(const struct place *p, const struct ledger_query *query)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct err e = { ERR_NONE, "" };

    if (ledger_file_history(p->path, query, out, &e) < 0)
        fail_msg("%s", e.text);
    fclose(out);
    return text;
}

static json_t *rows_of(const struct place *p, const struct ledger_query *query)
{
    AUTO_FREE char *text = history_of(p, query);
    json_error_t error;
    json_t *rows = json_loads(text, 0, &error);

    if (!rows)
        fail_msg("%s in %s", error.text, text);
    assert_true(json_is_array(rows));
    return rows;
}

static const char *text_at(const json_t *rows, size_t at, const char *key)
{
    const char *text = json_string_value(json_object_get(json_array_get(rows, at), key));

    return text ? text : "(none)";
}

static long long number_at(const json_t *rows, size_t at, const char *key)
{
    return json_integer_value(json_object_get(json_array_get(rows, at), key));
}

static void history_tells_what_happened_in_order(void **state)
{
    static const char *const kinds[] = { "object",   "object",      "decision",
                                         "decision", "reservation", "usage" };
    struct place p = story_make();
    json_t *rows = rows_of(&p, &everything), *pod_sets;

    (void)state;
    assert_int_equal(json_array_size(rows), ARRAY_COUNT(kinds));
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        assert_string_equal(text_at(rows, i, "kind"), kinds[i]);
    assert_string_equal(text_at(rows, 0, "object"), "ClusterQueue/research");
    assert_string_equal(text_at(rows, 0, "time"), "2026-01-02T03:04:05Z");
    assert_true(json_is_object(json_object_get(json_array_get(rows, 0), "spec")));
    assert_string_equal(text_at(rows, 2, "workload"), "team-a/one");
    assert_string_equal(text_at(rows, 2, "clusterQueue"), "research");
    assert_string_equal(text_at(rows, 2, "outcome"), "Pending");
    assert_string_equal(text_at(rows, 2, "message"), "couldn't assign flavors");
    assert_true(json_is_object(json_object_get(json_array_get(rows, 2), "inputs")));
    assert_int_equal(number_at(rows, 2, "cycle"), 7);
    assert_string_equal(text_at(rows, 3, "time"), "2026-01-02T03:04:06.000000005Z");
    assert_string_equal(text_at(rows, 4, "state"), "confirmed");
    assert_string_equal(text_at(rows, 4, "closed"), "2026-01-02T03:04:08Z");
    pod_sets = json_object_get(json_array_get(rows, 4), "podSets");
    assert_int_equal(json_array_size(pod_sets), 2);
    assert_int_equal(number_at(pod_sets, 1, "count"), 4);
    assert_int_equal(
        number_at(json_object_get(json_array_get(pod_sets, 1), "amounts"), 0, "amount"), 8);
    assert_string_equal(text_at(rows, 5, "flavor"), "h100");
    assert_int_equal(number_at(rows, 5, "amount"), 1500);
    assert_string_equal(text_at(rows, 5, "until"), "2026-01-02T03:04:14Z");
    json_decref(rows);
    expect_sound(p.path);
    place_remove(&p);
}

static const struct {
    struct ledger_query query;
    size_t rows;
} filters[] = {
    { { "team-a/one", NULL, TIME_NONE, TIME_NONE, 0, true }, 3 },
    { { "team-a/two", NULL, TIME_NONE, TIME_NONE, 0, true }, 1 },
    { { "team-b/one", NULL, TIME_NONE, TIME_NONE, 0, true }, 0 },
    { { "one", NULL, TIME_NONE, TIME_NONE, 0, true }, 0 }, /* namespace "default" */
    { { NULL, "research", TIME_NONE, TIME_NONE, 0, true }, 5 },
    { { NULL, "other", TIME_NONE, TIME_NONE, 0, true }, 0 },
    { { NULL, "team-a/main", TIME_NONE, TIME_NONE, 0, true }, 4 },
    { { NULL, "team-a/spare", TIME_NONE, TIME_NONE, 0, true }, 1 },
    { { "team-a/one", "team-a/spare", TIME_NONE, TIME_NONE, 0, true }, 0 },
    { { NULL, NULL, START + SECOND, TIME_NONE, 0, true }, 4 },
    { { NULL, NULL, TIME_NONE, START + SECOND, 0, true }, 2 },
    { { NULL, NULL, START + SECOND, START + SECOND + 1, 0, true }, 1 },
    { { NULL, NULL, TIME_NONE, TIME_NONE, 3, true }, 3 },
};

static void history_can_be_filtered(void **state)
{
    struct place p = story_make();

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(filters); i++) {
        json_t *rows = rows_of(&p, &filters[i].query);

        if (json_array_size(rows) != filters[i].rows)
            fail_msg("filter %zu: %zu rows", i, json_array_size(rows));
        json_decref(rows);
    }
    place_remove(&p);
}

static void history_is_a_table_for_people(void **state)
{
    struct place p = story_make();
    const struct ledger_query query = { "team-a/one", NULL, TIME_NONE, TIME_NONE, 0, false };
    AUTO_FREE char *text = history_of(&p, &query);

    (void)state;
    assert_string_equal(
        text,
        "TIME                         SUBJECT                           CLUSTERQUEUE          "
        "WHAT\n"
        "2026-01-02T03:04:06.000000Z  team-a/one                        research              "
        "Pending (Pending): couldn't assign flavors\n"
        "2026-01-02T03:04:07.000000Z  team-a/one                        research              "
        "reservation confirmed\n"
        "2026-01-02T03:04:07.000000Z  team-a/one                        research              "
        "holds 1500m cpu of h100 until 2026-01-02T03:04:14Z\n");
    place_remove(&p);
}

/* Many rows with equal times: slices must neither skip nor repeat. */
static void slices_join_without_a_seam(void **state)
{
    enum { ROWS = 2000 };
    struct place p = place_make();
    struct ledger *l = ledger_open(p.path, NULL, NULL);
    json_t *rows;

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        submit(l, decision(START + i / 700 * SECOND, "w", i % 2 ? "a" : "b"));
        submit(l, gang(l, START + i / 700 * SECOND, "w", 1));
    }
    ledger_close(l);
    rows = rows_of(&p, &everything);
    assert_int_equal(json_array_size(rows), 2 * ROWS);
    for (size_t i = 1; i < 2 * ROWS; i++) {
        assert_true(strcmp(text_at(rows, i - 1, "time"), text_at(rows, i, "time")) <= 0);
        if (strcmp(text_at(rows, i, "kind"), "reservation") == 0 &&
            strcmp(text_at(rows, i - 1, "kind"), "reservation") == 0)
            assert_true(number_at(rows, i - 1, "id") < number_at(rows, i, "id"));
    }
    json_decref(rows);
    place_remove(&p);
}

/* ---- on a live ledger ---- */

struct listener {
    struct strbuf text;
    struct err error;
    unsigned pieces, stop_after;
    int ended;
};

static bool listen(void *context, struct str piece, bool last, const struct err *error)
{
    struct listener *listener = context;

    strbuf_str(&listener->text, piece);
    listener->pieces++;
    if (last)
        listener->error = *error;
    if (last || listener->pieces == listener->stop_after)
        __atomic_store_n(&listener->ended, 1, __ATOMIC_RELEASE);
    return listener->pieces != listener->stop_after;
}

static void listener_wait(struct listener *listener)
{
    for (int i = 0; i < 100000 && !__atomic_load_n(&listener->ended, __ATOMIC_ACQUIRE); i++)
        usleep(1000);
    assert_true(listener->ended);
}

static void a_live_ledger_answers_while_it_writes(void **state)
{
    enum { ROWS = 3000 };
    struct place p = place_make();
    struct ledger *l = ledger_open(p.path, NULL, NULL);
    struct listener all = { STRBUF_INIT, { ERR_NONE, "" }, 0, 0, 0 }, some = all;
    struct answers answers = { 0 };
    struct ledger_query query = everything;
    json_t *rows;

    (void)state;
    some.stop_after = 2;
    for (int i = 0; i < ROWS; i++)
        submit(l, decision(START + i, "w", "Pending"));
    ledger_ask(l, &query, listen, &all);
    ledger_ask(l, &query, listen, &some);
    for (int i = 0; i < 50; i++) {
        struct ledger_record record = gang(l, START - 1, "w", 1); /* before what is shown */

        ledger_submit(l, &record, answers_note, &answers);
    }
    answers_wait(&answers, 50);
    listener_wait(&all);
    listener_wait(&some);
    assert_int_equal(all.error.code, ERR_NONE);
    assert_true(all.pieces >= ROWS / 256);
    assert_int_equal(some.pieces, 2);
    rows = json_loads(all.text.text, 0, NULL);
    assert_non_null(rows);
    assert_true(json_array_size(rows) <= ROWS + 50);
    json_decref(rows);
    ledger_close(l);
    strbuf_finish(&all.text);
    strbuf_finish(&some.text);
    place_remove(&p);
}

static void closing_answers_questions_that_wait(void **state)
{
    struct place p = place_make();
    struct ledger *l = ledger_open(p.path, NULL, NULL);
    struct listener all = { STRBUF_INIT, { ERR_NONE, "" }, 0, 0, 0 };
    struct answers answers = { 0 };
    AUTO_FREE char *copy = mem_format("%s/copy.db", p.folder);

    (void)state;
    for (int i = 0; i < 5000; i++)
        submit(l, decision(START + i, "w", "Pending"));
    ledger_ask(l, &everything, listen, &all);
    ledger_copy(l, copy, answers_note, &answers);
    ledger_close(l);
    assert_true(all.ended);
    assert_int_equal(answers.count, 1);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM decisions"), 5000);
    strbuf_finish(&all.text);
    place_remove(&p);
}

static void a_live_ledger_can_be_copied(void **state)
{
    struct place p = place_make();
    struct ledger *l = ledger_open(p.path, NULL, NULL);
    AUTO_FREE char *copy = mem_format("%s/copy.db", p.folder);
    struct answers answers = { 0 };

    (void)state;
    for (int i = 0; i < 5000; i++)
        submit(l, decision(START + i, "w", "Pending"));
    ledger_copy(l, copy, answers_note, &answers);
    answers_wait(&answers, 1);
    if (answers.failed)
        fail_msg("%s", answers.last.text);
    ledger_copy(l, copy, answers_note, &answers);
    answers_wait(&answers, 2);
    assert_int_equal(answers.failed, 1);
    assert_non_null(strstr(answers.last.text, copy));
    ledger_close(l);
    expect_sound(copy);
    assert_true(sql_number(copy, "SELECT count(*) FROM decisions") > 0);
    place_remove(&p);
}

/* ---- files ---- */

static void an_export_is_a_whole_ledger(void **state)
{
    struct place p = story_make();
    struct place copy = p;
    struct err e = { ERR_NONE, "" };
    AUTO_FREE char *ours = history_of(&p, &everything), *theirs = NULL;

    (void)state;
    copy.path = mem_format("%s/copy.db", p.folder);
    if (ledger_file_export(p.path, copy.path, &e) < 0)
        fail_msg("%s", e.text);
    theirs = history_of(&copy, &everything);
    assert_string_equal(ours, theirs);
    expect_sound(copy.path);
    assert_int_equal(ledger_file_export(p.path, copy.path, &e), -1);
    assert_int_equal(e.code, ERR_EXISTS);
    ledger_close(ledger_open(copy.path, NULL, &e));
    assert_int_equal(e.code, ERR_EXISTS); /* opening it as a ledger set no error */
    free(copy.path);
    place_remove(&p);
}

/* As after kill -9: records are in the log, not yet in the file. */
static struct place killed_make(void)
{
    struct place p = place_make();
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct ledger *l = ledger_open(p.path, NULL, NULL);
        struct answers answers = { 0 };
        struct ledger_record record = gang(l, START, "one", 1);

        ledger_submit(l, &record, answers_note, &answers);
        answers_wait(&answers, 1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return p;
}

static void questions_leave_a_killed_ledger_as_it_is(void **state)
{
    struct place p = killed_make();
    AUTO_FREE char *log = mem_format("%s-wal", p.path);
    struct stat before, after;
    json_t *rows;

    (void)state;
    assert_int_equal(stat(log, &before), 0);
    assert_true(before.st_size > 0);
    expect_sound(p.path);
    rows = rows_of(&p, &everything);
    assert_int_equal(json_array_size(rows), 1);
    json_decref(rows);
    assert_int_equal(stat(log, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    place_remove(&p);
}

static void expect_finding(const struct place *p, const char *words)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct err e = { ERR_NONE, "" };

    assert_int_equal(ledger_file_check(p->path, out, &e), -1);
    fclose(out);
    assert_int_equal(e.code, ERR_INVALID);
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in: %s", words, text);
    free(text);
}

static void the_check_finds_what_breaks_a_promise(void **state)
{
    static const struct {
        const char *damage, *words;
    } cases[] = {
        { "DELETE FROM intent_pod_sets WHERE position=1", "has 1 of 2 pod sets" },
        { "DELETE FROM intent_amounts WHERE resource='cpu'", "has 2 of 3 amounts" },
        { "UPDATE intent_amounts SET amount=amount+1 WHERE resource='cpu'", "its amounts sum to" },
        { "INSERT INTO usage SELECT 99, uid, namespace, name, cluster_queue, flavor, resource, 1,"
          " from_time+1, to_time FROM usage",
          "overlap" },
        { "INSERT INTO usage VALUES(98,'u','n','w','a','f','cpu',1,1,NULL),"
          "(99,'u','n','w','b','f','gpu',1,1,NULL)",
          "two ClusterQueues" },
        { "PRAGMA foreign_keys=OFF; DELETE FROM intents", "missing row" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct place p = story_make();

        sql_run(p.path, cases[i].damage);
        expect_finding(&p, cases[i].words);
        place_remove(&p);
    }
}

static void questions_on_files_that_are_no_ledgers_say_so(void **state)
{
    struct place p = place_make();
    struct err e = { ERR_NONE, "" };
    FILE *out = fopen("/dev/null", "w"), *file;

    (void)state;
    assert_int_equal(ledger_file_check(p.path, out, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, p.path));
    assert_int_equal(access(p.path, F_OK), -1);
    file = fopen(p.path, "w");
    assert_int_equal(ledger_file_check(p.path, out, &e), -1);
    assert_non_null(strstr(e.text, "no ledger"));
    fprintf(file, "%2000s", "some text");
    fclose(file);
    assert_int_equal(ledger_file_history(p.path, &everything, out, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_non_null(strstr(e.text, "damaged"));
    fclose(out);
    place_remove(&p);
}

static void a_file_that_may_only_be_read_is_read(void **state)
{
    struct place p = story_make();
    pid_t child;
    int status;

    (void)state;
    chmod(p.path, 0444);
    chmod(p.folder, 0555);
    child = fork();
    if (child == 0) { /* root may write everywhere: be nobody */
        FILE *out = fopen("/dev/null", "w");
        struct err e = { ERR_NONE, "" };

        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        _exit(ledger_file_check(p.path, out, &e) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    chmod(p.folder, 0755);
    place_remove(&p);
}

static void a_file_in_use_is_not_read(void **state)
{
    struct place p = story_make();
    struct err e = { ERR_NONE, "" };
    int status;
    pid_t child;
    struct ledger *l = ledger_open(p.path, NULL, NULL);

    (void)state;
    child = fork(); /* a child may not use the connection, but may try the file */
    if (child == 0) {
        FILE *out = fopen("/dev/null", "w");

        _exit(ledger_file_check(p.path, out, &e) == -1 && e.code == ERR_CONFLICT ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    ledger_close(l);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history_tells_what_happened_in_order),
        cmocka_unit_test(history_can_be_filtered),
        cmocka_unit_test(history_is_a_table_for_people),
        cmocka_unit_test(slices_join_without_a_seam),
        cmocka_unit_test(a_live_ledger_answers_while_it_writes),
        cmocka_unit_test(closing_answers_questions_that_wait),
        cmocka_unit_test(a_live_ledger_can_be_copied),
        cmocka_unit_test(an_export_is_a_whole_ledger),
        cmocka_unit_test(questions_leave_a_killed_ledger_as_it_is),
        cmocka_unit_test(the_check_finds_what_breaks_a_promise),
        cmocka_unit_test(questions_on_files_that_are_no_ledgers_say_so),
        cmocka_unit_test(a_file_that_may_only_be_read_is_read),
        cmocka_unit_test(a_file_in_use_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
