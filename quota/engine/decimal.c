#include "quota/engine/decimal.h"

static struct decimal decimal_negate(struct decimal d)
{
    uint64_t carry = 1;

    for (int i = 0; i < DECIMAL_LIMBS; i++)
        d.limb[i] = ~d.limb[i] + carry, carry = carry && d.limb[i] == 0;
    return d;
}

/* Multiply a non-negative value by a 64-bit number; what leaves 384 bits is lost. */
static struct decimal decimal_times(struct decimal d, uint64_t factor)
{
    unsigned __int128 carry = 0;

    for (int i = 0; i < DECIMAL_LIMBS; i++) {
        carry += (unsigned __int128)d.limb[i] * factor;
        d.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return d;
}

static struct decimal decimal_shift_limb(struct decimal d)
{
    for (int i = DECIMAL_LIMBS - 1; i > 0; i--)
        d.limb[i] = d.limb[i - 1];
    d.limb[0] = 0;
    return d;
}

static unsigned __int128 magnitude(__int128 v)
{
    return v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
}

static struct decimal decimal_times_wide(struct decimal d, unsigned __int128 factor)
{
    struct decimal high = decimal_times(decimal_shift_limb(d), (uint64_t)(factor >> 64));

    return decimal_add(high, decimal_times(d, (uint64_t)factor));
}

struct decimal decimal_product(__int128 a, __int128 b, __int128 c)
{
    struct decimal d = { { 1 } };
    bool negative = (a < 0) ^ (b < 0) ^ (c < 0);

    d = decimal_times_wide(d, magnitude(a));
    d = decimal_times_wide(d, magnitude(b));
    d = decimal_times_wide(d, magnitude(c));
    return negative ? decimal_negate(d) : d;
}

struct decimal decimal_add(struct decimal a, struct decimal b)
{
    unsigned __int128 carry = 0;

    for (int i = 0; i < DECIMAL_LIMBS; i++) {
        carry += (unsigned __int128)a.limb[i] + b.limb[i];
        a.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return a;
}

bool decimal_is_negative(struct decimal d)
{
    return d.limb[DECIMAL_LIMBS - 1] >> 63;
}

/* Divide a non-negative value; true when something was left over. */
static bool decimal_divide(struct decimal *d, uint64_t divisor)
{
    unsigned __int128 rest = 0;

    for (int i = DECIMAL_LIMBS - 1; i >= 0; i--) {
        rest = rest << 64 | d->limb[i];
        d->limb[i] = (uint64_t)(rest / divisor);
        rest %= divisor;
    }
    return rest != 0;
}

static bool decimal_exceeds(struct decimal d, uint64_t limit)
{
    for (int i = 1; i < DECIMAL_LIMBS; i++)
        if (d.limb[i])
            return true;
    return d.limb[0] > limit;
}

int64_t decimal_round_up(struct decimal d, int milli_digits)
{
    bool negative = decimal_is_negative(d);
    bool left_over = false;

    if (negative)
        d = decimal_negate(d);
    left_over |= decimal_divide(&d, UINT64_C(1000000000));
    left_over |= decimal_divide(&d, UINT64_C(1000000000));
    left_over |= decimal_divide(&d, milli_digits == 3 ? UINT64_C(1000000) : UINT64_C(1000000000));
    if (decimal_exceeds(d, INT64_MAX))
        return negative ? INT64_MIN : INT64_MAX;
    if (negative)
        return -(int64_t)d.limb[0];
    return left_over && d.limb[0] < INT64_MAX ? (int64_t)d.limb[0] + 1 : (int64_t)d.limb[0];
}
