#include "quota/base/clock.h"

#include <stdbool.h>

static bool take_digit(struct str *text, unsigned *digit)
{
    if (text->length == 0 || text->text[0] < '0' || text->text[0] > '9')
        return false;
    *digit = (unsigned)(text->text[0] - '0');
    text->text++;
    text->length--;
    return true;
}

static int64_t take_unit(struct str *text)
{
    static const struct {
        const char *name;
        int64_t nanoseconds;
    } units[] = {
        { "ns", 1 },
        { "us", 1000 },
        { "\xC2\xB5s", 1000 }, /* micro sign */
        { "\xCE\xBCs", 1000 }, /* Greek mu */
        { "ms", NANOSECONDS_PER_MILLISECOND },
        { "s", NANOSECONDS_PER_SECOND },
        { "m", 60 * NANOSECONDS_PER_SECOND },
        { "h", 3600 * NANOSECONDS_PER_SECOND },
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!str_starts(*text, units[i].name))
            continue;
        text->text += strlen(units[i].name);
        text->length -= strlen(units[i].name);
        return units[i].nanoseconds;
    }
    return 0;
}

/* One "<number><unit>". Fractions below a nanosecond are cut off. */
static bool take_term(struct str *text, uint64_t *sum)
{
    uint64_t whole = 0, fraction = 0, scale = 1, unit, term;
    unsigned digit;
    bool any = false;

    for (; take_digit(text, &digit); any = true)
        if (__builtin_mul_overflow(whole, (uint64_t)10, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)digit, &whole))
            return false;
    if (text->length > 0 && text->text[0] == '.') {
        text->text++;
        text->length--;
        for (; take_digit(text, &digit); any = true) {
            if (scale >= UINT64_C(1000000000000000))
                continue;
            fraction = fraction * 10 + digit;
            scale *= 10;
        }
    }
    unit = any ? (uint64_t)take_unit(text) : 0;
    if (unit == 0 || __builtin_mul_overflow(whole, unit, &term))
        return false;
    term += (uint64_t)((unsigned __int128)fraction * unit / scale);
    return !__builtin_add_overflow(*sum, term, sum) && *sum <= (uint64_t)INT64_MAX + 1;
}

int duration_parse(struct str text, int64_t *duration, struct err *e)
{
    struct str rest = text;
    uint64_t sum = 0;
    bool negative = text.length > 0 && text.text[0] == '-';
    bool fine;

    if (text.length > 0 && (text.text[0] == '-' || text.text[0] == '+')) {
        rest.text++;
        rest.length--;
    }
    fine = rest.length > 0;
    if (str_is(rest, "0"))
        rest.length = 0;
    while (fine && rest.length > 0)
        fine = take_term(&rest, &sum);
    if (!fine || (!negative && sum > INT64_MAX))
        return err_set(e, ERR_INVALID, "\"%.*s\" is not a duration such as 300ms or 1h30m",
                       STR_ARGS(text));
    *duration = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return 0;
}

/* Digits are written from the end of the buffer backwards. */
static char *put_number_before(char *end, uint64_t value)
{
    do
        *--end = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    return end;
}

/* The last 'decimals' digits of *value as ".xyz" without trailing zeros, nothing when all zero. */
static char *put_fraction_before(char *end, uint64_t *value, unsigned decimals)
{
    bool shown = false;

    for (unsigned i = 0; i < decimals; i++) {
        uint64_t digit = *value % 10;

        *value /= 10;
        shown = shown || digit != 0;
        if (shown)
            *--end = (char)('0' + digit);
    }
    if (shown)
        *--end = '.';
    return end;
}

static char *put_below_second(char *at, uint64_t value)
{
    *--at = 's';
    if (value < 1000) {
        *--at = 'n';
        return put_number_before(at, value);
    }
    if (value < 1000000) {
        at -= 2;
        memcpy(at, "\xC2\xB5", 2);
        at = put_fraction_before(at, &value, 3);
    } else {
        *--at = 'm';
        at = put_fraction_before(at, &value, 6);
    }
    return put_number_before(at, value);
}

static char *put_seconds_and_more(char *at, uint64_t value)
{
    *--at = 's';
    at = put_fraction_before(at, &value, 9);
    at = put_number_before(at, value % 60);
    value /= 60;
    if (value == 0)
        return at;
    *--at = 'm';
    at = put_number_before(at, value % 60);
    value /= 60;
    if (value == 0)
        return at;
    *--at = 'h';
    return put_number_before(at, value);
}

const char *duration_print(int64_t duration, char *buffer)
{
    uint64_t value = duration < 0 ? 0 - (uint64_t)duration : (uint64_t)duration;
    char text[DURATION_TEXT], *end = text + sizeof(text), *at = end;

    *--at = '\0';
    if (value == 0) {
        at -= 2;
        memcpy(at, "0s", 2);
    } else if (value < (uint64_t)NANOSECONDS_PER_SECOND) {
        at = put_below_second(at, value);
    } else {
        at = put_seconds_and_more(at, value);
    }
    if (duration < 0)
        *--at = '-';
    memcpy(buffer, at, (size_t)(end - at));
    return buffer;
}
