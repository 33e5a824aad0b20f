/* Functions and operators of device selectors. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/cel_private.h"

#define PATTERN_REPETITIONS_MOST 1000

static const struct cel_value failure = { .type = CEL_ERROR };

static struct cel_value truth(bool value)
{
    return (struct cel_value){ CEL_BOOL, { .boolean = value } };
}

static struct cel_value number(int64_t value)
{
    return (struct cel_value){ CEL_INT, { .integer = value } };
}

/* ---- comparing ---- */

static int sign_of(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* A release comes after everything before it. */
static int version_compare(const struct cel_version *a, const struct cel_version *b)
{
    int order = sign_of(a->major, b->major);

    if (order == 0)
        order = sign_of(a->minor, b->minor);
    if (order == 0)
        order = sign_of(a->patch, b->patch);
    if (order != 0)
        return order;
    if (!*a->pre_release || !*b->pre_release)
        return (!*a->pre_release) - (!*b->pre_release);
    return strcmp(a->pre_release, b->pre_release);
}

static double real_of(const struct cel_value *value)
{
    return value->type == CEL_INT ? (double)value->integer : value->real;
}

static bool is_number(const struct cel_value *value)
{
    return value->type == CEL_INT || value->type == CEL_REAL;
}

static int compare_alike(const struct cel_value *a, const struct cel_value *b, bool *ordered)
{
    switch (a->type) {
    case CEL_BOOL:
        return a->boolean - b->boolean;
    case CEL_INT:
        return sign_of(a->integer, b->integer);
    case CEL_TEXT:
        return strcmp(a->text, b->text);
    case CEL_QUANTITY:
        return quantity_compare(a->quantity, b->quantity);
    case CEL_VERSION:
        return version_compare(&a->version, &b->version);
    default:
        *ordered = false;
        return 0;
    }
}

/* False in *ordered: there is no order between these two. */
static int compare(const struct cel_value *a, const struct cel_value *b, bool *ordered)
{
    *ordered = true;
    if (is_number(a) && is_number(b) && (a->type == CEL_REAL || b->type == CEL_REAL))
        return (real_of(a) > real_of(b)) - (real_of(a) < real_of(b));
    if (a->type == b->type)
        return compare_alike(a, b, ordered);
    *ordered = false;
    return 0;
}

static bool equal(const struct cel_value *a, const struct cel_value *b)
{
    bool ordered;
    int order = compare(a, b, &ordered);

    if (a->type == CEL_NULL && b->type == CEL_NULL)
        return true;
    if (a->type == CEL_LIST && b->type == CEL_LIST) {
        if (a->list.count != b->list.count)
            return false;
        for (size_t i = 0; i < a->list.count; i++)
            if (!equal(&a->list.items[i], &b->list.items[i]))
                return false;
        return true;
    }
    return ordered && order == 0;
}

static struct cel_value is_equal(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    return truth(equal(&args[0], &args[1]));
}

static struct cel_value is_different(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    return truth(!equal(&args[0], &args[1]));
}

#define RELATION(name, condition)                                                                  \
    static struct cel_value name(const struct cel_value *args, struct arena *arena)                \
    {                                                                                              \
        bool ordered;                                                                              \
        int order = compare(&args[0], &args[1], &ordered);                                         \
                                                                                                   \
        (void)arena;                                                                               \
        return ordered ? truth(condition) : failure;                                               \
    }
RELATION(is_less, order < 0)
RELATION(is_at_most, order <= 0)
RELATION(is_greater, order > 0)
RELATION(is_at_least, order >= 0)

static struct cel_value compare_to(const struct cel_value *args, struct arena *arena)
{
    bool ordered;
    int order = compare(&args[0], &args[1], &ordered);

    (void)arena;
    return ordered ? number(order < 0 ? -1 : order > 0) : failure;
}

/* ---- logic, arithmetic ---- */

static struct cel_value not(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    return args[0].type == CEL_BOOL ? truth(!args[0].boolean) : failure;
}

static struct cel_value negate(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    if (args[0].type == CEL_REAL)
        return (struct cel_value){ CEL_REAL, { .real = -args[0].real } };
    return args[0].type == CEL_INT && args[0].integer != INT64_MIN ? number(-args[0].integer)
                                                                   : failure;
}

static struct cel_value add(const struct cel_value *args, struct arena *arena)
{
    int64_t sum;

    if (args[0].type != args[1].type)
        return failure;
    if (args[0].type == CEL_TEXT)
        return (struct cel_value){
            CEL_TEXT, { .text = arena_format(arena, "%s%s", args[0].text, args[1].text) }
        };
    if (args[0].type == CEL_REAL)
        return (struct cel_value){ CEL_REAL, { .real = args[0].real + args[1].real } };
    if (args[0].type == CEL_QUANTITY)
        return (struct cel_value){
            CEL_QUANTITY, { .quantity = quantity_add(args[0].quantity, args[1].quantity) }
        };
    if (args[0].type != CEL_INT || __builtin_add_overflow(args[0].integer, args[1].integer, &sum))
        return failure;
    return number(sum);
}

static struct cel_value subtract(const struct cel_value *args, struct arena *arena)
{
    struct cel_value both[] = { args[0], args[1] };
    int64_t difference;

    if (both[1].type == CEL_REAL)
        both[1].real = -both[1].real;
    else if (both[1].type == CEL_QUANTITY)
        both[1].quantity.nano = -both[1].quantity.nano;
    else if (both[0].type == CEL_INT && both[1].type == CEL_INT)
        return __builtin_sub_overflow(both[0].integer, both[1].integer, &difference)
                   ? failure
                   : number(difference);
    else
        return failure;
    return add(both, arena);
}

static struct cel_value multiply(const struct cel_value *args, struct arena *arena)
{
    int64_t product;

    (void)arena;
    if (args[0].type == CEL_REAL && args[1].type == CEL_REAL)
        return (struct cel_value){ CEL_REAL, { .real = args[0].real * args[1].real } };
    if (args[0].type != CEL_INT || args[1].type != CEL_INT ||
        __builtin_mul_overflow(args[0].integer, args[1].integer, &product))
        return failure;
    return number(product);
}

static bool may_divide(const struct cel_value *args)
{
    return args[0].type == CEL_INT && args[1].type == CEL_INT && args[1].integer != 0 &&
           !(args[0].integer == INT64_MIN && args[1].integer == -1);
}

static struct cel_value divide(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    if (args[0].type == CEL_REAL && args[1].type == CEL_REAL)
        return (struct cel_value){ CEL_REAL, { .real = args[0].real / args[1].real } };
    return may_divide(args) ? number(args[0].integer / args[1].integer) : failure;
}

static struct cel_value remainder_of(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    return may_divide(args) ? number(args[0].integer % args[1].integer) : failure;
}

/* ---- texts ---- */

static bool both_texts(const struct cel_value *args)
{
    return args[0].type == CEL_TEXT && args[1].type == CEL_TEXT;
}

static struct cel_value starts_with(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    return both_texts(args) ? truth(str_starts(str_of(args[0].text), args[1].text)) : failure;
}

static struct cel_value ends_with(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    return both_texts(args) ? truth(str_ends(str_of(args[0].text), args[1].text)) : failure;
}

static struct cel_value contains(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    return both_texts(args) ? truth(strstr(args[0].text, args[1].text) != NULL) : failure;
}

/* A pattern whose cost the library keeps in bounds. RE2 knows no references back either, and limits
 * how much repetitions multiply to. */
static bool is_cheap(const char *pattern)
{
    double repetitions = 1;

    for (const char *c = pattern; *c; c++) {
        if (*c == '\\' && c[1]) {
            c++;
            if (*c >= '1' && *c <= '9')
                return false;
        } else if (*c == '{') {
            const char *comma = c + 1 + strcspn(c + 1, ",}");
            double least = strtod(c + 1, NULL);
            double most = *comma == ',' ? strtod(comma + 1, NULL) : 0;

            repetitions *= most > least ? most : least > 1 ? least : 1;
        }
    }
    return repetitions <= PATTERN_REPETITIONS_MOST;
}

static struct cel_value matches(const struct cel_value *args, struct arena *arena)
{
    regex_t expression;
    bool found;

    (void)arena;
    if (!both_texts(args) || !is_cheap(args[1].text) ||
        regcomp(&expression, args[1].text, REG_EXTENDED | REG_NOSUB) != 0)
        return failure;
    found = regexec(&expression, args[0].text, 0, NULL, 0) == 0;
    regfree(&expression);
    return truth(found);
}

static struct cel_value lower_ascii(const struct cel_value *args, struct arena *arena)
{
    char *copy;

    if (args[0].type != CEL_TEXT)
        return failure;
    copy = arena_strdup(arena, args[0].text);
    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + ('a' - 'A'));
    return (struct cel_value){ CEL_TEXT, { .text = copy } };
}

static struct cel_value size_of(const struct cel_value *args, struct arena *arena)
{
    int64_t characters = 0;

    (void)arena;
    if (args[0].type == CEL_LIST)
        return number((int64_t)args[0].list.count);
    if (args[0].type != CEL_TEXT)
        return failure;
    for (const char *c = args[0].text; *c; c++)
        characters += ((unsigned char)*c & 0xc0) != 0x80;
    return number(characters);
}

/* ---- quantities, versions ---- */

static struct cel_value quantity(const struct cel_value *args, struct arena *arena)
{
    struct cel_value made = { .type = CEL_QUANTITY };

    (void)arena;
    if (args[0].type != CEL_TEXT || quantity_parse(str_of(args[0].text), &made.quantity, NULL) < 0)
        return failure;
    return made;
}

static struct cel_value is_quantity(const struct cel_value *args, struct arena *arena)
{
    return args[0].type == CEL_TEXT ? truth(quantity(args, arena).type == CEL_QUANTITY) : failure;
}

static struct cel_value as_integer(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    return args[0].type == CEL_QUANTITY ? number(quantity_ceil(args[0].quantity)) : failure;
}

static bool take_version_number(const char **at, char end, int64_t *out)
{
    char *rest;

    if (**at < '0' || **at > '9' || (**at == '0' && (*at)[1] >= '0' && (*at)[1] <= '9'))
        return false;
    *out = strtoll(*at, &rest, 10);
    *at = rest;
    if (!end)
        return true;
    return *(*at)++ == end;
}

bool cel_version_parse(const char *text, struct arena *arena, struct cel_version *out)
{
    const char *end;

    out->pre_release = "";
    if (!take_version_number(&text, '.', &out->major) ||
        !take_version_number(&text, '.', &out->minor) ||
        !take_version_number(&text, 0, &out->patch))
        return false;
    end = text + strcspn(text, "+");
    if (*text == '-' && end > text + 1)
        out->pre_release = arena_dup(arena, (struct str){ text + 1, (size_t)(end - text) - 1 });
    return text == end || *text == '-';
}

static struct cel_value version(const struct cel_value *args, struct arena *arena)
{
    struct cel_value made = { .type = CEL_VERSION };

    if (args[0].type != CEL_TEXT || !cel_version_parse(args[0].text, arena, &made.version))
        return failure;
    return made;
}

static struct cel_value is_version(const struct cel_value *args, struct arena *arena)
{
    return args[0].type == CEL_TEXT ? truth(version(args, arena).type == CEL_VERSION) : failure;
}

#define PART(name)                                                                                 \
    static struct cel_value name(const struct cel_value *args, struct arena *arena)                \
    {                                                                                              \
        (void)arena;                                                                               \
        return args[0].type == CEL_VERSION ? number(args[0].version.name) : failure;               \
    }
PART(major)
PART(minor)
PART(patch)

/* ---- members ---- */

static struct cel_value is_in_list(const struct cel_value *args, struct arena *arena)
{
    bool found = false;

    (void)arena;
    if (args[1].type != CEL_LIST)
        return failure;
    for (size_t i = 0; i < args[1].list.count; i++)
        found |= equal(&args[0], &args[1].list.items[i]);
    return truth(found);
}

static struct cel_value item_at(const struct cel_value *args, struct arena *arena)
{
    (void)arena;
    if (args[0].type != CEL_LIST || args[1].type != CEL_INT || args[1].integer < 0 ||
        args[1].integer >= (int64_t)args[0].list.count)
        return failure;
    return args[0].list.items[args[1].integer];
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool is_method;
    size_t count;
    cel_function *function;
} functions[] = {
    { "_==_", false, 2, is_equal },
    { "_!=_", false, 2, is_different },
    { "_<_", false, 2, is_less },
    { "_<=_", false, 2, is_at_most },
    { "_>_", false, 2, is_greater },
    { "_>=_", false, 2, is_at_least },
    { "_+_", false, 2, add },
    { "_-_", false, 2, subtract },
    { "_*_", false, 2, multiply },
    { "_/_", false, 2, divide },
    { "_%_", false, 2, remainder_of },
    { "!_", false, 1, not },
    { "-_", false, 1, negate },
    { "@in", false, 2, is_in_list },
    { "_[_]", false, 2, item_at },
    { "size", false, 1, size_of },
    { "quantity", false, 1, quantity },
    { "isQuantity", false, 1, is_quantity },
    { "semver", false, 1, version },
    { "isSemver", false, 1, is_version },
    { "startsWith", true, 2, starts_with },
    { "endsWith", true, 2, ends_with },
    { "contains", true, 2, contains },
    { "matches", true, 2, matches },
    { "lowerAscii", true, 1, lower_ascii },
    { "size", true, 1, size_of },
    { "compareTo", true, 2, compare_to },
    { "isGreaterThan", true, 2, is_greater },
    { "isLessThan", true, 2, is_less },
    { "asInteger", true, 1, as_integer },
    { "add", true, 2, add },
    { "sub", true, 2, subtract },
    { "major", true, 1, major },
    { "minor", true, 1, minor },
    { "patch", true, 1, patch },
};

cel_function *cel_function_find(const char *name, bool is_method, size_t count)
{
    for (size_t i = 0; i < ARRAY_COUNT(functions); i++)
        if (functions[i].is_method == is_method && functions[i].count == count &&
            strcmp(functions[i].name, name) == 0)
            return functions[i].function;
    return NULL;
}
