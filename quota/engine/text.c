/* Texts: keys of two parts, and what many workloads share, the reason why they wait. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

void *namespaced_find(const struct map *map, const char *namespace, const char *name)
{
    char small[256];
    size_t before = strlen(namespace), length = before + 1 + strlen(name);

    if (length > sizeof(small)) {
        AUTO_FREE char *key = mem_format("%s/%s", namespace, name);

        return map_get(map, str_of(key));
    }
    memcpy(small, namespace, before);
    small[before] = '/';
    memcpy(small + before + 1, name, length - before - 1);
    return map_get(map, (struct str){ small, length });
}

struct shared_text *text_hold(struct engine *engine, const char *text)
{
    struct str key = str_of(text);
    struct shared_text *shared;

    if (key.length == 0)
        return NULL;
    shared = map_get(engine->texts, key);
    if (!shared) {
        shared = mem_alloc(sizeof(*shared) + key.length + 1);
        shared->length = (uint32_t)key.length;
        memcpy(shared->text, key.text, key.length);
        map_put(engine->texts, (struct str){ shared->text, key.length }, shared);
    }
    shared->references++;
    return shared;
}

void text_release(struct engine *engine, struct shared_text *text)
{
    if (!text || --text->references > 0)
        return;
    map_remove(engine->texts, (struct str){ text->text, text->length });
    free(text);
}
