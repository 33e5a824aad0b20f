#include "quota/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "quota/base/mem.h"

int str_compare(struct str a, struct str b)
{
    size_t shared = a.length < b.length ? a.length : b.length;
    int order = shared > 0 ? memcmp(a.text, b.text, shared) : 0;

    if (order != 0)
        return order;
    return a.length < b.length ? -1 : a.length > b.length;
}

bool str_starts(struct str s, const char *prefix)
{
    size_t length = strlen(prefix);

    return s.length >= length && (length == 0 || memcmp(s.text, prefix, length) == 0);
}

bool str_ends(struct str s, const char *suffix)
{
    size_t length = strlen(suffix);

    return s.length >= length &&
           (length == 0 || memcmp(s.text + (s.length - length), suffix, length) == 0);
}

bool str_cut(struct str s, char separator, struct str *head, struct str *tail)
{
    const char *at = s.length > 0 ? memchr(s.text, separator, s.length) : NULL;

    if (!at) {
        *head = s;
        *tail = (struct str){ "", 0 };
        return false;
    }
    *head = (struct str){ s.text, (size_t)(at - s.text) };
    *tail = (struct str){ at + 1, s.length - head->length - 1 };
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.length > 0 && is_space(s.text[0])) {
        s.text++;
        s.length--;
    }
    while (s.length > 0 && is_space(s.text[s.length - 1]))
        s.length--;
    return s;
}

struct str str_prefix(struct str s, size_t limit)
{
    if (s.length <= limit)
        return s;
    while (limit > 0 && ((unsigned char)s.text[limit] & 0xC0) == 0x80)
        limit--;
    return (struct str){ s.text, limit };
}

bool str_to_bool(struct str s, bool *value)
{
    static const char *const yes[] = { "1", "t", "T", "true", "True", "TRUE" };
    static const char *const no[] = { "0", "f", "F", "false", "False", "FALSE" };

    for (size_t i = 0; i < ARRAY_COUNT(yes); i++) {
        if (str_is(s, yes[i]) || str_is(s, no[i])) {
            *value = str_is(s, yes[i]);
            return true;
        }
    }
    return false;
}

bool str_to_int64(struct str s, int64_t *value)
{
    bool negative = s.length > 0 && s.text[0] == '-';
    size_t i = negative || (s.length > 0 && s.text[0] == '+') ? 1 : 0;
    int64_t sum = 0;

    if (i == s.length)
        return false;
    for (; i < s.length; i++) {
        int digit = s.text[i] - '0';

        if (digit < 0 || digit > 9)
            return false;
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, negative ? -digit : digit, &sum))
            return false;
    }
    *value = sum;
    return true;
}

/* Room for 'extra' more bytes and the NUL. */
static void strbuf_room(struct strbuf *b, size_t extra)
{
    size_t needed;

    if (__builtin_add_overflow(b->length, extra, &needed) ||
        __builtin_add_overflow(needed, (size_t)1, &needed))
        needed = SIZE_MAX; /* mem_resize then ends the process */
    if (needed <= b->capacity)
        return;
    if (needed < 64)
        needed = 64;
    if (b->capacity < SIZE_MAX / 2 && needed < b->capacity * 2)
        needed = b->capacity * 2;
    b->text = mem_resize(b->text, needed, 1);
    b->capacity = needed;
}

void strbuf_add(struct strbuf *b, const char *text, size_t length)
{
    strbuf_room(b, length);
    if (length > 0)
        memcpy(b->text + b->length, text, length);
    b->length += length;
    b->text[b->length] = '\0';
}

char *strbuf_space(struct strbuf *b, size_t length)
{
    strbuf_room(b, length);
    return b->text + b->length;
}

void strbuf_grown(struct strbuf *b, size_t length)
{
    b->length += length;
    b->text[b->length] = '\0';
}

void strbuf_puts(struct strbuf *b, const char *text)
{
    strbuf_add(b, text, strlen(text));
}

void strbuf_shortened(struct strbuf *b, struct str s, size_t limit)
{
    static const struct str mark = { " ...", 4 };

    if (s.length <= limit) {
        strbuf_str(b, s);
        return;
    }
    strbuf_str(b, str_prefix(s, limit - mark.length));
    strbuf_str(b, mark);
}

void strbuf_str(struct strbuf *b, struct str s)
{
    strbuf_add(b, s.text, s.length);
}

void strbuf_putc(struct strbuf *b, char c)
{
    strbuf_room(b, 1);
    b->text[b->length++] = c;
    b->text[b->length] = '\0';
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
    va_list args, again;
    int length;

    strbuf_room(b, 63);
    va_start(args, fmt);
    va_copy(again, args);
    length = vsnprintf(b->text + b->length, b->capacity - b->length, fmt, args);
    va_end(args);
    if (length > 0) {
        strbuf_room(b, (size_t)length);
        vsnprintf(b->text + b->length, b->capacity - b->length, fmt, again);
        b->length += (size_t)length;
    }
    va_end(again);
    b->text[b->length] = '\0';
}

void strbuf_reset(struct strbuf *b)
{
    b->length = 0;
    if (b->text)
        b->text[0] = '\0';
}

void strbuf_finish(struct strbuf *b)
{
    free(b->text);
    *b = (struct strbuf)STRBUF_INIT;
}

char *strbuf_take(struct strbuf *b)
{
    char *text;

    strbuf_room(b, 0);
    b->text[b->length] = '\0';
    text = b->text;
    *b = (struct strbuf)STRBUF_INIT;
    return text;
}
