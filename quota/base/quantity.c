#include "quota/base/quantity.h"

#include <stdio.h>

#define BILLION ((__int128)1000000000)
#define LARGEST_NANO (BILLION * BILLION * BILLION * BILLION * 100)

/* "<value><suffix>" into 'buffer'. */
static const char *put(char *buffer, bool negative, unsigned __int128 value, const char *suffix)
{
    char digits[48], *end = digits + sizeof(digits), *at = end;
    uint64_t small;

    for (; value > UINT64_MAX; value /= 10)
        *--at = (char)('0' + (int)(value % 10));
    small = (uint64_t)value;
    do
        *--at = (char)('0' + (int)(small % 10));
    while ((small /= 10) > 0);
    if (negative)
        *--at = '-';
    memcpy(buffer, at, (size_t)(end - at));
    memcpy(buffer + (end - at), suffix, strlen(suffix) + 1);
    return buffer;
}

static unsigned __int128 magnitude(__int128 value)
{
    return value < 0 ? 0 - (unsigned __int128)value : (unsigned __int128)value;
}

/* Billionths with the largest exponent that is a multiple of three and leaves no fraction. */
static const char *print_decimal(struct quantity q, char *buffer)
{
    static const char suffixes[][2] = { "n", "u", "m", "", "k", "M", "G", "T", "P", "E" };
    unsigned __int128 value = magnitude(q.nano);
    int step = 0, last = q.format == QUANTITY_EXPONENT ? 42 : 9;
    char exponent[8] = "";

    for (; value > UINT64_MAX && value % 1000 == 0 && step < last; step++)
        value /= 1000;
    for (; value <= UINT64_MAX && (uint64_t)value % 1000 == 0 && step < last; step++)
        value = (uint64_t)value / 1000;
    if (q.format != QUANTITY_EXPONENT)
        return put(buffer, q.nano < 0, value, suffixes[step]);
    if (step != 3)
        snprintf(exponent, sizeof(exponent), "e%d", step * 3 - 9);
    return put(buffer, q.nano < 0, value, exponent);
}

static const char *print_binary(struct quantity q, char *buffer)
{
    static const char suffixes[][3] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
    unsigned __int128 value = magnitude(q.nano) / (unsigned __int128)BILLION;
    int step = 0;

    for (; value % 1024 == 0 && step < 6; step++)
        value /= 1024;
    return put(buffer, q.nano < 0, value, suffixes[step]);
}

const char *quantity_print(struct quantity q, char *buffer)
{
    if (q.nano == 0)
        return memcpy(buffer, "0", 2);
    if (q.format != QUANTITY_BINARY)
        return print_decimal(q, buffer);
    if (q.nano % BILLION != 0 || magnitude(q.nano) < (unsigned __int128)(1024 * BILLION)) {
        q.format = QUANTITY_DECIMAL;
        return print_decimal(q, buffer);
    }
    return print_binary(q, buffer);
}

struct quantity quantity_of(int64_t value, enum quantity_format format)
{
    return (struct quantity){ (__int128)value * BILLION, format };
}

struct quantity quantity_milli(int64_t milli)
{
    return (struct quantity){ (__int128)milli * 1000000, QUANTITY_DECIMAL };
}

struct quantity quantity_add(struct quantity a, struct quantity b)
{
    struct quantity sum = { 0, a.nano == 0 ? b.format : a.format };

    if (__builtin_add_overflow(a.nano, b.nano, &sum.nano))
        sum.nano = a.nano < 0 ? -LARGEST_NANO : LARGEST_NANO;
    if (sum.nano > LARGEST_NANO)
        sum.nano = LARGEST_NANO;
    if (sum.nano < -LARGEST_NANO)
        sum.nano = -LARGEST_NANO;
    return sum;
}

int quantity_compare(struct quantity a, struct quantity b)
{
    return a.nano < b.nano ? -1 : a.nano > b.nano;
}

/* Toward +infinity: C division cuts toward zero, which is up already for negative values. */
static __int128 divide_up(__int128 value, __int128 by)
{
    return value / by + (value > 0 && value % by != 0);
}

static int64_t clamp(__int128 value)
{
    if (value > INT64_MAX)
        return INT64_MAX;
    return value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

int64_t quantity_ceil(struct quantity q)
{
    return clamp(divide_up(q.nano, BILLION));
}

int64_t quantity_ceil_milli(struct quantity q)
{
    return clamp(divide_up(q.nano, 1000000));
}
