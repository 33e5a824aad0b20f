/* mem.h - heap memory that is there or the process ends.
 *
 * Sluice may be killed at any instant without harm (design, promise 3), and a half-made decision is
 * worse than a restart. So allocations do not return NULL: they print one line and end the process
 * with status 1. Sizes that come from outside (request bodies, watch events) are capped first. Any
 * thread. */
#pragma once

#include <stddef.h>
#include <stdlib.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *mem_array(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull)); /* zeroed, overflow-checked */
void *mem_resize(void *old, size_t count, size_t size)
    __attribute__((returns_nonnull)); /* grown part not zeroed */
char *mem_dup(const char *text) __attribute__((returns_nonnull));
char *mem_dup_n(const char *text, size_t length) __attribute__((returns_nonnull)); /* NUL added */
char *mem_format(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Make room for one more item in a growing array: doubles the capacity when count == capacity. */
void *mem_grow(void *items, size_t count, size_t *capacity, size_t size)
    __attribute__((returns_nonnull));

static inline void auto_free_(void *p)
{
    free(*(void **)p);
}
/* A heap pointer released when it leaves scope: AUTO_FREE char *text = NULL; */
#define AUTO_FREE __attribute__((cleanup(auto_free_), unused))

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
