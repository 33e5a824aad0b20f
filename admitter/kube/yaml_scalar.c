#include "admitter/kube/yaml_scalar.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "quota/base/mem.h"

static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
static const char *const trues[] = { "y",    "Y",    "yes", "Yes", "YES", "true",
                                     "True", "TRUE", "on",  "On",  "ON" };
static const char *const falses[] = { "n",     "N",     "no",  "No",  "NO", "false",
                                      "False", "FALSE", "off", "Off", "OFF" };
static const char *const endless[] = { ".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                       "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF" };

static bool one_of(struct str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(text, words[i]))
            return true;
    return false;
}

/* The text without '_', which may stand between digits. False when too long for a number. */
static bool digits_copy(struct str text, char *out, size_t size)
{
    size_t n = 0;

    if (text.length >= size)
        return false;
    for (size_t i = 0; i < text.length; i++)
        if (text.text[i] != '_')
            out[n++] = text.text[i];
    out[n] = '\0';
    return n > 0 && text.text[0] != '_';
}

/* Whole numbers of 64 bits, in Go's notation for "any base". */
static bool integer_read(const char *text, long long *value)
{
    const char *digits = text + (*text == '+' || *text == '-');
    char folded[72];
    int base = 10;
    char *end;

    if (!isdigit((unsigned char)*digits))
        return false;
    if (digits[0] == '0' && digits[1]) {
        char mark = (char)tolower((unsigned char)digits[1]);

        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        digits += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
        if (!isxdigit((unsigned char)*digits))
            return false;
    }
    if (strlen(digits) + 2 > sizeof(folded))
        return false;
    folded[0] = *text == '-' ? '-' : '+';
    memcpy(folded + 1, digits, strlen(digits) + 1);
    errno = 0;
    *value = strtoll(folded, &end, base);
    return *end == '\0' && errno == 0;
}

/* [-+] (digits [. digits] | . digits) [e [-+] digits], and nothing else strtod would take. */
static bool decimal_looks(const char *text)
{
    size_t before, after = 0;

    text += *text == '+' || *text == '-';
    before = strspn(text, "0123456789");
    text += before;
    if (*text == '.') {
        after = strspn(text + 1, "0123456789");
        text += 1 + after;
    }
    if (before + after == 0)
        return false;
    if (*text == 'e' || *text == 'E') {
        text += 1 + (text[1] == '+' || text[1] == '-');
        before = strspn(text, "0123456789");
        if (before == 0)
            return false;
        text += before;
    }
    return *text == '\0';
}

json_t *yaml_scalar(struct str text)
{
    char digits[80];
    long long integer;

    if (one_of(text, nulls, ARRAY_COUNT(nulls)))
        return json_null();
    if (one_of(text, trues, ARRAY_COUNT(trues)))
        return json_true();
    if (one_of(text, falses, ARRAY_COUNT(falses)))
        return json_false();
    if (one_of(text, endless, ARRAY_COUNT(endless)))
        return NULL;
    if (memchr("+-.0123456789", text.text[0], 13) && digits_copy(text, digits, sizeof(digits))) {
        if (integer_read(digits, &integer))
            return json_integer(integer);
        if (decimal_looks(digits)) {
            double real = strtod(digits, NULL);

            return isfinite(real) ? json_real(real) : NULL;
        }
    }
    return json_stringn(text.text, text.length);
}
