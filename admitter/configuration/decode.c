#include "admitter/configuration/object.h"

#include <stdio.h>
#include <string.h>
#include "quota/base/clock.h"
#include "quota/base/mem.h"
#include "quota/base/quantity.h"

#define VALUE_SHOWN 80 /* bytes of a wrong value in messages */

/* Where a value stands: "metrics.customLabels[0]" for people, an RFC 6901 pointer for its line. */
struct at_place {
    const char *path, *pointer;
};

static void texts_add(struct arena *a, const char ***items, size_t *count, const char *text)
{
    const char **grown = ARENA_ARRAY(a, *count + 1, const char *);

    if (*count > 0)
        memcpy(grown, *items, *count * sizeof(*grown));
    grown[(*count)++] = text;
    *items = grown;
}

__attribute__((format(printf, 2, 0))) static const char *format_text(struct arena *a,
                                                                     const char *fmt, va_list args)
{
    char *text = NULL;
    const char *copy;

    if (vasprintf(&text, fmt, args) < 0)
        return fmt;
    copy = arena_strdup(a, text);
    free(text);
    return copy;
}

void configuration_warn(struct reading *r, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    texts_add(r->arena, &r->out->warnings, &r->out->warning_count,
              format_text(r->arena, fmt, args));
    va_end(args);
}

void configuration_problem(struct reading *r, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    texts_add(r->arena, &r->out->problems, &r->out->problem_count,
              format_text(r->arena, fmt, args));
    va_end(args);
}

static unsigned line(const struct reading *r, const struct at_place *at)
{
    return yaml_line_of(r->stream, 0, at->pointer);
}

static struct at_place member_place(struct reading *r, const struct at_place *at, const char *name)
{
    AUTO_STRBUF struct strbuf pointer = STRBUF_INIT;

    strbuf_printf(&pointer, "%s/", at->pointer);
    for (const char *c = name; *c; c++) {
        if (*c == '~')
            strbuf_puts(&pointer, "~0");
        else if (*c == '/')
            strbuf_puts(&pointer, "~1");
        else
            strbuf_putc(&pointer, *c);
    }
    return (struct at_place){ *at->path
                                  ? arena_format(r->arena, "%s.%s", at->path, name)
                                  : arena_strdup(r->arena, name), /* NOLINT: see read_fields */
                              arena_strdup(r->arena, pointer.text) };
}

static struct at_place item_place(struct reading *r, const struct at_place *at, size_t index)
{
    return (struct at_place){ arena_format(r->arena, "%s[%zu]", at->path, index),
                              arena_format(r->arena, "%s/%zu", at->pointer, index) };
}

static void refuse(struct reading *r, const struct at_place *at, const json_t *value,
                   const char *expected)
{
    AUTO_STRBUF struct strbuf shown = STRBUF_INIT;

    yaml_json(value, &shown);
    configuration_problem(r, "%s: line %u: %s: expected %s, got %.*s%s", r->name, line(r, at),
                          at->path, expected,
                          (int)(shown.length > VALUE_SHOWN ? VALUE_SHOWN : shown.length),
                          shown.text, shown.length > VALUE_SHOWN ? "..." : "");
}

static void read_bool(struct reading *r, const struct at_place *at, const json_t *value,
                      void *target)
{
    if (json_is_boolean(value))
        *(struct given_bool *)target = (struct given_bool){ true, json_is_true(value) };
    else
        refuse(r, at, value, "true or false");
}

static void read_int(struct reading *r, const struct at_place *at, const json_t *value,
                     void *target)
{
    json_int_t number = json_integer_value(value);

    if (json_is_integer(value) && number >= INT32_MIN && number <= INT32_MAX)
        *(struct given_int *)target = (struct given_int){ true, number };
    else
        refuse(r, at, value, "a 32-bit integer");
}

static void read_long(struct reading *r, const struct at_place *at, const json_t *value,
                      void *target)
{
    if (json_is_integer(value))
        *(struct given_int *)target = (struct given_int){ true, json_integer_value(value) };
    else
        refuse(r, at, value, "an integer (nanoseconds)");
}

static void read_number(struct reading *r, const struct at_place *at, const json_t *value,
                        void *target)
{
    if (json_is_number(value))
        *(struct given_number *)target = (struct given_number){ true, json_number_value(value) };
    else
        refuse(r, at, value, "a number");
}

static void read_duration(struct reading *r, const struct at_place *at, const json_t *value,
                          void *target)
{
    int64_t duration;

    if (json_is_string(value) &&
        duration_parse(str_of(json_string_value(value)), &duration, NULL) == 0)
        *(struct given_int *)target = (struct given_int){ true, duration };
    else
        refuse(r, at, value, "a duration such as \"1m30s\"");
}

static void read_text(struct reading *r, const struct at_place *at, const json_t *value,
                      void *target)
{
    if (json_is_string(value))
        *(const char **)target = arena_strdup(r->arena, json_string_value(value));
    else
        refuse(r, at, value, "a text");
}

static void read_address(struct reading *r, const struct at_place *at, const json_t *value,
                         void *target)
{
    if (json_is_integer(value) && json_integer_value(value) == 0)
        *(const char **)target = "0";
    else
        read_text(r, at, value, target);
}

static void read_texts(struct reading *r, const struct at_place *at, const json_t *value,
                       void *target)
{
    struct given_texts *texts = target;
    const json_t *item;
    size_t i;

    if (!json_is_array(value)) {
        refuse(r, at, value, "a list of texts");
        return;
    }
    texts->given = true;
    texts->items = ARENA_ARRAY(r->arena, json_array_size(value) + 1, const char *);
    json_array_foreach(value, i, item) {
        struct at_place place = item_place(r, at, i);

        texts->items[i] = "";
        read_text(r, &place, item, &texts->items[i]);
    }
    texts->count = json_array_size(value);
}

static void read_ints(struct reading *r, const struct at_place *at, const json_t *value,
                      void *target)
{
    struct given_ints *numbers = target;
    const json_t *item;
    size_t i;

    if (!json_is_array(value)) {
        refuse(r, at, value, "a list of integers");
        return;
    }
    numbers->given = true;
    numbers->items = ARENA_ARRAY(r->arena, json_array_size(value) + 1, int32_t);
    json_array_foreach(value, i, item) {
        struct at_place place = item_place(r, at, i);
        struct given_int number = { false, 0 };

        read_int(r, &place, item, &number);
        numbers->items[i] = (int32_t)number.value;
    }
    numbers->count = json_array_size(value);
}

/* ---- selectors ---- */

static const struct {
    const char *text;
    enum selector_operator operator;
} operators[] = {
    { "In", SELECTOR_IN },
    { "NotIn", SELECTOR_NOT_IN },
    { "Exists", SELECTOR_EXISTS },
    { "DoesNotExist", SELECTOR_DOES_NOT_EXIST },
};

struct requirement_row {
    bool given;
    const char *key, *operator;
    struct given_texts values;
};
static const struct field requirement_fields[] = {
    { "key", FIELD_TEXT, VERSION_ANY, offsetof(struct requirement_row, key), NULL, NULL },
    { "operator", FIELD_TEXT, VERSION_ANY, offsetof(struct requirement_row, operator), NULL, NULL },
    { "values", FIELD_TEXTS, VERSION_ANY, offsetof(struct requirement_row, values), NULL, NULL },
};
static const struct field_table requirement_table = { requirement_fields,
                                                      ARRAY_COUNT(requirement_fields),
                                                      sizeof(struct requirement_row) };
struct selector_object {
    bool given;
    const json_t *labels;
    struct given_rows requirements;
};
static const struct field selector_fields[] = {
    { "matchLabels", FIELD_DROPPED, VERSION_ANY, 0, NULL, NULL },
    { "matchExpressions", FIELD_ROWS, VERSION_ANY, offsetof(struct selector_object, requirements),
      &requirement_table, NULL },
};
static const struct field_table selector_table = { selector_fields, ARRAY_COUNT(selector_fields),
                                                   sizeof(struct selector_object) };

static void read_fields(struct reading *r, const struct at_place *at, const json_t *value,
                        const struct field_table *table, char *target);

static void read_match_labels(struct reading *r, const struct at_place *at, json_t *labels,
                              struct label_selector *selector)
{
    const char *key;
    json_t *value;

    if (!labels || json_is_null(labels))
        return;
    if (!json_is_object(labels)) {
        refuse(r, at, labels, "labels");
        return;
    }
    selector->labels = ARENA_ARRAY(r->arena, json_object_size(labels) + 1, struct label);
    json_object_foreach(labels, key, value) {
        struct at_place place = member_place(r, at, key);
        struct label *label = &selector->labels[selector->label_count++];

        *label = (struct label){ arena_strdup(r->arena, key), "" };
        read_text(r, &place, value, &label->value);
    }
}

static struct label_requirement requirement_of(const struct requirement_row *row)
{
    struct label_requirement requirement = { .key = row->key ? row->key : "",
                                             .operator= SELECTOR_INVALID,
                                             .operator_text = row->operator? row->operator: "",
                                             .values = row->values.items,
                                             .value_count = row->values.count };

    for (size_t i = 0; i < ARRAY_COUNT(operators); i++)
        if (strcmp(requirement.operator_text, operators[i].text) == 0)
            requirement.operator= operators[i].operator;
    return requirement;
}

static void read_selector(struct reading *r, const struct at_place *at, const json_t *value,
                          void *target)
{
    struct given_selector *out = target;
    struct selector_object object = { 0 };
    struct at_place labels = member_place(r, at, "matchLabels");
    struct label_selector *selector = &out->value;
    const struct requirement_row *rows;

    read_fields(r, at, value, &selector_table, (char *)&object);
    *out = (struct given_selector){ true, value, { .present = true } };
    read_match_labels(r, &labels, json_object_get(value, "matchLabels"), selector);
    rows = object.requirements.items;
    selector->requirements =
        ARENA_ARRAY(r->arena, object.requirements.count + 1, struct label_requirement);
    for (size_t i = 0; i < object.requirements.count; i++)
        selector->requirements[i] = requirement_of(&rows[i]);
    selector->requirement_count = object.requirements.count;
}

/* ---- objects, lists of objects, maps ---- */

static void read_rows(struct reading *r, const struct at_place *at, const json_t *value,
                      const struct field_table *table, void *target)
{
    struct given_rows *rows = target;
    const json_t *item;
    size_t i;

    if (!json_is_array(value)) {
        refuse(r, at, value, "a list");
        return;
    }
    rows->given = true;
    rows->count = json_array_size(value);
    rows->items = arena_array(r->arena, rows->count + 1, table->size);
    json_array_foreach(value, i, item) {
        struct at_place place = item_place(r, at, i);

        if (!json_is_null(item))
            read_fields(r, &place, item, table, (char *)rows->items + i * table->size);
    }
}

static bool is_quantity(const json_t *value)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    struct quantity quantity;

    if (json_is_string(value))
        return quantity_parse(str_of(json_string_value(value)), &quantity, NULL) == 0;
    if (!json_is_number(value))
        return false;
    yaml_json(value, &text);
    return quantity_parse(strbuf_view(&text), &quantity, NULL) == 0;
}

static const char *map_value_problem(enum field_type type, const json_t *value)
{
    switch (type) {
    case FIELD_BOOL_MAP:
        return json_is_boolean(value) ? NULL : "true or false";
    case FIELD_INT_MAP:
        return json_is_integer(value) ? NULL : "an integer";
    case FIELD_NUMBER_MAP:
        return json_is_number(value) ? NULL : "a number";
    default:
        return is_quantity(value) ? NULL : "a quantity such as \"5Gi\"";
    }
}

static void read_map(struct reading *r, const struct at_place *at, json_t *value,
                     enum field_type type, void *target)
{
    const char *key, *problem;
    json_t *item;

    if (!json_is_object(value)) {
        refuse(r, at, value, "a map");
        return;
    }
    json_object_foreach(value, key, item) {
        struct at_place place = member_place(r, at, key);

        problem = map_value_problem(type, item);
        if (problem)
            refuse(r, &place, item, problem);
    }
    *(const json_t **)target = value;
}

/* Known names, but nothing is kept. */
static void check_dropped(struct reading *r, const struct at_place *at, const json_t *value,
                          const struct field_table *table)
{
    if (table)
        read_fields(r, at, value, table, NULL);
}

static void read_value(struct reading *r, const struct at_place *at, json_t *value,
                       const struct field *field, void *target)
{
    typedef void reader(struct reading *, const struct at_place *, const json_t *, void *);
    static reader *const readers[] = {
        [FIELD_BOOL] = read_bool,     [FIELD_INT] = read_int,           [FIELD_LONG] = read_long,
        [FIELD_NUMBER] = read_number, [FIELD_DURATION] = read_duration, [FIELD_TEXT] = read_text,
        [FIELD_SECRET] = read_text,   [FIELD_ADDRESS] = read_address,   [FIELD_TEXTS] = read_texts,
        [FIELD_INTS] = read_ints,     [FIELD_SELECTOR] = read_selector,
    };

    if (field->type == FIELD_DROPPED)
        check_dropped(r, at, value, field->table);
    else if (field->type == FIELD_OBJECT)
        read_fields(r, at, value, field->table, target);
    else if (field->type == FIELD_ROWS)
        read_rows(r, at, value, field->table, target);
    else if (field->type >= FIELD_BOOL_MAP)
        read_map(r, at, value, field->type, target);
    else
        readers[field->type](r, at, value, target);
}

static const struct field *find_field(const struct field_table *table, const char *name,
                                      unsigned version)
{
    for (size_t i = 0; i < table->count; i++)
        if ((table->fields[i].versions & version) && strcmp(table->fields[i].name, name) == 0)
            return &table->fields[i];
    return NULL;
}

static void read_member(struct reading *r, const struct at_place *at, json_t *value,
                        const struct field *field, char *target)
{
    if (json_is_null(value)) /* the same as absent */
        return;
    if (field->note)
        configuration_warn(r, "%s: line %u: %s has no effect: %s", r->name, line(r, at), at->path,
                           field->note);
    read_value(r, at, value, field, target ? target + field->offset : NULL);
}

/* 'target' begins with bool given; NULL: nothing is kept. (The analyzer takes that for a sign that
 * 'r', in which it can lie, may be NULL, too.) */
static void read_fields(struct reading *r, const struct at_place *at, const json_t *value,
                        const struct field_table *table, char *target)
{
    const char *key;
    json_t *item;

    if (!json_is_object(value)) {
        refuse(r, at, value, "an object");
        return;
    }
    if (target)
        *(bool *)target = true;
    json_object_foreach((json_t *)(uintptr_t)value, key, item) {
        struct at_place place = member_place(r, at, key);
        const struct field *field = find_field(table, key, r->object.version); /* NOLINT */

        if (field)
            read_member(r, &place, item, field, target);
        else
            configuration_problem(r, "%s: line %u: unknown field \"%s\"", r->name, line(r, &place),
                                  place.path);
    }
}

void configuration_decode(struct reading *r, const json_t *root)
{
    struct at_place top = { "", "" };

    read_fields(r, &top, root, &configuration_fields, (char *)&r->object);
}
