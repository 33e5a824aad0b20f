/* hash.h - SipHash-1-3: text to 64 bits, keyed so that outsiders cannot choose colliding names.
 *
 * Published algorithm: Aumasson and Bernstein, "SipHash: a fast short-input PRF". Any thread. */
#pragma once

#include <stdint.h>
#include "quota/base/str.h"

struct hash_key {
    uint64_t low, high;
};

uint64_t siphash_text(struct hash_key key, struct str text);
/* A good mix of one number (no key: for tables whose numbers are our own). */
uint64_t hash_number(uint64_t number);
/* The key of this process, made from the number given to map_seed. */
struct hash_key hash_process_key(void);
