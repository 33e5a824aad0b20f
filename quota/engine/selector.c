#include "quota/engine/selector.h"

#include "quota/base/mem.h"
#include "quota/engine/label_syntax.h"

const char *labels_get(const struct label *labels, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(labels[i].key, key) == 0)
            return labels[i].value;
    return NULL;
}

/* ---- matching ---- */

static bool requirement_has_value(const struct label_requirement *requirement, const char *value)
{
    for (size_t i = 0; i < requirement->value_count; i++)
        if (strcmp(requirement->values[i], value) == 0)
            return true;
    return false;
}

static bool requirement_compares(const struct label_requirement *requirement, const char *value)
{
    int64_t actual, wanted;

    if (!value || requirement->value_count != 1 || !str_to_int64(str_of(value), &actual) ||
        !str_to_int64(str_of(requirement->values[0]), &wanted))
        return false;
    return requirement->operator== SELECTOR_GT ? actual > wanted : actual<wanted;
}

bool requirement_matches(const struct label_requirement *requirement, const struct label *labels,
                         size_t count)
{
    const char *value = labels_get(labels, count, requirement->key);

    switch (requirement->operator) {
    case SELECTOR_IN:
        return value && requirement_has_value(requirement, value);
    case SELECTOR_NOT_IN:
        return !value || !requirement_has_value(requirement, value);
    case SELECTOR_EXISTS:
        return value;
    case SELECTOR_DOES_NOT_EXIST:
        return !value;
    case SELECTOR_GT:
    case SELECTOR_LT:
        return requirement_compares(requirement, value);
    case SELECTOR_INVALID:
        break;
    }
    return false;
}

/* ---- problems ---- */

void problems_add(struct problems *problems, const char *text, struct arena *a)
{
    if (problems->count == problems->capacity) {
        size_t capacity = problems->capacity ? 2 * problems->capacity : 4;
        const char **items = ARENA_ARRAY(a, capacity, const char *);

        if (problems->count)
            memcpy(items, problems->items, problems->count * sizeof(*items));
        problems->items = items;
        problems->capacity = capacity;
    }
    problems->items[problems->count++] = text;
}

static bool problems_repeat(const struct problems *problems, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(problems->items[i], problems->items[at]) == 0)
            return true;
    return false;
}

const char *problems_join(const struct problems *problems, struct arena *a)
{
    AUTO_STRBUF struct strbuf text = { 0 };
    size_t distinct = 0;

    for (size_t i = 0; i < problems->count; i++) {
        if (problems_repeat(problems, i))
            continue;
        if (distinct++)
            strbuf_puts(&text, ", ");
        strbuf_puts(&text, problems->items[i]);
    }
    if (distinct < 2)
        return distinct ? problems->items[0] : NULL;
    return arena_format(a, "[%s]", text.text);
}

static char *text_quoted(const char *text, struct arena *a)
{
    AUTO_STRBUF struct strbuf b = { 0 };

    strbuf_json(&b, str_of(text));
    return arena_dup(a, strbuf_view(&b));
}

static char *values_shown(const struct label_requirement *requirement, struct arena *a)
{
    AUTO_STRBUF struct strbuf b = { 0 };

    if (!requirement->values)
        return arena_strdup(a, "null");
    for (size_t i = 0; i < requirement->value_count; i++) {
        strbuf_putc(&b, i ? ',' : '[');
        strbuf_json(&b, str_of(requirement->values[i]));
    }
    strbuf_puts(&b, requirement->value_count ? "]" : "[]");
    return arena_dup(a, strbuf_view(&b));
}

/* Where a requirement stands, for messages. */
struct place {
    const struct label_requirement *requirement;
    const char *path; /* "" or ends in a dot */
    struct problems *problems;
    struct arena *arena;
};

static void values_problem(const struct place *at, const char *text)
{
    problems_add(at->problems,
                 arena_format(at->arena, "%svalues: Invalid value: %s: %s", at->path,
                              values_shown(at->requirement, at->arena), text),
                 at->arena);
}

static void value_problem(const struct place *at, size_t i, const char *key, const char *text)
{
    problems_add(at->problems,
                 arena_format(at->arena, "%svalues[%zu]%s: Invalid value: %s: %s", at->path, i, key,
                              text_quoted(at->requirement->values[i], at->arena), text),
                 at->arena);
}

static void numbers_problems(const struct place *at)
{
    int64_t ignored;

    if (at->requirement->value_count != 1)
        values_problem(at, "for 'Gt', 'Lt' operators, exactly one value is required");
    for (size_t i = 0; i < at->requirement->value_count; i++)
        if (!str_to_int64(str_of(at->requirement->values[i]), &ignored))
            value_problem(at, i, "", "for 'Gt', 'Lt' operators, the value must be an integer");
}

static void operands_problems(const struct place *at)
{
    switch (at->requirement->operator) {
    case SELECTOR_IN:
    case SELECTOR_NOT_IN:
        if (at->requirement->value_count == 0)
            values_problem(at, "for 'in', 'notin' operators, values set can't be empty");
        break;
    case SELECTOR_EXISTS:
    case SELECTOR_DOES_NOT_EXIST:
        if (at->requirement->value_count)
            values_problem(at, "values set must be empty for exists and does not exist");
        break;
    case SELECTOR_GT:
    case SELECTOR_LT:
        numbers_problems(at);
        break;
    case SELECTOR_INVALID:
        break;
    }
}

static void syntax_problems(const struct place *at)
{
    char *key = arena_format(at->arena, "[%s]", at->requirement->key);

    for (size_t i = 0; i < at->requirement->value_count; i++) {
        const char *problem = label_value_problem(at->requirement->values[i], at->arena);

        if (problem)
            value_problem(at, i, key, problem);
    }
}

static void operator_problem(const struct place *at)
{
    const char *written = at->requirement->operator_text;

    problems_add(at->problems,
                 arena_format(at->arena,
                              "%soperator: Unsupported value: %s: supported values: \"In\", "
                              "\"NotIn\", \"Exists\", \"DoesNotExist\", \"Gt\", \"Lt\"",
                              at->path, text_quoted(written ? written : "", at->arena)),
                 at->arena);
}

void requirement_problems(const struct label_requirement *requirement, const char *path,
                          struct problems *problems, struct arena *a)
{
    struct place at = { requirement, path && *path ? arena_format(a, "%s.", path) : "", problems,
                        a };
    const char *problem;

    if (requirement->operator== SELECTOR_INVALID) {
        operator_problem(&at);
        return;
    }
    problem = label_key_problem(requirement->key, a);
    if (problem)
        problems_add(problems,
                     arena_format(a, "%skey: Invalid value: %s: %s", at.path,
                                  text_quoted(requirement->key, a), problem),
                     a);
    operands_problems(&at);
    syntax_problems(&at);
}

/* ---- label selectors ---- */

/* A label selector has no Gt and Lt. */
static bool is_label_operator(const struct label_requirement *requirement)
{
    return requirement->operator<= SELECTOR_DOES_NOT_EXIST;
}

static const char *expression_problem(const struct label_requirement *requirement, struct arena *a)
{
    struct problems problems = { 0 };
    struct label_requirement shown = *requirement;

    if (!is_label_operator(requirement))
        return arena_format(
            a, "%s is not a valid label selector operator",
            text_quoted(requirement->operator_text ? requirement->operator_text : "", a));
    if (shown.value_count == 0)
        shown.values = NULL;
    requirement_problems(&shown, NULL, &problems, a);
    return problems_join(&problems, a);
}

static const char *label_problem(const struct label *label, struct arena *a)
{
    const char *values[] = { label->value };
    struct label_requirement equals = { label->key, SELECTOR_IN, "In", values, 1 };
    struct problems problems = { 0 };

    requirement_problems(&equals, NULL, &problems, a);
    return problems_join(&problems, a);
}

/* The label with the smallest key above 'after' (NULL: of all). */
static const struct label *label_next(const struct label_selector *selector, const char *after)
{
    const struct label *next = NULL;

    for (size_t i = 0; i < selector->label_count; i++) {
        const struct label *label = &selector->labels[i];

        if ((!after || strcmp(label->key, after) > 0) &&
            (!next || strcmp(label->key, next->key) < 0))
            next = label;
    }
    return next;
}

const char *selector_problem(const struct label_selector *selector, struct arena *a)
{
    const char *problem;

    if (!selector->present)
        return NULL;
    for (const struct label *label = label_next(selector, NULL); label;
         label = label_next(selector, label->key)) {
        problem = label_problem(label, a);
        if (problem)
            return problem;
    }
    for (size_t i = 0; i < selector->requirement_count; i++) {
        problem = expression_problem(&selector->requirements[i], a);
        if (problem)
            return problem;
    }
    return NULL;
}

/* Well formed enough to be taken at its word; syntax of keys and values cannot match labels anyway,
 * except through the negative operators, which is why the caller checks selector_problem first. */
static bool expression_is_usable(const struct label_requirement *requirement)
{
    bool unary =
        requirement->operator== SELECTOR_EXISTS || requirement->operator== SELECTOR_DOES_NOT_EXIST;

    return is_label_operator(requirement) && (unary == (requirement->value_count == 0));
}

bool selector_matches(const struct label_selector *selector, const struct label *labels,
                      size_t count)
{
    if (!selector->present)
        return false;
    for (size_t i = 0; i < selector->label_count; i++) {
        const char *value = labels_get(labels, count, selector->labels[i].key);

        if (!value || strcmp(value, selector->labels[i].value) != 0)
            return false;
    }
    for (size_t i = 0; i < selector->requirement_count; i++)
        if (!expression_is_usable(&selector->requirements[i]) ||
            !requirement_matches(&selector->requirements[i], labels, count))
            return false;
    return true;
}
