/* How often the status of a queue is written: design.md, "queue status updates are coalesced". */
#include "tests/unit/admitter/rules/support.h"

#include "admitter/loop/status_pace.h"

#define INTERVAL SECONDS(1)
#define QUICK (INTERVAL / 20)

static void the_first_write_goes_at_once(void **state)
{
    struct status_pace pace;

    (void)state;
    status_pace_init(&pace);
    assert_int_equal(status_pace_next(&pace, INTERVAL, false), TIME_NONE);
}

static void a_few_writes_follow_each_other_quickly(void **state)
{
    struct status_pace pace;
    int64_t now = now_time();

    (void)state;
    status_pace_init(&pace);
    for (int i = 0; i < STATUS_BURST; i++) {
        status_pace_note(&pace, INTERVAL, now);
        if (i < STATUS_BURST - 1)
            assert_int_equal(status_pace_next(&pace, INTERVAL, false), now + QUICK);
        now += QUICK;
    }
    assert_true(status_pace_next(&pace, INTERVAL, false) > now + INTERVAL / 4);
    assert_int_equal(status_pace_next(&pace, INTERVAL, true), now);
}

static void a_queue_that_changes_all_the_time_is_written_once_per_interval(void **state)
{
    struct status_pace pace;
    int64_t now = now_time(), end = now + 100 * INTERVAL;
    int writes = 0;

    (void)state;
    status_pace_init(&pace);
    for (; now < end; now += INTERVAL / 100) {
        int64_t next = status_pace_next(&pace, INTERVAL, false);

        if (next != TIME_NONE && next > now)
            continue;
        status_pace_note(&pace, INTERVAL, now);
        writes++;
    }
    assert_in_range(writes, 100, 100 + STATUS_BURST);
}

static void urgent_writes_do_not_hold_up_the_others_for_long(void **state)
{
    struct status_pace pace;
    int64_t now = now_time();

    (void)state;
    status_pace_init(&pace);
    for (int i = 0; i < 5 * STATUS_BURST; i++)
        status_pace_note(&pace, INTERVAL, now);
    assert_int_equal(status_pace_next(&pace, INTERVAL, false), now + INTERVAL);
    assert_int_equal(status_pace_next(&pace, INTERVAL, true), now + QUICK);
}

static void rest_gives_the_quick_writes_back(void **state)
{
    struct status_pace pace;
    int64_t now = now_time();

    (void)state;
    status_pace_init(&pace);
    for (int i = 0; i < STATUS_BURST; i++)
        status_pace_note(&pace, INTERVAL, now);
    assert_int_equal(status_pace_next(&pace, INTERVAL, false), now + INTERVAL);
    now += STATUS_BURST * INTERVAL;
    status_pace_note(&pace, INTERVAL, now);
    assert_int_equal(status_pace_next(&pace, INTERVAL, false), now + QUICK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_write_goes_at_once),
        cmocka_unit_test(a_few_writes_follow_each_other_quickly),
        cmocka_unit_test(a_queue_that_changes_all_the_time_is_written_once_per_interval),
        cmocka_unit_test(urgent_writes_do_not_hold_up_the_others_for_long),
        cmocka_unit_test(rest_gives_the_quick_writes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
