#include "quota/base/metric_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "quota/base/utf8.h"

#define EXACT_INTEGER 9007199254740992.0 /* 2^53 */

static size_t print_integer(int64_t value, char *buffer)
{
    char digits[24];
    size_t count = 0, length = 0;
    uint64_t rest = value < 0 ? (uint64_t)-value : (uint64_t)value;

    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        buffer[length++] = '-';
    while (count > 0)
        buffer[length++] = digits[--count];
    buffer[length] = '\0';
    return length;
}

static size_t print_shortest(double value, char *buffer)
{
    for (int digits = 15; digits < 17; digits++) {
        int length = snprintf(buffer, METRIC_NUMBER_TEXT, "%.*g", digits, value);

        if (strtod(buffer, NULL) == value)
            return (size_t)length;
    }
    return (size_t)snprintf(buffer, METRIC_NUMBER_TEXT, "%.17g", value);
}

size_t metric_number(double value, char *buffer)
{
    if (isnan(value))
        return (size_t)snprintf(buffer, METRIC_NUMBER_TEXT, "NaN");
    if (isinf(value))
        return (size_t)snprintf(buffer, METRIC_NUMBER_TEXT, "%cInf", value > 0 ? '+' : '-');
    if (value > -EXACT_INTEGER && value < EXACT_INTEGER && value == (double)(int64_t)value)
        return print_integer((int64_t)value, buffer);
    return print_shortest(value, buffer);
}

static const char *escape_of(char c, bool is_label)
{
    if (c == '\\')
        return "\\\\";
    if (c == '\n')
        return "\\n";
    return c == '"' && is_label ? "\\\"" : NULL;
}

void metric_escape(struct strbuf *out, const char *text, bool is_label)
{
    size_t left = strlen(text);

    while (left > 0) {
        const char *escape = escape_of(*text, is_label);
        size_t length = utf8_length(text, left);

        if (escape)
            strbuf_puts(out, escape);
        else if (length == 0)
            strbuf_puts(out, "\xEF\xBF\xBD");
        else
            strbuf_add(out, text, length);
        length = length == 0 ? 1 : length;
        text += length;
        left -= length;
    }
}
