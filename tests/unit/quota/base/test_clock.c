#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "quota/base/clock.h"
#include "quota/base/mem.h"

static const struct {
    const char *text;
    int64_t time;
    const char *seconds, *micro, *nano;
} times[] = {
    { "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z",
      "1970-01-01T00:00:00Z" },
    { "2026-01-02T03:04:05Z", INT64_C(1767323045000000000), "2026-01-02T03:04:05Z",
      "2026-01-02T03:04:05.000000Z", "2026-01-02T03:04:05Z" },
    { "2024-02-29T23:59:59.123456789Z", INT64_C(1709251199123456789), "2024-02-29T23:59:59Z",
      "2024-02-29T23:59:59.123456Z", "2024-02-29T23:59:59.123456789Z" },
    { "2026-01-02T03:04:05.5+05:30", INT64_C(1767303245500000000), "2026-01-01T21:34:05Z",
      "2026-01-01T21:34:05.500000Z", "2026-01-01T21:34:05.5Z" },
    { "1969-12-31T23:59:59.999999999Z", -1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999999Z",
      "1969-12-31T23:59:59.999999999Z" },
    { "2000-03-01T00:00:00-01:00", INT64_C(951872400000000000), "2000-03-01T01:00:00Z",
      "2000-03-01T01:00:00.000000Z", "2000-03-01T01:00:00Z" },
    { "2261-01-01T00:00:00.0000000019Z", INT64_C(9183110400000000001), "2261-01-01T00:00:00Z",
      "2261-01-01T00:00:00.000000Z", "2261-01-01T00:00:00.000000001Z" },
};

static void times_are_read_and_printed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
        char text[TIME_TEXT];
        int64_t time = 0;

        assert_int_equal(time_parse(str_of(times[i].text), &time, NULL), 0);
        assert_true(time == times[i].time);
        assert_string_equal(time_print(time, text), times[i].seconds);
        assert_string_equal(time_print_micro(time, text), times[i].micro);
        assert_string_equal(time_print_nano(time, text), times[i].nano);
    }
}

static void every_day_of_four_centuries_is_read_back(void **state)
{
    (void)state;
    for (int64_t day = -106000; day < 106000; day++) {
        int64_t time = day * 86400 * NANOSECONDS_PER_SECOND + 1, again = 0;
        char text[TIME_TEXT];

        assert_int_equal(time_parse(str_of(time_print_nano(time, text)), &again, NULL), 0);
        assert_true(time == again);
    }
}

static void texts_that_are_no_times_are_refused_by_name(void **state)
{
    static const char *const texts[] = {
        "",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-13-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "2026-00-01T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T23:60:00Z",
        "2026-01-02T23:00:60Z",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05+0100",
        "2026-01-02T03:04:05Zx",
        "9999-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct err e = { ERR_NONE, "" };
        int64_t time = 5;

        assert_int_equal(time_parse(str_of(texts[i]), &time, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_non_null(strstr(e.text, texts[i]));
        assert_true(time == 5);
    }
}

static const struct {
    const char *text;
    int64_t duration;
    const char *printed;
} durations[] = {
    { "0", 0, "0s" },
    { "0s", 0, "0s" },
    { "-0", 0, "0s" },
    { "1ns", 1, "1ns" },
    { "1100ns", 1100, "1.1\xC2\xB5s" },
    { "2.5us", 2500, "2.5\xC2\xB5s" },
    { "2\xCE\xBCs", 2000, "2\xC2\xB5s" },
    { "300ms", 300000000, "300ms" },
    { "1.5s", 1500000000, "1.5s" },
    { "60s", INT64_C(60000000000), "1m0s" },
    { "5m", INT64_C(300000000000), "5m0s" },
    { "1h", INT64_C(3600000000000), "1h0m0s" },
    { "1h2m3.5s", INT64_C(3723500000000), "1h2m3.5s" },
    { "168h", INT64_C(604800000000000), "168h0m0s" },
    { "-1m", INT64_C(-60000000000), "-1m0s" },
    { "+.5s", 500000000, "500ms" },
    { "1.s", 1000000000, "1s" },
    { "0.1234567891s", 123456789, "123.456789ms" },
    { "2562047h47m16.854775807s", INT64_MAX, "2562047h47m16.854775807s" },
    { "-2562047h47m16.854775808s", INT64_MIN, "-2562047h47m16.854775808s" },
};

static void durations_are_read_and_printed_as_go_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(durations); i++) {
        char text[DURATION_TEXT];
        int64_t duration = 7;

        assert_int_equal(duration_parse(str_of(durations[i].text), &duration, NULL), 0);
        assert_true(duration == durations[i].duration);
        assert_string_equal(duration_print(duration, text), durations[i].printed);
    }
}

static void texts_that_are_no_durations_are_refused_by_name(void **state)
{
    static const char *const texts[] = { "",
                                         "-",
                                         "3",
                                         "s",
                                         ".s",
                                         "1x",
                                         "1 s",
                                         "1h ",
                                         "1h-1m",
                                         "--1s",
                                         "1.1.1s",
                                         "0 ",
                                         "5d",
                                         "2562047h47m16.854775808s",
                                         "99999999999999999999h" };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct err e = { ERR_NONE, "" };
        int64_t duration = 7;

        assert_int_equal(duration_parse(str_of(texts[i]), &duration, &e), -1);
        assert_non_null(strstr(e.text, texts[i]));
        assert_true(duration == 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_and_printed),
        cmocka_unit_test(every_day_of_four_centuries_is_read_back),
        cmocka_unit_test(texts_that_are_no_times_are_refused_by_name),
        cmocka_unit_test(durations_are_read_and_printed_as_go_does),
        cmocka_unit_test(texts_that_are_no_durations_are_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
