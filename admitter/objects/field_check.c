#include "admitter/objects/field_error.h"

#include <ctype.h>
#include <string.h>
#include "admitter/objects/condition.h"
#include "quota/base/mem.h"
#include "quota/base/str.h"

/* Syntax rules of Kubernetes names and labels. The texts are those of k8s.io/apimachinery: clients
 * and tests compare them. */

#define NAME_LIMIT 63
#define SUBDOMAIN_LIMIT 253
#define ANNOTATION_BYTES 262144
#define CONDITION_REASON_BYTES 1024

#define NAME_PATTERN "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define NAME_TEXT                                                                                  \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "         \
    "validation is '" NAME_PATTERN "')"
#define VALUE_TEXT                                                                                 \
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "    \
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "             \
    "'my_value',  or '12345', regex used for validation is '(" NAME_PATTERN ")?')"
#define DNS_LABEL_PATTERN "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define DNS_LABEL_TEXT                                                                             \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "   \
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "     \
    "used for validation is '" DNS_LABEL_PATTERN "')"
#define SUBDOMAIN_TEXT                                                                             \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '" DNS_LABEL_PATTERN "(\\." DNS_LABEL_PATTERN ")*')"
#define REASON_TEXT                                                                                \
    "a condition reason must start with alphabetic character, optionally followed by a string of " \
    "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. "  \
    "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex " \
    "used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"
#define PATH_PATTERN "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"

#define PROBLEMS 4
struct problems_found { /* of one value; texts are literals or in the arena */
    const char *items[PROBLEMS];
    size_t count;
};

static void found(struct problems_found *problems, const char *text)
{
    if (problems->count < PROBLEMS)
        problems->items[problems->count++] = text;
}

static void report(struct field_errors *errors, const char *path, const char *value,
                   const struct problems_found *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        field_error_invalid_text(errors, path, value, "%s", problems->items[i]);
}

/* ---- characters ---- */

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_name(struct str s)
{
    if (s.length == 0 || !is_alphanumeric(s.text[0]) || !is_alphanumeric(s.text[s.length - 1]))
        return false;
    for (size_t i = 0; i < s.length; i++)
        if (!is_alphanumeric(s.text[i]) && !is_one_of(s.text[i], "-_."))
            return false;
    return true;
}

static bool is_dns_label(struct str s)
{
    if (s.length == 0 || s.text[0] == '-' || s.text[s.length - 1] == '-')
        return false;
    for (size_t i = 0; i < s.length; i++)
        if (s.text[i] != '-' && (!is_alphanumeric(s.text[i]) || isupper((unsigned char)s.text[i])))
            return false;
    return true;
}

static bool is_subdomain(struct str s)
{
    struct str head, rest = s;

    while (str_cut(rest, '.', &head, &rest))
        if (!is_dns_label(head))
            return false;
    return is_dns_label(head);
}

static bool is_reason(struct str s)
{
    if (s.length == 0 || !is_alphanumeric(s.text[0]) || isdigit((unsigned char)s.text[0]))
        return false;
    for (size_t i = 0; i < s.length; i++)
        if (!is_alphanumeric(s.text[i]) && !is_one_of(s.text[i], "_,:"))
            return false;
    return is_alphanumeric(s.text[s.length - 1]) || s.text[s.length - 1] == '_';
}

/* ---- rules ---- */

static void subdomain_problems(struct str value, struct problems_found *problems)
{
    if (value.length > SUBDOMAIN_LIMIT)
        found(problems, "must be no more than 253 bytes");
    if (!is_subdomain(value))
        found(problems, SUBDOMAIN_TEXT);
}

static void prefix_problems(struct str prefix, struct arena *a, struct problems_found *problems)
{
    struct problems_found own = { .count = 0 };

    if (prefix.length == 0) {
        found(problems, "prefix part must be non-empty");
        return;
    }
    subdomain_problems(prefix, &own);
    for (size_t i = 0; i < own.count; i++)
        found(problems, arena_format(a, "prefix part %s", own.items[i]));
}

static void key_problems(struct str key, struct arena *a, struct problems_found *problems)
{
    struct str prefix, name = key, rest;

    if (str_cut(key, '/', &prefix, &rest)) {
        if (rest.length && memchr(rest.text, '/', rest.length)) {
            found(problems, "a valid label key " NAME_TEXT " with an optional DNS subdomain prefix "
                            "and '/' (e.g. 'example.com/MyName')");
            return;
        }
        prefix_problems(prefix, a, problems);
        name = rest;
    }
    if (name.length == 0)
        found(problems, "name part must be non-empty");
    else if (name.length > NAME_LIMIT)
        found(problems, "name part must be no more than 63 bytes");
    if (!is_name(name))
        found(problems, "name part " NAME_TEXT);
}

static void value_problems(struct str value, struct problems_found *problems)
{
    if (value.length > NAME_LIMIT)
        found(problems, "must be no more than 63 bytes");
    if (value.length && !is_name(value))
        found(problems, VALUE_TEXT);
}

void field_check_dns_subdomain(struct field_errors *errors, const char *path, const char *value)
{
    struct problems_found problems = { .count = 0 };

    subdomain_problems(str_of(value), &problems);
    report(errors, path, value, &problems);
}

void field_check_dns_label(struct field_errors *errors, const char *path, const char *value)
{
    struct problems_found problems = { .count = 0 };

    if (strlen(value) > NAME_LIMIT)
        found(&problems, "must be no more than 63 bytes");
    if (!is_dns_label(str_of(value)))
        found(&problems, DNS_LABEL_TEXT);
    report(errors, path, value, &problems);
}

void field_check_qualified_name(struct field_errors *errors, const char *path, const char *value)
{
    struct problems_found problems = { .count = 0 };

    key_problems(str_of(value), errors->arena, &problems);
    report(errors, path, value, &problems);
}

void field_check_label_value(struct field_errors *errors, const char *path, const char *value)
{
    struct problems_found problems = { .count = 0 };

    value_problems(str_of(value), &problems);
    report(errors, path, value, &problems);
}

void field_check_label_value_joined(struct field_errors *errors, const char *path,
                                    const char *value)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    struct problems_found problems = { .count = 0 };

    value_problems(str_of(value), &problems);
    for (size_t i = 0; i < problems.count; i++)
        strbuf_printf(&text, "%s%s", i ? ";" : "", problems.items[i]);
    if (problems.count)
        field_error_invalid_text(errors, path, value, "%s", text.text);
}

static bool is_path(struct str s)
{
    for (size_t i = 0; i < s.length; i++)
        if (!is_alphanumeric(s.text[i]) && !is_one_of(s.text[i], "/-._~%!$&'()*+,;=:"))
            return false;
    return s.length > 0;
}

void field_check_domain_path(struct field_errors *errors, const char *path, const char *value)
{
    struct str host, rest;

    if (!*value) {
        field_error_required(errors, path, "%s", "");
        return;
    }
    if (!str_cut(str_of(value), '/', &host, &rest) || host.length == 0 || rest.length == 0) {
        field_error_invalid_text(errors, path, value,
                                 "must be a domain-prefixed path (such as \"acme.io/foo\")");
        return;
    }
    field_check_dns_subdomain(errors, path, arena_dup(errors->arena, host));
    if (!is_path(rest))
        field_error_invalid_text(errors, path, arena_dup(errors->arena, rest),
                                 "Invalid path (regex used for validation is '%s')", PATH_PATTERN);
}

/* ---- maps ---- */

void field_check_labels(struct field_errors *errors, const char *path, const json_t *labels)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)labels, key, value) {
        field_check_qualified_name(errors, path, key);
        if (json_is_string(value))
            field_check_label_value(errors, path, json_string_value(value));
    }
}

void field_check_annotations(struct field_errors *errors, const char *path,
                             const json_t *annotations)
{
    size_t total = 0;
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)annotations, key, value) {
        struct problems_found problems = { .count = 0 };
        char *lower = arena_strdup(errors->arena, key);

        for (char *p = lower; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        key_problems(str_of(lower), errors->arena, &problems);
        report(errors, path, key, &problems);
        total += strlen(key) + json_string_length(value);
    }
    if (total > ANNOTATION_BYTES)
        field_error_too_long(errors, path, ANNOTATION_BYTES);
}

/* ---- selectors ---- */

static void check_expression(struct field_errors *errors, const char *path,
                             const json_t *expression)
{
    const char *operator= json_string_value(json_object_get(expression, "operator"));
    const char *key = json_string_value(json_object_get(expression, "key"));
    const json_t *values = json_object_get(expression, "values");
    json_t *value;
    size_t i;

    operator= operator? operator: "";
    if (strcmp(operator, "In") == 0 || strcmp(operator, "NotIn") == 0) {
        if (json_array_size(values) == 0)
            field_error_required(errors, field_path(errors, "%s.values", path),
                                 "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (strcmp(operator, "Exists") == 0 || strcmp(operator, "DoesNotExist") == 0) {
        if (json_array_size(values) > 0)
            field_error_forbidden(errors, field_path(errors, "%s.values", path),
                                  "may not be specified when `operator` is 'Exists' or "
                                  "'DoesNotExist'");
    } else {
        field_error_invalid_text(errors, field_path(errors, "%s.operator", path), operator,
                                 "not a valid selector operator");
    }
    field_check_qualified_name(errors, field_path(errors, "%s.key", path), key ? key : "");
    json_array_foreach(values, i, value)
        if (json_is_string(value))
            field_check_label_value(errors, field_path(errors, "%s.values[%zu]", path, i),
                                    json_string_value(value));
}

void field_check_label_selector(struct field_errors *errors, const char *path,
                                const json_t *selector)
{
    json_t *expression;
    size_t i;

    field_check_labels(errors, field_path(errors, "%s.matchLabels", path),
                       json_object_get(selector, "matchLabels"));
    json_array_foreach(json_object_get(selector, "matchExpressions"), i, expression)
        check_expression(errors, field_path(errors, "%s.matchExpressions[%zu]", path, i),
                         expression);
}

/* ---- conditions ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void check_reason(struct field_errors *errors, const char *path, const char *reason)
{
    if (!*reason) {
        field_error_required(errors, path, "must be set");
        return;
    }
    if (!is_reason(str_of(reason)))
        field_error_invalid_text(errors, path, reason, "%s", REASON_TEXT);
    if (strlen(reason) > CONDITION_REASON_BYTES)
        field_error_too_long(errors, path, CONDITION_REASON_BYTES);
}

static void check_condition(struct field_errors *errors, const char *path, const json_t *condition)
{
    static const char *const statuses[] = { "False", "True", "Unknown" };
    const char *status = text_of(condition, "status");
    json_int_t generation = json_integer_value(json_object_get(condition, "observedGeneration"));

    field_check_qualified_name(errors, field_path(errors, "%s.type", path),
                               text_of(condition, "type"));
    if (strcmp(status, "False") != 0 && strcmp(status, "True") != 0 &&
        strcmp(status, "Unknown") != 0)
        field_error_not_supported(errors, field_path(errors, "%s.status", path), status, statuses,
                                  ARRAY_COUNT(statuses));
    if (generation < 0)
        field_error_invalid_int(errors, field_path(errors, "%s.observedGeneration", path),
                                generation, "must be greater than or equal to zero");
    if (!*text_of(condition, "lastTransitionTime"))
        field_error_required(errors, field_path(errors, "%s.lastTransitionTime", path),
                             "must be set");
    check_reason(errors, field_path(errors, "%s.reason", path), text_of(condition, "reason"));
    if (strlen(text_of(condition, "message")) > CONDITION_MESSAGE_BYTES)
        field_error_too_long(errors, field_path(errors, "%s.message", path),
                             CONDITION_MESSAGE_BYTES);
}

static bool is_repeated_type(const json_t *conditions, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(text_of(json_array_get(conditions, i), "type"),
                   text_of(json_array_get(conditions, at), "type")) == 0)
            return true;
    return false;
}

void field_check_conditions(struct field_errors *errors, const char *path, const json_t *conditions)
{
    json_t *condition;
    size_t i;

    json_array_foreach(conditions, i, condition) {
        if (is_repeated_type(conditions, i))
            field_error_duplicate_text(errors, field_path(errors, "%s[%zu].type", path, i),
                                       text_of(condition, "type"));
        check_condition(errors, field_path(errors, "%s[%zu]", path, i), condition);
    }
}
