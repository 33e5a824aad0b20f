#include "admitter/objects/admission_gates.h"

#include <string.h>
#include "admitter/objects/names.h"
#include "quota/base/str.h"

#define GATE_BYTES 63
#define GATES_PATH "metadata.annotations[" ANNOTATION_ADMISSION_GATED_BY "]"

struct gate_names {
    struct str *items;
    size_t count;
};

static size_t commas(struct str s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.length; i++)
        count += s.text[i] == ',';
    return count;
}

/* Names with blanks taken off; a blank value has none. */
static struct gate_names gates_split(const char *value, struct arena *a)
{
    struct gate_names gates = { NULL, 0 };
    struct str head, rest = str_of(value);
    bool more = true;

    if (str_trim(rest).length == 0)
        return gates;
    gates.items = ARENA_ARRAY(a, commas(rest) + 1, struct str);
    while (more) {
        more = str_cut(rest, ',', &head, &rest);
        gates.items[gates.count++] = str_trim(head);
    }
    return gates;
}

static bool gates_have(const struct gate_names *gates, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(gates->items[i], name))
            return true;
    return false;
}

static void check_names(const struct gate_names *gates, const char *value,
                        struct field_errors *errors)
{
    for (size_t i = 0; i < gates->count; i++) {
        const char *name = arena_dup(errors->arena, gates->items[i]);

        if (!*name) {
            field_error_invalid_text(errors, GATES_PATH, value, "cannot contain empty gate names");
            continue;
        }
        if (gates_have(gates, i, gates->items[i])) {
            field_error_invalid_text(errors, GATES_PATH, value, "duplicate gate name: %s", name);
            continue;
        }
        field_check_domain_path(errors, GATES_PATH, name);
        if (gates->items[i].length > GATE_BYTES)
            field_error_too_long(errors, GATES_PATH, GATE_BYTES);
    }
}

void admission_gates_check(const char *value, struct field_errors *errors)
{
    struct gate_names gates = gates_split(value, errors->arena);

    check_names(&gates, value, errors);
}

void admission_gates_check_update(const char *old_value, const char *value,
                                  struct field_errors *errors)
{
    struct gate_names before = gates_split(old_value, errors->arena);
    struct gate_names after = gates_split(value, errors->arena);

    if (before.count == 0 && after.count > 0)
        field_error_forbidden(errors, GATES_PATH, "cannot add admission gate after creation");
    for (size_t i = 0; before.count > 0 && i < after.count; i++) {
        if (gates_have(&before, before.count, after.items[i]))
            continue;
        field_error_forbidden(errors, GATES_PATH, "can only remove gates, not add new ones");
        break;
    }
    check_names(&after, value, errors);
}
