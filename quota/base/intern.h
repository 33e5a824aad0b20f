/* intern.h - names that live as long as their table, each stored once.
 *
 * A name becomes a small integer; equal names have equal ids, so comparing ids compares names.
 * Ids count up from 1 in order of first appearance; 0 is the empty name. Nothing is ever removed.
 * One owner thread per table. */
#pragma once

#include <stdint.h>
#include "quota/base/str.h"

struct intern;
struct intern *intern_create(void);
void intern_destroy(struct intern *table); /* NULL is fine */
uint32_t intern_put(struct intern *table, struct str name);
uint32_t intern_find(const struct intern *table, struct str name); /* 0 when it was never put */
const char *intern_text(const struct intern *table,
                        uint32_t id); /* NUL-terminated, valid until destroy */
