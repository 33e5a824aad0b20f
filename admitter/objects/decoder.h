/* decoder.h - what the decoders of this room share: typed reading of JSON with paths in errors.
 *
 * A decoder walks one document with the pull reader. Which members of an object are read, and into
 * what, stands in tables (struct decode_field); everything else is skipped. The first error sticks:
 * all later calls do nothing. null counts as absent and leaves the target as it is. Targets must be
 * zeroed or hold their defaults. Private to admitter/objects; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/base/json.h"
#include "quota/engine/model.h"

#define DECODE_DEPTH 32

enum decode_step_kind { DECODE_MEMBER, DECODE_KEY, DECODE_INDEX };
struct decode_step { /* one piece of the path of the value being read */
    enum decode_step_kind kind;
    struct str key;
    size_t index;
};

struct decoder {
    struct json_reader reader;
    struct arena *arena;
    struct err *e;
    bool failed;
    bool v1beta1; /* apiVersion of the document */
    unsigned depth;
    struct decode_step path[DECODE_DEPTH];
};

/* Read the value that the reader stands at into 'target'. */
typedef void decode_function(struct decoder *d, void *target);

enum decode_version { DECODE_ALWAYS, DECODE_V1BETA1, DECODE_V1BETA2 };
struct decode_field { /* a table ends with key NULL */
    const char *key;
    decode_function *read;
    size_t offset; /* of the target in the struct being filled */
    enum decode_version version;
};
#define DECODE_FIELD(key, read, type, member)                                                      \
    {                                                                                              \
        key, read, offsetof(type, member), DECODE_ALWAYS                                           \
    }
#define DECODE_WHOLE(key, read) /* 'read' gets the struct itself */                                \
    {                                                                                              \
        key, read, 0, DECODE_ALWAYS                                                                \
    }
#define DECODE_END                                                                                 \
    {                                                                                              \
        NULL, NULL, 0, DECODE_ALWAYS                                                               \
    }

/* Read a whole document with the table of its top level. 0 or -1 and *e. */
MUST_USE int decode_document(struct str json, struct arena *a, const struct decode_field *fields,
                             void *out, struct err *e);

/* ---- containers ---- */
void decode_record(struct decoder *d, const struct decode_field *fields, void *out);
/* An array of items of 'size' bytes, zeroed before 'read' gets each. */
void *decode_list(struct decoder *d, size_t size, decode_function *read, size_t *count);
/* An object with any keys: 'read' gets each value; the key is at *(const char **)item already. */
void *decode_map(struct decoder *d, size_t size, decode_function *read, size_t *count);
struct label *decode_labels(struct decoder *d, size_t *count);
const char **decode_texts(struct decoder *d, size_t *count);
/* Decode raw JSON that was taken out with json_raw, at the present path. */
void decode_piece(struct decoder *d, struct str raw, const struct decode_field *fields, void *out);

/* ---- single values; targets in parentheses ---- */
decode_function decode_text;      /* (const char *) */
decode_function decode_bool;      /* (bool) */
decode_function decode_int32;     /* (int32_t) */
decode_function decode_int64;     /* (int64_t) */
decode_function decode_quantity;  /* (struct quantity) */
decode_function decode_time;      /* (int64_t) */
decode_function decode_resources; /* (struct resource_list) */
decode_function decode_canonical; /* (const char *) compact JSON with sorted keys */
/* One of 'names' (NULL-terminated): its index; 'otherwise' for null; -1 after an error. */
int decode_choice(struct decoder *d, const char *const *names, int otherwise);

/* True when the next value is null or an error stands; null is consumed. */
bool decode_absent(struct decoder *d);
/* Record "<path>: expected <expected>, got <value>"; consumes the value. */
void decode_unexpected(struct decoder *d, const char *expected);
/* Record "<path><member>: <text>"; 'member' is "" or like ".name". */
void decode_problem(struct decoder *d, const char *member, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
