/* json.h - a pull reader over JSON bytes that builds nothing.
 *
 * Reads one complete value in memory; unknown members are skipped at scan speed. Strict RFC 8259:
 * the judge in tests is jansson (same input: same fields, or both reject). Depth is capped at 512.
 * Errors stick: after the first, every call answers "no more", and json_failed tells what and
 * where.
 *
 *   struct json_reader r;
 *   struct str key;
 *   json_open(&r, bytes);
 *   if (json_enter_object(&r))
 *       while (json_member(&r, &key))
 *           if (str_is(key, "name")) name = json_text(&r, arena); else json_skip(&r);
 *   if (json_failed(&r, &e)) ...
 *
 * (Not "json_object": jansson exports that name, and the program links both.)
 * A string that contains \u0000 is refused. Numbers of any size are accepted; json_int answers its
 * default for those that are no int64, json_scalar gives them as text.
 *
 * One thread at a time. The bytes must stay as long as the reader and the raw pieces are used. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/base/str.h"

enum json_kind {
    JSON_KIND_NONE,
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_NUMBER,
    JSON_KIND_STRING,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT
};

struct json_reader {
    const char *at, *end, *start;
    unsigned depth;
    bool first;          /* the next member or item is the first of its container */
    const char *problem; /* NULL while all is well */
    const char *problem_at;
};

void json_open(struct json_reader *r, struct str bytes);
enum json_kind json_peek(struct json_reader *r); /* kind of the next value, not consumed */
/* Enter an object or array. A value of another kind (null included) is skipped and false is
 * answered without error, so that optional members need no check; use json_peek to insist. */
bool json_enter_object(struct json_reader *r);
bool json_enter_array(struct json_reader *r);
/* Next member or item; false at the end, which leaves the container. 'key' is unescaped when it
 * needs no unescaping, else the raw piece (keys we look for never need it). */
bool json_member(struct json_reader *r, struct str *key);
bool json_item(struct json_reader *r);
/* The next value. A value of another kind is skipped and the default answered. */
char *json_text(struct json_reader *r,
                struct arena *a); /* NUL-terminated copy, unescaped; NULL if no string */
struct str json_text_raw(struct json_reader *r); /* between the quotes, still escaped; no copy */
bool json_text_is(struct json_reader *r, const char *literal); /* consumes; equal to the literal? */
int64_t json_int(struct json_reader *r, int64_t otherwise);    /* integers only, else 'otherwise' */
bool json_bool(struct json_reader *r, bool otherwise);
struct str json_raw(struct json_reader *r); /* the bytes of any value, as they stand */
/* A quantity or number or string as text ("2", "500m"): numbers as written, strings unescaped. */
char *json_scalar(struct json_reader *r, struct arena *a);
void json_skip(struct json_reader *r);
/* True when something was wrong; *e then says what at which byte. Call json_end to also insist
 * that nothing but white space follows. */
bool json_failed(const struct json_reader *r, struct err *e);
bool json_end(struct json_reader *r);

/* Border finder for streams: feeds bytes in pieces, tells where the current top-level value
 * ends. */
struct json_scanner {
    unsigned depth;
    bool in_string, escaped, started, scalar;
};
void json_scanner_init(struct json_scanner *s);
/* Bytes consumed up to and including the end of the value (*done = true), or all of them. */
size_t json_scan(struct json_scanner *s, struct str bytes, bool *done);
