/* play.h - a world on which operations are performed, with the engine under test beside its model.
 *
 * Everything the engine is told or answers is mirrored in the model, and what the engine promises
 * is checked on the way (watch.h). The first broken promise calls 'broken', which must not
 * return. */
#pragma once

#include "quota/engine/engine.h"
#include "tests/property/model.h"
#include "tests/property/operation.h"

typedef void play_broken_fn(void *context, const char *what);

struct play {
    struct model model;
    struct engine *engine;
    struct arena facts;  /* of one operation */
    struct arena answer; /* of one cycle */
    struct cycle_result cycle;
    struct draw draw; /* details of the present operation */
    uint64_t digest;  /* of all decisions so far */
    FILE *trace;      /* each step in words; NULL: none */
    play_broken_fn *broken;
    void *context;
};

/* Make the world that 'salt' asks for: options, flavors, namespaces, a first tree. */
void play_begin(struct play *play, uint32_t salt, play_broken_fn *broken, void *context);
void play_end(struct play *play);
void play_operation(struct play *play, struct operation operation);

void play_trace(struct play *play, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void play_broken(struct play *play, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));
