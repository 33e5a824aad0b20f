/* Texts that many workloads share: the reason why they wait. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

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
