/* patch.h - JSON Patch (RFC 6902): the difference of two trees, or single operations by hand.
 *
 * Pure; any thread. The difference names only what changed, so fields that this program does not
 * know stay as they are (spec/integrations.md 1.24). */
#pragma once

#include <stdbool.h>
#include "quota/base/arena.h"
#include "quota/base/base64.h"
#include "quota/base/str.h"

typedef struct json_t json_t; /* jansson's; this header does not need the rest of it */

/* A patch being built. PATCH_INIT, then operations in order, then patch_end.
 *
 *   struct patch patch = PATCH_INIT;
 *   patch_replace(&patch, "/spec/suspend", STR("true"));
 *   review_patch(answer, patch_end(&patch, arena)); */
struct patch {
    struct strbuf text;
    size_t count; /* operations so far */
};
#define PATCH_INIT                                                                                 \
    {                                                                                              \
        STRBUF_INIT, 0                                                                             \
    }
/* 'path' is a JSON Pointer, already escaped (see patch_path); 'value' is JSON text. "add" also
 * replaces an existing member; "replace" and "remove" need it to exist. */
void patch_add(struct patch *patch, const char *path, struct str value);
void patch_replace(struct patch *patch, const char *path, struct str value);
void patch_remove(struct patch *patch, const char *path);
/* The finished array in the arena, empty text when there are no operations; frees the builder. */
struct str patch_end(struct patch *patch, struct arena *arena);

/* A pointer with one more member name, escaped: patch_path(a, "/metadata/labels",
 * STR("kueue.x-k8s.io/queue-name")) is "/metadata/labels/kueue.x-k8s.io~1queue-name". */
char *patch_path(struct arena *arena, const char *parent, struct str name);

/* Operations that turn 'from' into 'to', appended to 'patch': members are compared one by one,
 * arrays after taking off their common ends, and a value that changed its kind is replaced. Real
 * numbers compare by value. Neither tree is changed. */
void patch_difference(struct patch *patch, const json_t *from, const json_t *to);
