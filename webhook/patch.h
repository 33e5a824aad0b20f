/* patch.h - JSON Patch (RFC 6902): the difference of two trees.
 *
 * Pure; any thread. The difference names only what changed, so fields that this program does not
 * know stay as they are (spec/integrations.md 1.24). */
#pragma once

#include <stdbool.h>
#include "quota/base/arena.h"
#include "quota/base/str.h"

typedef struct json_t json_t; /* jansson's; this header does not need the rest of it */

/* A patch being built.
 *
 *   struct patch patch = PATCH_INIT;
 *   patch_difference(&patch, before, after);
 *   review_patch(answer, patch_end(&patch, arena)); */
struct patch {
    struct strbuf text;
    size_t count; /* operations so far */
};
#define PATCH_INIT                                                                                 \
    {                                                                                              \
        STRBUF_INIT, 0                                                                             \
    }
/* Operations that turn 'from' into 'to', appended to 'patch': members are compared one by one,
 * arrays after taking off their common ends, and a value that changed its kind is replaced. Real
 * numbers compare by value. Neither tree is changed. */
void patch_difference(struct patch *patch, const json_t *from, const json_t *to);
/* The finished array in the arena, empty text when there are no operations; frees the builder. */
struct str patch_end(struct patch *patch, struct arena *arena);
