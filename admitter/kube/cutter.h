/* cutter.h - cuts a streamed answer into objects, however the bytes arrive.
 *
 * Two forms: a watch is JSON values one after another; a list is one object whose "items" are
 * handed out one by one while the rest of its members is kept. A piece that lies whole within one
 * read is not copied. Pure; one owner thread. */
#pragma once

#include <stdbool.h>
#include "quota/base/json.h"
#include "quota/base/str.h"

enum cutter_form { CUTTER_VALUES, CUTTER_LIST };

/* One complete value. 'key' is empty for values and items, else the list's member it stands
 * under ("metadata"). False: stop. Both pieces are valid during the call. */
typedef bool cutter_fn(void *context, struct str key, struct str value);

enum cutter_place {
    CUTTER_BEFORE, /* the list's '{' has not come yet */
    CUTTER_KEY,    /* a member's key, or the end of the list */
    CUTTER_COLON,
    CUTTER_VALUE,    /* a member's value begins */
    CUTTER_IN_VALUE, /* a member's value or a watch event goes on */
    CUTTER_ITEM,     /* an item, or the end of the items */
    CUTTER_IN_ITEM,  /* an item goes on */
    CUTTER_COMPLETE, /* the list is closed */
};

struct cutter {
    enum cutter_form form;
    enum cutter_place place;
    struct json_scanner scanner;
    struct strbuf held; /* the first part of a value that is not complete */
    char key[64];
    size_t key_length;
    size_t limit;        /* of one value, in bytes */
    const char *problem; /* NULL while all is well */
    cutter_fn *take;
    void *context;
};

void cutter_init(struct cutter *c, enum cutter_form form, size_t limit, cutter_fn *take,
                 void *context);
void cutter_finish(struct cutter *c);
/* False after a problem, or when 'take' said stop (then problem is NULL). */
bool cutter_feed(struct cutter *c, struct str piece);
/* The list was closed; or, for values, nothing is left half-read. */
bool cutter_complete(const struct cutter *c);
