/* str.h - a borrowed piece of text, and a growing buffer to build text in.
 *
 * struct str points into somebody else's memory and is valid as long as that is; it need not end
 * in NUL. struct strbuf owns its bytes and always ends in NUL. Neither is shared between
 * threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *text; /* may be NULL when length is 0 */
    size_t length;    /* bytes */
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
/* For printf("%.*s"). */
#define STR_ARGS(s) (int)(s).length, (s).text ? (s).text : ""

static inline struct str str_of(const char *text)
{
    return (struct str){ text, text ? strlen(text) : 0 };
}
static inline bool str_equal(struct str a, struct str b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.text, b.text, a.length) == 0);
}
/* Does s equal the NUL-terminated literal? */
static inline bool str_is(struct str s, const char *literal)
{
    /* Tables of words are searched with this: most differ in the first byte. */
    return (s.length == 0 || *s.text == *literal) && str_equal(s, str_of(literal));
}
int str_compare(struct str a, struct str b); /* byte-wise, shorter first; <0, 0, >0 */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
/* Split at the first 'separator': *head gets what is before it, *tail what is after. False (and
 * head = s, tail empty) when there is none. */
bool str_cut(struct str s, char separator, struct str *head, struct str *tail);
struct str str_trim(struct str s); /* without white space at both ends */
/* The first 'limit' bytes at most; a UTF-8 character that would be split is left out. */
struct str str_prefix(struct str s, size_t limit);
/* A whole decimal integer with optional sign, nothing around it. */
bool str_to_int64(struct str s, int64_t *value);
/* A boolean as Go's strconv.ParseBool reads one: 1, t, T, true, True, TRUE and their opposites. */
bool str_to_bool(struct str s, bool *value);

struct strbuf {
    char *text;    /* NUL-terminated; NULL until the first byte */
    size_t length; /* bytes without the NUL */
    size_t capacity;
};

#define STRBUF_INIT                                                                                \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }
void strbuf_add(struct strbuf *b, const char *text, size_t length);
void strbuf_puts(struct strbuf *b, const char *text);
void strbuf_str(struct strbuf *b, struct str s);
void strbuf_putc(struct strbuf *b, char c);
/* Room for 'length' more bytes, which the caller fills and then counts with strbuf_grown. */
char *strbuf_space(struct strbuf *b, size_t length);
void strbuf_grown(struct strbuf *b, size_t length);
/* Text in at most 'limit' bytes: when it is longer, its beginning and " ...". */
void strbuf_shortened(struct strbuf *b, struct str s, size_t limit);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Text as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void strbuf_json(struct strbuf *b, struct str s);
void strbuf_reset(struct strbuf *b);  /* empty, memory kept */
void strbuf_finish(struct strbuf *b); /* memory released; usable again */
char *strbuf_take(
    struct strbuf *b); /* hand the bytes to the caller (free), never NULL; b is empty after */
static inline struct str strbuf_view(const struct strbuf *b)
{
    return (struct str){ b->text, b->length };
}
#define AUTO_STRBUF __attribute__((cleanup(strbuf_finish)))
