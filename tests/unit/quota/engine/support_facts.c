#include "tests/unit/quota/engine/support_facts.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct arena facts = ARENA_INIT;

int facts_finish(void **state)
{
    (void)state;
    arena_finish(&facts);
    return 0;
}

struct quantity quantity(const char *text)
{
    struct quantity q = { 0, QUANTITY_DECIMAL };
    struct err e = { 0 };

    if (quantity_parse(str_of(text), &q, &e) < 0)
        fail_msg("%s", e.text);
    return q;
}

struct resource_list resources(const char *name, ...)
{
    struct resource_list list = { ARENA_ARRAY(&facts, 16, struct resource_quantity), 0 };
    va_list rest;

    va_start(rest, name);
    for (; name; name = va_arg(rest, const char *)) {
        const char *text = va_arg(rest, const char *);

        list.items[list.count++] = (struct resource_quantity){ name, quantity(text) };
    }
    va_end(rest);
    return list;
}

struct container *containers(size_t count, const struct container *items)
{
    struct container *copy = ARENA_ARRAY(&facts, count, struct container);

    memcpy(copy, items, count * sizeof(*copy));
    return copy;
}

struct pod_template pod_of(struct resource_list requests)
{
    struct container one = { .name = "c", .requests = requests };

    return (struct pod_template){ .containers = containers(1, &one), .container_count = 1 };
}

struct pod_set pod_set_of(const char *name, int32_t count, struct resource_list requests)
{
    return (
        struct pod_set){ .name = name, .count = count, .min_count = -1, .pod = pod_of(requests) };
}

struct label *labels(size_t *count, const char *key, ...)
{
    struct label *list = ARENA_ARRAY(&facts, 16, struct label);
    va_list rest;

    *count = 0;
    va_start(rest, key);
    for (; key; key = va_arg(rest, const char *)) {
        list[*count].key = key;
        list[(*count)++].value = va_arg(rest, const char *);
    }
    va_end(rest);
    return list;
}

struct label_requirement requirement(const char *key, enum selector_operator operator, size_t count,
                                     const char *const *values)
{
    struct label_requirement r = { .key = key, .operator= operator, .value_count = count };

    if (values) {
        r.values = ARENA_ARRAY(&facts, count + 1, const char *);
        memcpy(r.values, values, count * sizeof(*values));
    }
    return r;
}

const char *amounts_text(struct amounts amounts)
{
    AUTO_STRBUF struct strbuf b = { 0 };

    for (size_t i = 0; i < amounts.count; i++) {
        const struct resource_amount *row = &amounts.items[i];

        strbuf_printf(&b, "%s%s%s%s=%" PRId64, i ? " " : "", row->resource, row->flavor ? "@" : "",
                      row->flavor ? row->flavor : "", row->amount);
    }
    return b.text ? arena_dup(&facts, strbuf_view(&b)) : "";
}
