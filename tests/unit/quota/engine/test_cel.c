/* Device selectors: what is an expression, and of which device it is true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quota/base/mem.h"
#include "quota/engine/cel.h"
#include "support_facts.h"

static struct device_attribute attributes[] = {
    { "gpu.example.com", "model", ATTRIBUTE_TEXT, .text = "h100" },
    { "gpu.example.com", "cores", ATTRIBUTE_INT, .integer = 132 },
    { "gpu.example.com", "mig", ATTRIBUTE_BOOL, .boolean = true },
    { "gpu.example.com", "version", ATTRIBUTE_VERSION, .text = "1.10.0-rc.1" },
    { "gpu.example.com", "odd", ATTRIBUTE_UNKNOWN, .text = NULL },
};

#define D "device.attributes['gpu.example.com']."
static const struct {
    const char *text;
    bool selects;
} expressions[] = {
    { "true", true },
    { "!true", false },
    { "device.driver == \"gpu.example.com\"", true },
    { "device.driver == 'other'", false },
    { D "model == 'h100'", true },
    { "device.attributes[\"gpu.example.com\"]['model'] == 'h100'", true },
    { D "model.startsWith('h1') && " D "model.endsWith('00')", true },
    { D "model.contains('x') || " D "model.matches('^h[0-9]+$')", true },
    { D "model.matches(r'^\\d+$')", false },
    { D "model.matches('^h[0-9]{3}$')", true },
    { D "model.matches('^h([0-9]{1,9}){1,9}$')", true },
    { D "model.matches('^h([0-9]{1,99}){1,99}$')", false }, /* multiplies to too much */
    { D "model.matches(r'(.)\\1')", false },                /* so do references back */
    { D "model in ['a100', 'h100']", true },
    { D "model in ['a100']", false },
    { "['a100', 'h100'].exists(m, m == " D "model)", true },
    { "['h100', 'h100'].exists_one(m, m == " D "model)", false },
    { "['h100', 'h1'].all(m, " D "model.startsWith(m))", true },
    { "[].exists(m, true)", false },
    { "[].all(m, false)", true },
    { D "model.lowerAscii() == 'H100'.lowerAscii()", true },
    { D "model.size() == 4 && size('ä') == 1", true },
    { D "model + '-80g' == 'h100-80g'", true },
    { D "cores >= 100", true },
    { D "cores > 132", false },
    { D "cores == 132.0 && " D "cores < 132.5", true },
    { D "cores != 131 && -" D "cores == -132", true },
    { D "cores / 2 * 2 + 0x10 - 6 == 142", true },
    { D "cores % 5 == 2", true },
    { D "cores / 0 == 1", false },
    { "9223372036854775807 + 1 > 0", false },
    { "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9", true },
    { "10 - 3 - 2 == 5", true },
    { D "mig", true },
    { D "mig == false", false },
    { D "mig ? " D "cores > 1 : false", true },
    { "false ? true : " D "mig", true },
    { D "version.compareTo(semver('1.9.9')) > 0", true },
    { D "version.isLessThan(semver('1.10.0'))", true },
    { D "version.isGreaterThan(semver('1.10.0-alpha'))", true },
    { D "version.major() == 1 && " D "version.minor() == 10 && " D "version.patch() == 0", true },
    { "isSemver('1.2') || isSemver('01.2.3') || isSemver('1.2.3x')", false },
    { "isSemver('1.2.3+build') && isSemver('1.2.3-a+b')", true },
    { "device.capacity['gpu.example.com'].memory.compareTo(quantity('80Gi')) == 0", true },
    { "device.capacity['gpu.example.com'].memory.isGreaterThan(quantity('40Gi'))", true },
    { "device.capacity['gpu.example.com'].memory.isLessThan(quantity('40Gi'))", false },
    { "device.capacity['gpu.example.com'].memory >= quantity('80Gi')", true },
    { "device.capacity['gpu.example.com'].memory.sub(quantity('1Gi')).asInteger() == 84825604096",
      true },
    { "quantity('1Gi').add(quantity('1Gi')) == quantity('2Gi')", true },
    { "isQuantity('1Gi') && !isQuantity('x')", true },
    { "'gpu.example.com' in device.attributes && !('x' in device.attributes)", true },
    { "'memory' in device.capacity['gpu.example.com']", true },
    { "has(" D "model) && !has(" D "nothing)", true },
    { "has(device.capacity.x)", false },
    { D "nothing == 1", false },
    { D "nothing == 1 || true", true },
    { "true || " D "nothing", true },
    { "false && " D "nothing", false },
    { "!(" D "nothing && false)", true },
    { D "odd == 1", false },
    { "device.attributes['other.example.com'].model == 'h100'", false },
    { D "model == 1", false },
    { D "model > 1", false },
    { D "model", false },
    { "'a' < 'b' && 'a' <= 'a' && 'b' >= 'a'", true },
    { "[1, 2] == [1, 2] && [1, 2] != [2, 1] && [1, 2][1] == 2", true },
    { "[1][1] == 1", false },
    { "null == null", true },
    { "'a\\n\\'\\x' == 'a\n\\'x'", true },
    { "device.allowMultipleAllocations", false },
    { "1.5e1 == 15.0 && 3u == 3", true },
    { "1.5 + 1.5 == 3.0 && 3.0 - 1.0 == 2.0 && 3.0 * 2.0 / 2.0 == 3.0 && -1.0 < 0.0", true },
};

static void expressions_select(void **state)
{
    struct device_capacity memory = { .domain = "gpu.example.com",
                                      .name = "memory",
                                      .value = quantity("80Gi") };
    struct device device = { .driver = "gpu.example.com",
                             .attributes = attributes,
                             .attribute_count = ARRAY_COUNT(attributes),
                             .capacities = &memory,
                             .capacity_count = 1 };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(expressions); i++) {
        const struct cel_node *parsed;
        struct err e = { 0 };

        if (cel_parse(expressions[i].text, &facts, &parsed, &e) < 0)
            fail_msg("%s: %s", expressions[i].text, e.text);
        if (cel_selects(parsed, &device, &facts) != expressions[i].selects)
            fail_msg("%s: expected %d", expressions[i].text, expressions[i].selects);
    }
}

static const struct {
    const char *text, *problem;
} mistakes[] = {
    { "", "1:1: unexpected end" },
    { "devise.driver == 'x'", "1:1: undeclared reference to 'devise'" },
    { "device.driver = 'x'", "1:15: unexpected '='" },
    { "device.driver == ", "1:18: unexpected end" },
    { "(true", "1:6: expected ')'" },
    { "'open", "1:1: a text does not end" },
    { "device.", "1:8: expected the name of a member" },
    { "device.driver.trim()", "1:20: undeclared reference to 'trim'" },
    { "int('1') == 1", "1:5: undeclared reference to 'int'" },
    { "[1].exists(x, y == 1)", "1:15: undeclared reference to 'y'" },
    { "[1].exists(x, x == 1) && x", "1:26: undeclared reference to 'x'" },
    { "[1].exists(1, true)", "1:12: expected the name of a variable" },
    { "99999999999999999999 > 1", "1:1: a number is too large" },
    { "true true", "1:6: unexpected 'true'" },
    { "has(device)", "1:5: undeclared reference to 'has'" },
    { "{'a': 1}", "1:1: unexpected '{'" },
};

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(mistakes); i++) {
        const struct cel_node *parsed;
        struct err e = { 0 };

        assert_int_equal(cel_parse(mistakes[i].text, &facts, &parsed, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(e.text, mistakes[i].problem);
    }
}

static void deep_expressions_are_refused(void **state)
{
    static const char *const deep[] = { "(", "!", "[", "device[" };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(deep); i++) {
        AUTO_STRBUF struct strbuf text = STRBUF_INIT;
        const struct cel_node *parsed;
        struct err e = { 0 };

        for (int k = 0; k < 1000; k++)
            strbuf_puts(&text, deep[i]);
        assert_int_equal(cel_parse(text.text, &facts, &parsed, &e), -1);
        assert_non_null(strstr(e.text, "nested too deeply"));
    }
}

static void long_expressions_are_refused(void **state)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    const struct cel_node *parsed;
    struct err e = { 0 };

    (void)state;
    strbuf_puts(&text, "1 ");
    for (int k = 0; k < 100000; k++)
        strbuf_puts(&text, "+ 1 ");
    assert_int_equal(cel_parse(text.text, &facts, &parsed, &e), -1);
    assert_string_equal(e.text, "1:1: longer than 10240 bytes");
}

static void endless_expressions_end(void **state)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    struct device device = { .driver = "gpu.example.com" };
    const struct cel_node *parsed;
    struct err e = { 0 };

    (void)state;
    for (int k = 0; k < 20; k++)
        strbuf_puts(&text, "[1,1,1,1,1,1,1,1].all(x, ");
    strbuf_puts(&text, "true");
    for (int k = 0; k < 20; k++)
        strbuf_putc(&text, ')');
    assert_int_equal(cel_parse(text.text, &facts, &parsed, &e), 0);
    assert_false(cel_selects(parsed, &device, &facts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(expressions_select, facts_finish),
        cmocka_unit_test_teardown(mistakes_are_named_with_their_place, facts_finish),
        cmocka_unit_test_teardown(deep_expressions_are_refused, facts_finish),
        cmocka_unit_test_teardown(long_expressions_are_refused, facts_finish),
        cmocka_unit_test_teardown(endless_expressions_end, facts_finish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
