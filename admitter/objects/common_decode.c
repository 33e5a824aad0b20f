#include "admitter/objects/objects_private.h"

/* Parts that appear in objects of several kinds: tolerations, selectors, conditions. */

static void seconds_read(struct decoder *d, void *target)
{
    int64_t seconds = 0;

    if (decode_absent(d))
        return;
    decode_int64(d, &seconds);
    *(const char **)target = arena_format(d->arena, "%lld", (long long)seconds);
}

void toleration_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("key", decode_text, struct toleration, key),
        DECODE_FIELD("operator", decode_text, struct toleration, operator),
        DECODE_FIELD("value", decode_text, struct toleration, value),
        DECODE_FIELD("effect", decode_text, struct toleration, effect),
        DECODE_FIELD("tolerationSeconds", seconds_read, struct toleration, seconds),
        DECODE_END,
    };
    struct toleration *toleration = target;

    *toleration = (struct toleration){ "", "", "", "", NULL };
    decode_record(d, fields, toleration);
}

/* ---- selectors ---- */

static enum selector_operator operator_of(const char *text)
{
    static const char *const names[] = { "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt" };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], text) == 0)
            return (enum selector_operator)i;
    return SELECTOR_INVALID;
}

static void values_read(struct decoder *d, void *target)
{
    struct label_requirement *requirement = target;

    requirement->values = decode_texts(d, &requirement->value_count);
}

static void requirement_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("key", decode_text, struct label_requirement, key),
        DECODE_FIELD("operator", decode_text, struct label_requirement, operator_text),
        DECODE_WHOLE("values", values_read),
        DECODE_END,
    };
    struct label_requirement *requirement = target;

    *requirement = (struct label_requirement){ .key = "", .operator_text = "" };
    decode_record(d, fields, requirement);
    requirement->operator= operator_of(requirement->operator_text);
}

struct label_requirement *requirements_read(struct decoder *d, size_t *count)
{
    return decode_list(d, sizeof(struct label_requirement), requirement_read, count);
}

static void match_labels_read(struct decoder *d, void *target)
{
    struct label_selector *selector = target;

    selector->labels = decode_labels(d, &selector->label_count);
}

static void match_expressions_read(struct decoder *d, void *target)
{
    struct label_selector *selector = target;

    selector->requirements = requirements_read(d, &selector->requirement_count);
}

void selector_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("matchLabels", match_labels_read),
        DECODE_WHOLE("matchExpressions", match_expressions_read),
        DECODE_END,
    };
    struct label_selector *selector = target;

    if (decode_absent(d))
        return;
    selector->present = true;
    decode_record(d, fields, selector);
}

/* ---- conditions ---- */

static void condition_status_read(struct decoder *d, void *target)
{
    static const char *const names[] = { "False", "True", "Unknown", NULL };
    struct condition *condition = target;
    int choice = decode_choice(d, names, -1);

    condition->status = (enum condition_status)(choice + 1);
}

void condition_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("type", decode_text, struct condition, type),
        DECODE_WHOLE("status", condition_status_read),
        DECODE_FIELD("reason", decode_text, struct condition, reason),
        DECODE_FIELD("message", decode_text, struct condition, message),
        DECODE_FIELD("lastTransitionTime", decode_time, struct condition, transition),
        DECODE_FIELD("observedGeneration", decode_int64, struct condition, observed_generation),
        DECODE_END,
    };
    struct condition *condition = target;

    condition->type = condition->reason = condition->message = "";
    condition->transition = TIME_NONE;
    decode_record(d, fields, condition);
}

bool conditions_have(const struct condition *conditions, size_t count, const char *type)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(conditions[i].type, type) == 0)
            return conditions[i].status == CONDITION_TRUE;
    return false;
}
