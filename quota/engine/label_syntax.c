#include "quota/engine/label_syntax.h"

#include <stdbool.h>

#define NAME_MAXIMUM 63
#define SUBDOMAIN_MAXIMUM 253
#define NAME_PATTERN "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define NAME_RULE                                                                                  \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character"
#define NAME_TEXT                                                                                  \
    NAME_RULE                                                                                      \
    " (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '" NAME_PATTERN   \
    "')"
#define VALUE_TEXT                                                                                 \
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "    \
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "             \
    "'my_value',  or '12345', regex used for validation is '(" NAME_PATTERN ")?')"
#define SUBDOMAIN_LABEL "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define SUBDOMAIN_TEXT                                                                             \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '" SUBDOMAIN_LABEL "(\\." SUBDOMAIN_LABEL ")*')"

static bool is_lower_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alphanumeric(char c)
{
    return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z');
}

static bool is_name(struct str s)
{
    if (s.length == 0 || !is_alphanumeric(s.text[0]) || !is_alphanumeric(s.text[s.length - 1]))
        return false;
    for (size_t i = 0; i < s.length; i++)
        if (!is_alphanumeric(s.text[i]) && !strchr("-_.", s.text[i]))
            return false;
    return true;
}

static bool is_subdomain_label(struct str s)
{
    if (s.length == 0 || s.text[0] == '-' || s.text[s.length - 1] == '-')
        return false;
    for (size_t i = 0; i < s.length; i++)
        if (!is_lower_alphanumeric(s.text[i]) && s.text[i] != '-')
            return false;
    return true;
}

static bool is_subdomain(struct str s)
{
    struct str head = s, rest = s;

    while (str_cut(rest, '.', &head, &rest))
        if (!is_subdomain_label(head))
            return false;
    return is_subdomain_label(head);
}

static const char *and_also(const char *so_far, const char *prefix, const char *text,
                            struct arena *a)
{
    return so_far ? arena_format(a, "%s; %s%s", so_far, prefix, text)
                  : arena_format(a, "%s%s", prefix, text);
}

static const char *prefix_problem(struct str prefix, struct arena *a)
{
    const char *problem = NULL;

    if (prefix.length == 0)
        return "prefix part must be non-empty";
    if (prefix.length > SUBDOMAIN_MAXIMUM)
        problem = "prefix part must be no more than 253 bytes";
    if (!is_subdomain(prefix))
        problem = and_also(problem, "prefix part ", SUBDOMAIN_TEXT, a);
    return problem;
}

const char *label_key_problem(const char *key, struct arena *a)
{
    struct str name = str_of(key), prefix, rest;
    const char *problem = NULL;

    if (str_cut(name, '/', &prefix, &rest)) {
        if (rest.length && memchr(rest.text, '/', rest.length))
            return "a valid label key " NAME_TEXT
                   " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
        problem = prefix_problem(prefix, a);
        name = rest;
    }
    if (name.length == 0)
        problem = and_also(problem, "name part ", "must be non-empty", a);
    else if (name.length > NAME_MAXIMUM)
        problem = and_also(problem, "name part ", "must be no more than 63 bytes", a);
    if (!is_name(name))
        problem = and_also(problem, "name part ", NAME_TEXT, a);
    return problem;
}

const char *label_value_problem(const char *value, struct arena *a)
{
    struct str text = str_of(value);
    const char *problem = NULL;

    if (text.length > NAME_MAXIMUM)
        problem = "must be no more than 63 bytes";
    if (text.length && !is_name(text))
        problem = and_also(problem, "", VALUE_TEXT, a);
    return problem;
}
