#include "quota/engine/scaled.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double decay_alpha(int64_t elapsed, int64_t half_life)
{
    if (half_life <= 0 || elapsed <= 0)
        return 0;
    return 1.0 - pow(0.5, ((double)elapsed / 1e9) / ((double)half_life / 1e9));
}

struct digits { /* mantissa x 10^exponent */
    uint64_t mantissa;
    int exponent;
};

/* The fewest digits that read back as the same double. */
static struct digits shortest(double value)
{
    struct digits digits = { 0, 0 };
    char text[40];
    int precision = 0;
    const char *at = text;

    do {
        snprintf(text, sizeof(text), "%.*e", precision, value);
    } while (strtod(text, NULL) != value && precision++ < 17);
    for (; *at && *at != 'e'; at++)
        if (*at != '.')
            digits.mantissa = digits.mantissa * 10 + (uint64_t)(*at - '0');
    digits.exponent = (*at == 'e' ? (int)strtol(at + 1, NULL, 10) : 0) - precision;
    return digits;
}

struct wide { /* 256 bits, lowest limb first */
    uint64_t limb[4];
};

static void wide_multiply(struct wide *w, uint64_t factor)
{
    unsigned __int128 carry = 0;

    for (int i = 0; i < 4; i++) {
        carry += (unsigned __int128)w->limb[i] * factor;
        w->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

static void wide_divide(struct wide *w, uint64_t divisor)
{
    unsigned __int128 rest = 0;

    for (int i = 3; i >= 0; i--) {
        rest = (rest << 64) | w->limb[i];
        w->limb[i] = (uint64_t)(rest / divisor);
        rest %= divisor;
    }
}

__int128 quantity_scale(__int128 nano, double factor)
{
    unsigned __int128 size = nano < 0 ? -(unsigned __int128)nano : (unsigned __int128)nano, result;
    struct wide product = { { (uint64_t)size, (uint64_t)(size >> 64), 0, 0 } };
    struct digits digits;

    if (factor <= 0 || nano == 0)
        return 0;
    digits = shortest(factor);
    wide_multiply(&product, digits.mantissa);
    for (; digits.exponent > 0; digits.exponent--)
        wide_multiply(&product, 10);
    for (; digits.exponent < 0; digits.exponent++)
        wide_divide(&product, 10);
    result = ((unsigned __int128)product.limb[1] << 64) | product.limb[0];
    return nano < 0 ? -(__int128)result : (__int128)result;
}
