#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/base/quantity.h"

static const struct {
    const char *text, *canonical;
    int64_t ceil, ceil_milli;
} printed[] = {
    { "0", "0", 0, 0 },
    { "0n", "0", 0, 0 },
    { "-0", "0", 0, 0 },
    { "0.0Ki", "0", 0, 0 },
    { "1", "1", 1, 1000 },
    { "+1", "1", 1, 1000 },
    { "007", "7", 7, 7000 },
    { "1.", "1", 1, 1000 },
    { ".5", "500m", 1, 500 },
    { "-.5", "-500m", 0, -500 },
    { "0.1", "100m", 1, 100 },
    { "1000m", "1", 1, 1000 },
    { "1500m", "1500m", 2, 1500 },
    { "-1500m", "-1500m", -1, -1500 },
    { "1000", "1k", 1000, 1000000 },
    { "1500", "1500", 1500, 1500000 },
    { "10000", "10k", 10000, 10000000 },
    { "1k", "1k", 1000, 1000000 },
    { "1000k", "1M", 1000000, 1000000000 },
    { "1M", "1M", 1000000, 1000000000 },
    { "1G", "1G", 1000000000, INT64_C(1000000000000) },
    { "1T", "1T", INT64_C(1000000000000), INT64_C(1000000000000000) },
    { "1P", "1P", INT64_C(1000000000000000), INT64_C(1000000000000000000) },
    { "1E", "1E", INT64_C(1000000000000000000), INT64_MAX },
    { "9.3E", "9300P", INT64_MAX, INT64_MAX },
    { "-9.3E", "-9300P", INT64_MIN, INT64_MIN },
    { "1u", "1u", 1, 1 },
    { "1n", "1n", 1, 1 },
    { "0.1n", "1n", 1, 1 },
    { "-0.1n", "-1n", 0, 0 },
    { "1.0000000001", "1000000001n", 2, 1001 },
    { "0.000000000000000000001", "1n", 1, 1 },
    { "100000n", "100u", 1, 1 },
    { "1Ki", "1Ki", 1024, 1024000 },
    { "1024", "1024", 1024, 1024000 },
    { "1024Ki", "1Mi", 1048576, 1048576000 },
    { "1024Mi", "1Gi", 1073741824, INT64_C(1073741824000) },
    { "1500Mi", "1500Mi", 1572864000, INT64_C(1572864000000) },
    { "1.5Gi", "1536Mi", 1610612736, INT64_C(1610612736000) },
    { "0.5Gi", "512Mi", 536870912, INT64_C(536870912000) },
    { "0.5Ki", "512", 512, 512000 },
    { "0.25Ki", "256", 256, 256000 },
    { "1.1Ki", "1126400m", 1127, 1126400 },
    { "0.1Ki", "102400m", 103, 102400 },
    { "0.0001Ki", "102400u", 1, 103 },
    { "-1Ki", "-1Ki", -1024, -1024000 },
    { "-1.5Ki", "-1536", -1536, -1536000 },
    { "7Ei", "7Ei", INT64_C(8070450532247928832), INT64_MAX },
    { "8Ei", "9223372036854775807", INT64_MAX, INT64_MAX },
    { "99999Ei", "9223372036854775807", INT64_MAX, INT64_MAX },
    { "-99999Ei", "-9223372036854775807", -INT64_MAX, INT64_MIN },
    { "0.000000000000000000867361737988403547205962240695953369140625Ei", "1", 1, 1000 },
    { "9223372036854775807", "9223372036854775807", INT64_MAX, INT64_MAX },
    { "9223372036854775808", "9223372036854775808", INT64_MAX, INT64_MAX },
    { "-9223372036854775808", "-9223372036854775808", INT64_MIN, INT64_MIN },
    { "1e3", "1e3", 1000, 1000000 },
    { "1E3", "1e3", 1000, 1000000 },
    { "1e+3", "1e3", 1000, 1000000 },
    { "1e-3", "1e-3", 1, 1 },
    { "1e2", "100", 100, 100000 },
    { "1e1", "10", 10, 10000 },
    { "1e0", "1", 1, 1000 },
    { "12e6", "12e6", 12000000, INT64_C(12000000000) },
    { "1.5e4", "15e3", 15000, 15000000 },
    { "1e-9", "1e-9", 1, 1 },
    { "1e-10", "1e-9", 1, 1 },
    { "1e-999999999999", "1e-9", 1, 1 },
    { "100e18", "100e18", INT64_MAX, INT64_MAX },
    { "1000E", "1000E", INT64_MAX, INT64_MAX },
    { "1e999999999999", "100e27", INT64_MAX, INT64_MAX },
    { "0e999999999999", "0", 0, 0 },
};

static void quantities_print_in_canonical_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(printed); i++) {
        char text[QUANTITY_TEXT];
        struct quantity q, again;
        struct err e = { ERR_NONE, "" };

        if (quantity_parse(str_of(printed[i].text), &q, &e) < 0)
            fail_msg("%s", e.text);
        assert_string_equal(quantity_print(q, text), printed[i].canonical);
        assert_true(quantity_ceil(q) == printed[i].ceil);
        assert_true(quantity_ceil_milli(q) == printed[i].ceil_milli);
        assert_int_equal(quantity_parse(str_of(text), &again, NULL), 0);
        assert_int_equal(quantity_compare(q, again), 0);
    }
}

static void texts_that_are_no_quantities_are_refused_by_name(void **state)
{
    static const char *const texts[] = {
        "",      "-",    "+",   ".",   "-.",     "Ki",   "1 ",  " 1",    "1.1.M", "1+1.0M", "0.1mi",
        "0.1am", "aoeu", ".5i", "1i",  "-3.01i", "1e",   "1e-", "1ee3",  "1m3",   "1kk",    "1Kii",
        "1KI",   "1K",   "1ki", "--1", "1-",     "0x10", "1,5", "1_000", "1e1.5", "NaN",    "Inf",
    };
    struct quantity q = { 7, QUANTITY_DECIMAL };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct err e = { ERR_NONE, "" };

        assert_int_equal(quantity_parse(str_of(texts[i]), &q, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_non_null(strstr(e.text, texts[i]));
        assert_true(q.nano == 7);
    }
}

static void very_long_texts_are_refused(void **state)
{
    char text[258];
    struct quantity q;
    struct err e = { ERR_NONE, "" };

    (void)state;
    memset(text, '1', sizeof(text) - 1);
    text[257] = '\0';
    assert_int_equal(quantity_parse(str_of(text), &q, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_int_equal(quantity_parse((struct str){ text, 256 }, &q, &e), 0);
    assert_true(quantity_ceil(q) == INT64_MAX);
}

static void sums_saturate_and_keep_the_format(void **state)
{
    struct quantity a, b, sum;
    char text[QUANTITY_TEXT];

    (void)state;
    assert_int_equal(quantity_parse(STR("1Gi"), &a, NULL), 0);
    assert_int_equal(quantity_parse(STR("1024M"), &b, NULL), 0);
    sum = quantity_add(a, quantity_of(1024, QUANTITY_DECIMAL));
    assert_string_equal(quantity_print(sum, text), "1048577Ki");
    sum = quantity_add((struct quantity){ 0, QUANTITY_DECIMAL }, a);
    assert_string_equal(quantity_print(sum, text), "1Gi");
    assert_true(quantity_compare(b, a) < 0);
    assert_int_equal(quantity_parse(STR("1e30"), &a, NULL), 0);
    assert_int_equal(quantity_compare(quantity_add(a, a), a), 0);
}

static int64_t quota_of(const char *resource, const char *text)
{
    struct quantity q;

    assert_int_equal(quantity_parse(str_of(text), &q, NULL), 0);
    return amount_of_quota(str_of(resource), q);
}

static int64_t request_of(const char *resource, const char *text)
{
    struct quantity q;

    assert_int_equal(quantity_parse(str_of(text), &q, NULL), 0);
    return amount_of_request(str_of(resource), q);
}

static void quotas_out_of_range_are_unlimited(void **state)
{
    (void)state;
    assert_true(quota_of("cpu", "9223372036854775") == AMOUNT_UNLIMITED);
    assert_true(quota_of("cpu", "9223372036854774999m") == INT64_C(9223372036854774999));
    assert_true(quota_of("cpu", "1100u") == 2);
    assert_true(quota_of("memory", "8Ei") == AMOUNT_UNLIMITED);
    assert_true(quota_of("memory", "9223372036854775806") == INT64_MAX - 1);
    assert_true(quota_of("memory", "1100m") == 2);
    assert_true(request_of("cpu", "9223372036854775") == INT64_C(9223372036854775000));
    assert_true(request_of("cpu", "9223372036854776") == INT64_MAX);
    assert_true(request_of("memory", "-1e30") == INT64_MIN);
}

static void amounts_know_unlimited(void **state)
{
    const int64_t all = AMOUNT_UNLIMITED;

    (void)state;
    assert_true(amount_add(all, -5) == all);
    assert_true(amount_add(-5, all) == all);
    assert_true(amount_add(INT64_MAX - 1, 2) == INT64_MAX);
    assert_true(amount_add(INT64_MIN, -1) == INT64_MIN);
    assert_true(amount_add(2, 3) == 5);
    assert_true(amount_sub(all, all) == 0);
    assert_true(amount_sub(all, 5) == all);
    assert_true(amount_sub(5, all) == INT64_MIN);
    assert_true(amount_sub(INT64_MIN, 1) == INT64_MIN);
    assert_true(amount_sub(INT64_MAX - 1, -2) == INT64_MAX);
    assert_true(amount_sub(2, 3) == -1);
    assert_true(amount_mul(INT64_MAX / 2, 3) == INT64_MAX);
    assert_true(amount_mul(INT64_MIN / 2, 3) == INT64_MIN);
    assert_true(amount_mul(INT64_MIN, -1) == INT64_MAX);
    assert_true(amount_mul(-4, 3) == -12);
}

static const struct {
    const char *resource;
    int64_t amount;
    bool request;
    const char *text;
} messages[] = {
    { "cpu", 500, false, "500m" },
    { "cpu", 2000, false, "2" },
    { "cpu", 1500, true, "1500m" },
    { "cpu", 1000000, false, "1k" },
    { "cpu", INT64_MAX, false, "<unlimited>" },
    { "cpu", INT64_MAX, true, "9223372036854775807m" },
    { "memory", 5242880, false, "5Mi" },
    { "memory", 1024, false, "1Ki" },
    { "memory", 1536, false, "1536" },
    { "memory", 1000, false, "1k" },
    { "memory", 2000000, false, "2M" },
    { "memory", -1024, false, "-1Ki" },
    { "memory", 0, false, "0" },
    { "memory", INT64_MAX, true, "9223372036854775807" },
    { "ephemeral-storage", 1073741824, false, "1Gi" },
    { "hugepages-2Mi", 2097152, false, "2Mi" },
    { "nvidia.com/gpu", 3, false, "3" },
    { "nvidia.com/gpu", 1000, false, "1k" },
    { "nvidia.com/gpu", 1024, false, "1024" },
    { "pods", 10000, true, "10k" },
    { "pods", INT64_MIN, true, "-9223372036854775808" },
};

static void amounts_print_as_messages_need(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(messages); i++) {
        char text[QUANTITY_TEXT];

        assert_string_equal(amount_print(str_of(messages[i].resource), messages[i].amount,
                                         messages[i].request, text),
                            messages[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_print_in_canonical_form),
        cmocka_unit_test(texts_that_are_no_quantities_are_refused_by_name),
        cmocka_unit_test(very_long_texts_are_refused),
        cmocka_unit_test(sums_saturate_and_keep_the_format),
        cmocka_unit_test(quotas_out_of_range_are_unlimited),
        cmocka_unit_test(amounts_know_unlimited),
        cmocka_unit_test(amounts_print_as_messages_need),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
