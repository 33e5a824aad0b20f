/* quantity.h - Kubernetes resource quantities, exact.
 *
 * The value is kept in billionths of the unit (one core, one byte, one piece) in 128 bits, which
 * holds the whole Kubernetes range with room to spare (nine decimals; finer digits round away from
 * zero). Larger values saturate: binary ones at 2^63-1 as k8s.io/apimachinery does, decimal ones at
 * 10^29, which every amount clamps anyway. A sign, point or suffix without any digit is
 * refused (Go reads zero), and 1000E prints as 1000E (Go loses the suffix). Printing is canonical:
 * the same text that the API server would store. Pure; any thread. Rules: spec/scheduling.md 0.1,
 * 0.2. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

enum quantity_format {
    QUANTITY_DECIMAL,  /* 1500m, 2, 10k */
    QUANTITY_BINARY,   /* 5Mi, 1Ki */
    QUANTITY_EXPONENT, /* 1e3 */
};

struct quantity {
    __int128 nano; /* value times 10^9 */
    enum quantity_format format;
};

#define AMOUNT_UNLIMITED INT64_MAX /* spec/scheduling.md 0.1: the sentinel "Unlimited" */

/* Parse "1500m", "5Gi", "1e3", "0.1", ".5", "-3". ERR_INVALID names the text. */
MUST_USE int quantity_parse(struct str text, struct quantity *q, struct err *e);
/* Canonical text into 'buffer' (at least QUANTITY_TEXT bytes); returns buffer. */
#define QUANTITY_TEXT 64
const char *quantity_print(struct quantity q, char *buffer);

struct quantity quantity_of(int64_t value, enum quantity_format format); /* whole units */
struct quantity quantity_milli(int64_t milli); /* thousandths, decimal format */
struct quantity quantity_add(struct quantity a,
                             struct quantity b); /* saturating; a's format, or b's when a is 0 */
int quantity_compare(struct quantity a, struct quantity b); /* <0, 0, >0 */
/* Rounded up (toward +infinity) and clamped to int64. */
int64_t quantity_ceil(struct quantity q);
int64_t quantity_ceil_milli(struct quantity q);

/* Amounts: what quota arithmetic works on (cpu in milli-cores, everything else in whole units). */
bool resource_is_cpu(struct str resource);
/* Quota side: out-of-range becomes AMOUNT_UNLIMITED. */
int64_t amount_of_quota(struct str resource, struct quantity q);
/* Request side: clamped to INT64_MIN/INT64_MAX. */
int64_t amount_of_request(struct str resource, struct quantity q);
/* Unlimited-aware, saturating (0.1); inline, because quota arithmetic is little else. */
static inline int64_t amount_add(int64_t a, int64_t b)
{
    int64_t sum;

    if (a == AMOUNT_UNLIMITED || b == AMOUNT_UNLIMITED)
        return AMOUNT_UNLIMITED;
    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static inline int64_t amount_sub(int64_t a, int64_t b)
{
    int64_t difference;

    if (a == AMOUNT_UNLIMITED)
        return b == AMOUNT_UNLIMITED ? 0 : AMOUNT_UNLIMITED;
    if (b == AMOUNT_UNLIMITED)
        return INT64_MIN;
    if (__builtin_sub_overflow(a, b, &difference))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return difference;
}
int64_t amount_mul(int64_t amount, int64_t count); /* saturating */
/* An amount as it reads in messages (0.2): "<unlimited>" for AMOUNT_UNLIMITED unless 'request'.
 * 'buffer' has at least QUANTITY_TEXT bytes; returns buffer. */
const char *amount_print(struct str resource, int64_t amount, bool request, char *buffer);
