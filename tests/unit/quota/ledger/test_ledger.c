#include "tests/unit/quota/ledger/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quota/base/clock.h"

static struct ledger *open_or_fail(const char *path, const struct ledger_options *options)
{
    struct err e = { ERR_NONE, "" };
    struct ledger *l = ledger_open(path, options, &e);

    if (!l)
        fail_msg("%s", e.text);
    return l;
}

static void submit(struct ledger *l, struct ledger_record record)
{
    ledger_submit(l, &record, NULL, NULL);
}

static void an_intent_is_found_open_with_its_whole_gang(void **state)
{
    struct place p = place_make();
    struct ledger *l = open_or_fail(p.path, NULL);
    const struct ledger_found *found = ledger_found(l);
    struct answers answers = { 0 };
    struct ledger_record record = gang(l, 100, "uid-1", 4);
    uint64_t first = record.intent.id;

    (void)state;
    assert_int_equal(found->intent_count, 0);
    assert_null(found->damaged);
    ledger_submit(l, &record, answers_note, &answers);
    answers_wait(&answers, 1);
    assert_int_equal(answers.failed, 0);
    ledger_close(l);

    l = open_or_fail(p.path, NULL);
    found = ledger_found(l);
    assert_int_equal(found->intent_count, 1);
    assert_true(found->intents[0].intent.id == first);
    assert_int_equal(found->intents[0].time, 100);
    assert_string_equal(found->intents[0].intent.uid, "uid-1");
    assert_string_equal(found->intents[0].intent.cluster_queue, "research");
    assert_int_equal(found->intents[0].intent.pod_set_count, 2);
    assert_string_equal(found->intents[0].intent.pod_sets[0].name, "main");
    assert_int_equal(found->intents[0].intent.pod_sets[0].amount_count, 2);
    assert_string_equal(found->intents[0].intent.pod_sets[0].amounts[0].resource, "cpu");
    assert_int_equal(found->intents[0].intent.pod_sets[1].count, 4);
    assert_string_equal(found->intents[0].intent.pod_sets[1].amounts[0].flavor, "h100");
    assert_int_equal(found->intents[0].intent.pod_sets[1].amounts[0].amount, 8);
    assert_true(ledger_intent_id(l) > first);
    submit(l, resolution(200, first, true, ""));
    submit(l, resolution(300, first, false, "too late"));
    ledger_close(l);

    l = open_or_fail(p.path, NULL);
    assert_int_equal(ledger_found(l)->intent_count, 0);
    ledger_close(l);
    expect_sound(p.path);
    assert_int_equal(sql_number(p.path, "SELECT closed FROM intents WHERE state='confirmed'"), 200);
    place_remove(&p);
}

static void usage_becomes_intervals(void **state)
{
    static const struct ledger_amount both[] = { { "f", "cpu", 1000 }, { "g", "gpu", 8 } };
    static const struct ledger_amount less[] = { { "f", "cpu", 500 }, { "g", "gpu", 8 } };
    struct place p = place_make();
    struct ledger *l = open_or_fail(p.path, NULL);
    AUTO_FREE char *rows = NULL;

    (void)state;
    submit(l, usage(100, "a", both, 2));
    submit(l, usage(150, "a", both, 2));
    submit(l, usage(200, "a", less, 2));
    submit(l, usage(300, "a", NULL, 0));
    submit(l, usage(310, "a", NULL, 0));
    submit(l, usage(250, "a", less, 1)); /* the clock stepped back */
    ledger_close(l);
    l = open_or_fail(p.path, NULL);
    assert_int_equal(ledger_found(l)->usage_count, 1);
    assert_string_equal(ledger_found(l)->usage[0].usage.uid, "a");
    assert_int_equal(ledger_found(l)->usage[0].since, 300);
    assert_int_equal(ledger_found(l)->usage[0].usage.amount_count, 1);
    ledger_close(l);
    rows =
        sql_text(p.path, "SELECT group_concat(x, ';') FROM (SELECT resource || amount || ':' ||"
                         " from_time || '-' || ifnull(to_time, '') AS x FROM usage ORDER BY id)");
    assert_string_equal(rows, "cpu1000:100-200;gpu8:100-300;cpu500:200-300;cpu500:300-");
    expect_sound(p.path);
    place_remove(&p);
}

static void objects_are_stored_when_they_change(void **state)
{
    static const char *const specs[] = { "{\"a\":1}", "{\"a\":1}", "{\"a\":2}",
                                         NULL,        NULL,        "{\"a\":2}" };
    struct place p = place_make();
    struct ledger *l = open_or_fail(p.path, NULL);
    AUTO_FREE char *rows = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(specs); i++)
        submit(l, (struct ledger_record){ .kind = LEDGER_OBJECT,
                                          .time = (int64_t)i,
                                          .object = { "ClusterQueue", "q", specs[i] } });
    submit(l, (struct ledger_record){
                  .kind = LEDGER_OBJECT, .time = 9, .object = { "Cohort", "q", NULL } });
    ledger_close(l);
    rows = sql_text(p.path, "SELECT group_concat(time || ifnull(spec, '-')) FROM objects");
    assert_string_equal(rows, "0{\"a\":1},2{\"a\":2},3-,5{\"a\":2}");
    place_remove(&p);
}

static void workloads_and_shares_keep_their_last_state(void **state)
{
    struct place p = place_make();
    struct ledger *l = open_or_fail(p.path, NULL);
    struct ledger_record workload = { .kind = LEDGER_WORKLOAD,
                                      .time = 5,
                                      .workload = { .uid = "u",
                                                    .namespace = "n",
                                                    .name = "w",
                                                    .queue = "lq",
                                                    .cluster_queue = NULL,
                                                    .priority = 3 } };
    struct ledger_record share = { .kind = LEDGER_SHARE, .time = 6, .share = { "n/lq", "{}", 0 } };

    (void)state;
    submit(l, workload);
    workload.time = 9;
    workload.workload.priority = 4;
    workload.workload.gone = true;
    submit(l, workload);
    submit(l, share);
    share.time = 8;
    share.share.consumed = "{\"cpu\":1}";
    submit(l, share);
    share.share = (struct ledger_share){ "n/other", "{}", 0 };
    submit(l, share);
    share.share.consumed = NULL;
    submit(l, share);
    ledger_close(l);
    l = open_or_fail(p.path, NULL);
    assert_int_equal(ledger_found(l)->share_count, 1);
    assert_string_equal(ledger_found(l)->shares[0].queue, "n/lq");
    assert_string_equal(ledger_found(l)->shares[0].consumed, "{\"cpu\":1}");
    assert_int_equal(ledger_found(l)->shares[0].updated, 8);
    ledger_close(l);
    assert_int_equal(sql_number(p.path, "SELECT gone * 10 + priority FROM workloads"), 94);
    place_remove(&p);
}

static void a_record_that_breaks_a_rule_fails_alone_and_whole(void **state)
{
    static const struct ledger_amount twice[] = { { "f", "cpu", 1 }, { "f", "cpu", 2 } };
    struct place p = place_make();
    struct ledger *l = open_or_fail(p.path, NULL);
    struct answers good = { 0 }, bad = { 0 };
    struct ledger_record first = gang(l, 1, "a", 1), again = gang(l, 2, "b", 1);
    struct ledger_record held = usage(3, "c", twice, 2), fine = decision(4, "d", "Admitted");

    (void)state;
    again.intent.id = first.intent.id;
    ledger_submit(l, &first, answers_note, &good);
    ledger_submit(l, &again, answers_note, &bad);
    ledger_submit(l, &held, answers_note, &bad);
    ledger_submit(l, &fine, answers_note, &good);
    ledger_close(l);
    assert_int_equal(good.count, 2);
    assert_int_equal(good.failed, 0);
    assert_int_equal(bad.failed, 2);
    assert_int_equal(bad.last.code, ERR_INVALID);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM usage"), 0);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM intents"), 1);
    expect_sound(p.path);
    place_remove(&p);
}

static void records_are_grouped_into_few_commits(void **state)
{
    enum { RECORDS = 2000 };
    struct place p = place_make();
    struct ledger_options options = { .batch_wait_ns = 50 * NANOSECONDS_PER_MILLISECOND };
    struct ledger *l = open_or_fail(p.path, &options);
    struct answers answers = { 0 };
    struct ledger_counts counts;

    (void)state;
    for (int i = 0; i < RECORDS; i++) {
        struct ledger_record record = decision(i, "w", "Pending");

        ledger_submit(l, &record, answers_note, &answers);
    }
    answers_wait(&answers, RECORDS);
    counts = ledger_counts(l);
    assert_int_equal(counts.committed, RECORDS);
    assert_true(counts.commits <= 20);
    assert_int_equal(counts.synced, 0);
    assert_int_equal(counts.waiting, 0);
    submit(l, gang(l, 5, "g", 1));
    ledger_close(l);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM decisions"), RECORDS);
    place_remove(&p);
}

static void history_is_dropped_and_answered_when_too_much_waits(void **state)
{
    struct place p = place_make();
    struct ledger_options options = { .waiting_limit = 10,
                                      .batch_wait_ns = NANOSECONDS_PER_SECOND };
    struct ledger *l = open_or_fail(p.path, &options);
    struct answers answers = { 0 };

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct ledger_record record = decision(i, "w", "Pending");

        ledger_submit(l, &record, answers_note, &answers);
    }
    for (int i = 0; i < 50; i++) {
        struct ledger_record record = gang(l, i, "w", 1);

        ledger_submit(l, &record, answers_note, &answers);
    }
    answers_wait(&answers, 3050);
    assert_int_equal(ledger_counts(l).dropped, answers.failed);
    assert_int_equal(ledger_counts(l).committed, 3050 - answers.failed);
    ledger_close(l);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM intents"), 50);
    place_remove(&p);
}

static struct ledger *shared;

static void *submit_many(void *argument)
{
    struct answers *answers = argument;

    for (int i = 0; i < 300; i++) {
        struct ledger_record record = gang(shared, i, "w", i);

        ledger_submit(shared, &record, answers_note, answers);
        record = resolution(i, record.intent.id, i % 2, "r");
        ledger_submit(shared, &record, answers_note, answers);
    }
    return NULL;
}

static void many_threads_may_submit(void **state)
{
    struct place p = place_make();
    struct answers answers = { 0 };
    pthread_t threads[3];

    (void)state;
    shared = open_or_fail(p.path, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &answers), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    ledger_close(shared);
    assert_int_equal(answers.count, 1800);
    assert_int_equal(answers.failed, 0);
    expect_sound(p.path);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM intents WHERE state='open'"), 0);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM intents WHERE state='undone'"), 450);
    place_remove(&p);
}

static void memory_works_without_a_file(void **state)
{
    struct ledger *l = open_or_fail(":memory:", NULL);
    struct answers answers = { 0 };
    struct ledger_record record = gang(l, 1, "a", 1);

    (void)state;
    ledger_submit(l, &record, answers_note, &answers);
    answers_wait(&answers, 1);
    assert_int_equal(answers.failed, 0);
    ledger_close(l);
}

/* ---- files that cannot be used ---- */

static void expect_refusal(const char *path, enum err_code code, const char *words)
{
    struct err e = { ERR_NONE, "" };

    assert_null(ledger_open(path, NULL, &e));
    assert_non_null(strstr(e.text, path));
    if (!strstr(e.text, words))
        fail_msg("%s", e.text);
    assert_int_equal(e.code, code);
}

static void a_file_in_use_by_another_process_is_refused(void **state)
{
    struct place p = place_make();
    int ready[2], done[2], status;
    char byte = 0;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ready) | pipe(done), 0);
    child = fork();
    if (child == 0) {
        struct ledger *l = ledger_open(p.path, NULL, NULL);

        byte = l ? 'y' : 'n';
        if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1)
            _exit(1);
        ledger_close(l);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    expect_refusal(p.path, ERR_CONFLICT, "another process");
    assert_int_equal(write(done[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    ledger_close(open_or_fail(p.path, NULL));
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(done[i]);
    }
    place_remove(&p);
}

static void missing_folders_and_foreign_databases_are_refused(void **state)
{
    struct place p = place_make();
    AUTO_FREE char *deep = mem_format("%s/none/ledger.db", p.folder);

    (void)state;
    expect_refusal(deep, ERR_IO, "folder");
    expect_refusal(p.folder, ERR_IO, "opened");
    ledger_close(open_or_fail(p.path, NULL));
    sql_run(p.path, "PRAGMA user_version = 99");
    expect_refusal(p.path, ERR_INVALID, "newer");
    sql_run(p.path, "PRAGMA user_version = 1; PRAGMA application_id = 17");
    expect_refusal(p.path, ERR_INVALID, "another program");
    place_remove(&p);
}

static void a_folder_without_write_permission_is_refused(void **state)
{
    struct place p = place_make();
    pid_t child;
    int status;

    (void)state;
    chmod(p.folder, 0555);
    child = fork();
    if (child == 0) { /* root may write everywhere: be nobody */
        struct err e = { ERR_NONE, "" };
        bool refused;

        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        refused = !ledger_open(p.path, NULL, &e) && e.code == ERR_IO && strstr(e.text, "writable");
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    chmod(p.folder, 0755);
    place_remove(&p);
}

static void overwrite(const char *path, off_t at, const char *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, at), (ssize_t)length);
    close(fd);
}

static void expect_renewal(const struct place *p)
{
    struct ledger *l = open_or_fail(p->path, NULL);
    const struct ledger_found *found = ledger_found(l);
    struct answers answers = { 0 };
    struct ledger_record record = gang(l, 1, "a", 1);

    assert_non_null(found->damaged);
    assert_memory_equal(found->damaged, p->path, strlen(p->path));
    assert_non_null(strstr(found->damaged, ".damaged-2"));
    assert_int_equal(access(found->damaged, F_OK), 0);
    assert_non_null(found->damage);
    assert_int_equal(found->intent_count, 0);
    ledger_submit(l, &record, answers_note, &answers);
    answers_wait(&answers, 1);
    assert_int_equal(answers.failed, 0);
    ledger_close(l);
    expect_sound(p->path);
}

static void fill(const char *path)
{
    struct ledger *l = open_or_fail(path, NULL);

    for (int i = 0; i < 500; i++)
        submit(l, gang(l, i, "some-workload", i));
    ledger_close(l);
}

static void damaged_files_are_moved_aside_and_renewed(void **state)
{
    static const char junk[64] = "this is not what you are looking for";
    struct place p = place_make();
    char page[4096];

    (void)state;
    fill(p.path);
    overwrite(p.path, 0, junk, sizeof(junk)); /* no header */
    expect_renewal(&p);
    fill(p.path);
    memset(page, 0xAA, sizeof(page));
    for (off_t at = 4096; at < 10 * 4096; at += 4096) /* pages of tables */
        overwrite(p.path, at, page, sizeof(page));
    expect_renewal(&p);
    fill(p.path);
    overwrite(p.path, 100, junk, 12); /* the schema page */
    expect_renewal(&p);
    fill(p.path);
    assert_int_equal(truncate(p.path, 3 * 4096), 0);
    expect_renewal(&p);
    unlink(p.path);
    overwrite(p.path, 0, "short", 5);
    expect_renewal(&p);
    place_remove(&p);
}

/* Whatever is in the file, the ledger starts, works or says why not, and questions end. */
static void random_damage_never_keeps_the_ledger_from_starting(void **state)
{
    struct place p = place_make();
    AUTO_FREE char *pattern = mem_format("rm -f %s*", p.path);
    unsigned renewed = 0, seed = 11;

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct ledger_query query = { NULL, NULL, TIME_NONE, TIME_NONE, 0, round % 2 };
        struct ledger_record record;
        struct answers answers = { 0 };
        struct stat status;
        struct ledger *l;
        FILE *out = fopen("/dev/null", "w");

        fill(p.path);
        assert_int_equal(stat(p.path, &status), 0);
        for (int i = 0; i < 1 << round % 7; i++) {
            char byte = (char)rand_r(&seed);

            overwrite(p.path, rand_r(&seed) % status.st_size, &byte, 1);
        }
        if (round % 10 == 9)
            assert_int_equal(truncate(p.path, rand_r(&seed) % status.st_size), 0);
        (void)!ledger_file_check(p.path, out, NULL);
        (void)!ledger_file_history(p.path, &query, out, NULL);
        fclose(out);
        l = open_or_fail(p.path, NULL);
        renewed += ledger_found(l)->damaged != NULL;
        record = gang(l, 1, "a", 1);
        ledger_submit(l, &record, answers_note, &answers);
        answers_wait(&answers, 1);
        assert_int_equal(ledger_failed(l), answers.failed == 1);
        ledger_close(l);
        assert_int_equal(system(pattern), 0);
    }
    assert_true(renewed > 5 && renewed < 60);
    place_remove(&p);
}

static void an_empty_file_is_a_new_ledger(void **state)
{
    struct place p = place_make();
    struct ledger *l;

    (void)state;
    overwrite(p.path, 0, "", 0);
    l = open_or_fail(p.path, NULL);
    assert_null(ledger_found(l)->damaged);
    ledger_close(l);
    place_remove(&p);
}

static void closing_leaves_one_file(void **state)
{
    struct place p = place_make();
    AUTO_FREE char *log = mem_format("%s-wal", p.path),
                   *shared_memory = mem_format("%s-shm", p.path);
    struct ledger *l = open_or_fail(p.path, NULL);

    (void)state;
    submit(l, gang(l, 1, "a", 1));
    ledger_close(l);
    assert_int_equal(access(log, F_OK), -1);
    assert_int_equal(access(shared_memory, F_OK), -1);
    place_remove(&p);
}

/* ---- retention ---- */

/* A ledger looks at retention when it starts and has nothing else to do: until this many decisions
 * are left. */
static void wait_for_retention(const struct place *p, const struct ledger_options *options,
                               int64_t left)
{
    for (int i = 0; i < 100; i++) {
        struct ledger *l = open_or_fail(p->path, options);

        usleep(50 * 1000);
        ledger_close(l);
        if (sql_number(p->path, "SELECT count(*) FROM decisions") == left)
            return;
    }
    fail_msg("there are not %lld decisions in the end", (long long)left);
}

static void old_history_is_deleted_and_what_holds_stays(void **state)
{
    static const struct ledger_amount held[] = { { "f", "cpu", 1 } };
    struct place p = place_make();
    struct ledger *l = open_or_fail(p.path, NULL);
    struct ledger_options options = { .keep_ns = 1000 };
    uint64_t closed;

    (void)state;
    for (int i = 0; i < 1500; i++)
        submit(l, decision(i, "w", "Pending"));
    submit(l, usage(100, "old", held, 1));
    submit(l, usage(200, "old", NULL, 0));
    submit(l, usage(100, "still", held, 1));
    submit(l, gang(l, 100, "open", 1));
    closed = ledger_intent_id(l);
    {
        struct ledger_record record = gang(l, 100, "closed", 1);

        record.intent.id = closed;
        submit(l, record);
    }
    submit(l, resolution(101, closed, true, ""));
    for (int i = 0; i < 3; i++)
        submit(l, (struct ledger_record){ .kind = LEDGER_OBJECT,
                                          .time = 100 + i,
                                          .object = { "Cohort", "c", i % 2 ? "1" : "2" } });
    submit(l, decision(2000, "w", "Pending"));
    ledger_close(l);
    wait_for_retention(&p, &options, 501);
    assert_int_equal(sql_number(p.path, "SELECT min(time) FROM decisions"), 1000);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM usage WHERE uid='still'"), 1);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM usage"), 1);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM intents WHERE state='open'"), 1);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM intents"), 1);
    assert_int_equal(sql_number(p.path, "SELECT count(*) FROM intent_pod_sets"), 2);
    assert_int_equal(sql_number(p.path, "SELECT group_concat(time) FROM objects"), 102);
    expect_sound(p.path);
    place_remove(&p);
}

static void retention_goes_on_under_load(void **state)
{
    struct place p = place_make();
    struct ledger_options options = { .max_rows = 500, .batch_records = 50 };
    struct ledger *l = open_or_fail(p.path, NULL);
    struct answers answers = { 0 };

    (void)state;
    for (int i = 0; i < 5000; i++)
        submit(l, decision(i, "w", "Pending"));
    ledger_close(l);
    l = open_or_fail(p.path, &options);
    for (int i = 0; i < 2000; i++) { /* there is always more to write */
        struct ledger_record record = decision(5000 + i, "w", "Pending");

        ledger_submit(l, &record, answers_note, &answers);
    }
    answers_wait(&answers, 2000);
    ledger_close(l);
    assert_int_equal(answers.failed, 0);
    assert_true(sql_number(p.path, "SELECT count(*) FROM decisions") < 3000);
    assert_int_equal(sql_number(p.path, "SELECT max(time) FROM decisions"), 6999);
    place_remove(&p);
}

static void the_number_of_rows_is_bounded(void **state)
{
    struct place p = place_make();
    struct ledger_options options = { .max_rows = 100 };
    struct ledger *l = open_or_fail(p.path, NULL);

    (void)state;
    for (int i = 0; i < 1000; i++)
        submit(l, decision(i, "w", "Pending"));
    ledger_close(l);
    wait_for_retention(&p, &options, 100);
    assert_int_equal(sql_number(p.path, "SELECT max(time) FROM decisions"), 999);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_intent_is_found_open_with_its_whole_gang),
        cmocka_unit_test(usage_becomes_intervals),
        cmocka_unit_test(objects_are_stored_when_they_change),
        cmocka_unit_test(workloads_and_shares_keep_their_last_state),
        cmocka_unit_test(a_record_that_breaks_a_rule_fails_alone_and_whole),
        cmocka_unit_test(records_are_grouped_into_few_commits),
        cmocka_unit_test(history_is_dropped_and_answered_when_too_much_waits),
        cmocka_unit_test(many_threads_may_submit),
        cmocka_unit_test(memory_works_without_a_file),
        cmocka_unit_test(a_file_in_use_by_another_process_is_refused),
        cmocka_unit_test(missing_folders_and_foreign_databases_are_refused),
        cmocka_unit_test(a_folder_without_write_permission_is_refused),
        cmocka_unit_test(damaged_files_are_moved_aside_and_renewed),
        cmocka_unit_test(random_damage_never_keeps_the_ledger_from_starting),
        cmocka_unit_test(an_empty_file_is_a_new_ledger),
        cmocka_unit_test(closing_leaves_one_file),
        cmocka_unit_test(old_history_is_deleted_and_what_holds_stays),
        cmocka_unit_test(retention_goes_on_under_load),
        cmocka_unit_test(the_number_of_rows_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
