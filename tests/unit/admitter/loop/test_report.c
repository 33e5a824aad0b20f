#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "admitter/loop/report.h"
#include "quota/base/mem.h"

static unsigned news(const char *before, const char *after)
{
    json_t *old = json_loads(before, 0, NULL), *fresh = json_loads(after, 0, NULL);
    unsigned found;

    assert_non_null(old);
    assert_non_null(fresh);
    found = report_news(old, fresh);
    json_decref(old);
    json_decref(fresh);
    return found;
}

#define IS(type, reason)                                                                           \
    "{\"type\": \"" type "\", \"status\": \"True\", \"reason\": \"" reason "\"}"
#define IS_NOT(type) "{\"type\": \"" type "\", \"status\": \"False\", \"reason\": \"R\"}"
#define WITH(conditions) "{\"status\": {\"conditions\": [" conditions "]}}"
#define HELD(conditions)                                                                           \
    "{\"status\": {\"admission\": {\"clusterQueue\": \"q\"}, \"conditions\": [" conditions "]}}"

static void a_write_tells_what_becomes_true(void **state)
{
    static const struct {
        const char *before, *after;
        bool is_news;
    } cases[] = {
        { "{}", WITH(IS("QuotaReserved", "R")), true },
        { WITH(IS_NOT("QuotaReserved")), WITH(IS("QuotaReserved", "R")), true },
        { WITH(IS("QuotaReserved", "R")), WITH(IS("QuotaReserved", "S")), false },
        { WITH(IS("QuotaReserved", "R")), WITH(IS_NOT("QuotaReserved")), false },
        { "{}", WITH(IS("Admitted", "R")), true },
        { "{}", WITH(IS("Evicted", "R")), false }, /* it held nothing */
        { HELD(""), HELD(IS("Evicted", "R")), true },
        { HELD(IS("Evicted", "R")), HELD(IS("Evicted", "S")), false },
        { "{}", WITH(IS("PodsReady", "Started")), true },
        { "{}", WITH(IS("PodsReady", "Recovered")), false },
        { "{}", WITH(IS("Finished", "R")), false }, /* counted when it is seen */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_int_equal(news(cases[i].before, cases[i].after) != 0, cases[i].is_news);
    assert_int_not_equal(news("{}", WITH(IS("QuotaReserved", "R"))),
                         news("{}", WITH(IS("Admitted", "R"))));
    assert_int_equal(news("{}", WITH(IS("QuotaReserved", "R") ", " IS("Admitted", "R"))),
                     news("{}", WITH(IS("QuotaReserved", "R"))) |
                         news("{}", WITH(IS("Admitted", "R"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_write_tells_what_becomes_true) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
