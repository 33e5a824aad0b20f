/* operation.h - what happens to a world, as a list that can be made, stored, read and shortened.
 *
 * An operation is a kind and a salt; all its details follow from these two and from what the world
 * is like at that moment. Any list of operations is valid: what makes no sense is skipped. So a
 * failing list can be cut down by leaving operations out. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum operation_kind {
    OPERATION_CREATE,
    OPERATION_DELETE,
    OPERATION_CHANGE,
    OPERATION_RECLAIM,
    OPERATION_EVICT,
    OPERATION_COHORT_PUT,
    OPERATION_COHORT_REMOVE,
    OPERATION_QUEUE_PUT,
    OPERATION_QUEUE_REMOVE,
    OPERATION_LOCAL_PUT,
    OPERATION_LOCAL_REMOVE,
    OPERATION_FLAVOR,
    OPERATION_CHECK,
    OPERATION_NAMESPACE,
    OPERATION_LIMIT_RANGE,
    OPERATION_EVICTIONS_END,
    OPERATION_WRITES_ANSWER,
    OPERATION_OLD_NEWS,
    OPERATION_PASS,
    OPERATION_CYCLE,
    OPERATION_CYCLE_FAILS,
    OPERATION_SETTLE,
    OPERATION_KINDS
};

struct operation {
    enum operation_kind kind;
    uint32_t salt;
};

struct operation_list {
    uint32_t world; /* salt of the world's options and first objects */
    struct operation *items;
    size_t count;
};

/* A deterministic source of numbers. */
struct draw {
    uint64_t state;
};
void draw_begin(struct draw *draw, uint64_t seed);
uint32_t draw_below(struct draw *draw, uint32_t below); /* 0 for below 0 or 1 */

const char *operation_name(enum operation_kind kind);

/* 'count' operations that follow from 'seed'. */
void operations_make(struct operation_list *list, uint64_t seed, size_t count);
void operations_finish(struct operation_list *list);
/* Every 'step' bytes make one operation: kind, then salt. For fuzzing; 'list' as
 * operations_make. */
void operations_from_bytes(struct operation_list *list, const uint8_t *bytes, size_t size);
/* A case file: "world SALT", then "KIND SALT" per line; '#' begins a comment. False: not one. */
bool operations_read(struct operation_list *list, FILE *file);
void operations_write(const struct operation_list *list, FILE *file);
