#include "quota/base/quantity.h"

/* The number is held as decimal digits: a binary suffix multiplies them by 1024 up to six times,
 * which is exact, and then one pass adds the digits down to billionths and rounds the rest up. */
enum { TEXT_MAX = 256, CARRY_ROOM = 20 /* 1024^6 has 19 digits */, EXPONENT_MAX = 1000 };

struct number {
    unsigned char digits[CARRY_ROOM + TEXT_MAX];
    int first, end;    /* digits[first..end) */
    int fraction;      /* how many of them stand behind the point */
    int exponent;      /* times 10^exponent */
    unsigned thousand; /* times 1024^thousand */
    bool negative;
    enum quantity_format format;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Sign, digits, point, digits; false when there is no digit. Moves *text on. */
static bool number_take(struct str *text, struct number *n)
{
    size_t i = 0;
    bool point = false;

    n->first = n->end = CARRY_ROOM;
    if (i < text->length && (text->text[i] == '-' || text->text[i] == '+'))
        n->negative = text->text[i++] == '-';
    for (; i < text->length; i++) {
        char c = text->text[i];

        if (c == '.' && !point) {
            point = true;
        } else if (is_digit(c)) {
            n->digits[n->end++] = (unsigned char)(c - '0');
            n->fraction += point;
        } else {
            break;
        }
    }
    text->text += i;
    text->length -= i;
    return n->end > n->first;
}

/* The digits of "e3", "E-9", "e+6" behind the letter. */
static bool exponent_parse(struct str text, struct number *n)
{
    bool negative = text.length > 0 && text.text[0] == '-';
    size_t i = text.length > 0 && (text.text[0] == '-' || text.text[0] == '+') ? 1 : 0;
    int exponent = 0;

    if (i == text.length)
        return false;
    for (; i < text.length; i++) {
        if (!is_digit(text.text[i]))
            return false;
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (text.text[i] - '0');
    }
    n->exponent = negative ? -exponent : exponent;
    n->format = QUANTITY_EXPONENT;
    return true;
}

static bool suffix_parse(struct str suffix, struct number *n)
{
    static const char small[] = "num", large[] = "kMGTPE", binary[] = "KMGTPE";
    const char *found;
    char c;

    n->format = QUANTITY_DECIMAL;
    if (suffix.length == 0)
        return true;
    c = suffix.text[0];
    if (suffix.length == 2 && suffix.text[1] == 'i' && c && (found = strchr(binary, c))) {
        n->thousand = (unsigned)(found - binary) + 1;
        n->format = QUANTITY_BINARY;
        return true;
    }
    if (suffix.length == 1 && c && (found = strchr(small, c))) {
        n->exponent = (int)(found - small) * 3 - 9;
        return true;
    }
    if (suffix.length == 1 && c && (found = strchr(large, c))) {
        n->exponent = (int)(found - large) * 3 + 3;
        return true;
    }
    return (c == 'e' || c == 'E') &&
           exponent_parse((struct str){ suffix.text + 1, suffix.length - 1 }, n);
}

static void digits_times_1024(struct number *n)
{
    unsigned carry = 0;

    for (int i = n->end; i-- > n->first;) {
        carry += n->digits[i] * 1024U;
        n->digits[i] = (unsigned char)(carry % 10);
        carry /= 10;
    }
    for (; carry > 0; carry /= 10)
        n->digits[--n->first] = (unsigned char)(carry % 10);
}

/* The largest absolute value: 2^63-1 for binary quantities, else far beyond any amount. */
static __int128 largest(enum quantity_format format)
{
    const __int128 billion = 1000000000;

    if (format == QUANTITY_BINARY)
        return (__int128)INT64_MAX * billion;
    return billion * billion * billion * billion * 100;
}

/* Digits to billionths, away from zero, at most 'limit'. */
static __int128 number_nano(const struct number *n, __int128 limit)
{
    int places = n->end - n->first - n->fraction + n->exponent + 9; /* digits that count whole */
    __int128 sum = 0;
    bool rest = false;

    for (int i = n->first; i < n->end; i++) {
        if (i - n->first >= places) {
            rest = rest || n->digits[i] != 0;
            continue;
        }
        if (sum > (limit - n->digits[i]) / 10)
            return limit;
        sum = sum * 10 + n->digits[i];
    }
    for (int i = n->end - n->first; i < places && sum > 0; i++) {
        if (sum > limit / 10)
            return limit;
        sum *= 10;
    }
    return sum + (rest && sum < limit);
}

int quantity_parse(struct str text, struct quantity *q, struct err *e)
{
    struct str rest = text;
    struct number n;

    memset(&n, 0, sizeof(n));
    if (text.length > TEXT_MAX)
        return err_set(e, ERR_INVALID, "quantity \"%.32s...\" is longer than %d characters",
                       text.text, TEXT_MAX);
    if (!number_take(&rest, &n) || !suffix_parse(rest, &n))
        return err_set(e, ERR_INVALID, "\"%.*s\" is not a quantity such as 500m, 2, 1.5Gi or 1e3",
                       STR_ARGS(text));
    while (n.first < n.end && n.digits[n.first] == 0)
        n.first++;
    for (unsigned i = 0; i < n.thousand; i++)
        digits_times_1024(&n);
    q->nano = number_nano(&n, largest(n.format));
    q->format = n.format;
    if (n.format == QUANTITY_BINARY && q->nano > 0 && q->nano < 1000000000)
        q->format = QUANTITY_DECIMAL;
    if (n.negative)
        q->nano = -q->nano;
    return 0;
}
