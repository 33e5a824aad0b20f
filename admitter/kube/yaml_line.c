/* yaml_line.c - the part of yaml.h that finds the line of a value, by reading again. */
#include "admitter/kube/yaml.h"
#include "admitter/kube/yaml_events.h"

/* Cut the first reference token off a pointer; "~1" and "~0" are undone. False at its end. */
static bool token_next(const char **pointer, char *token, size_t size)
{
    const char *at = *pointer;
    size_t n = 0;

    if (*at != '/')
        return false;
    for (at++; *at && *at != '/'; at++) {
        char c = *at;

        if (c == '~' && (at[1] == '0' || at[1] == '1'))
            c = *++at == '0' ? '~' : '/';
        if (n + 1 < size)
            token[n++] = c;
    }
    token[n] = '\0';
    *pointer = at;
    return true;
}

static bool opens(const yaml_event_t *event)
{
    return event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT;
}

static bool closes(const yaml_event_t *event)
{
    return event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT;
}

/* From the first event of a value to its last. Text that nobody reads may be nested at any depth,
 * for which libyaml takes quadratic time: -1 then, too. */
static int value_skip(struct yaml_events *in)
{
    unsigned depth = 0;

    do {
        depth += opens(&in->event);
        depth -= closes(&in->event);
        if (depth == 0)
            return 0;
    } while (depth <= YAML_DEPTH_MAX && yaml_events_next(in) == 0);
    return -1;
}

/* In a mapping: go to the value of 'token'. 1 found (and *line set), 0 not. */
static int member_find(struct yaml_events *in, const char *token, unsigned *line)
{
    while (yaml_events_next(in) == 0 && in->event.type == YAML_SCALAR_EVENT) {
        bool found = !strcmp((const char *)in->event.data.scalar.value, token);
        unsigned key_line = yaml_event_line(&in->event);

        if (yaml_events_next(in) < 0)
            return 0;
        if (found) {
            *line = key_line;
            return 1;
        }
        if (value_skip(in) < 0)
            return 0;
    }
    return 0;
}

static int item_find(struct yaml_events *in, const char *token, unsigned *line)
{
    int64_t index;

    if (!str_to_int64(str_of(token), &index) || index < 0)
        return 0;
    for (int64_t i = 0; yaml_events_next(in) == 0 && in->event.type != YAML_SEQUENCE_END_EVENT;
         i++) {
        if (i == index) {
            *line = yaml_event_line(&in->event);
            return 1;
        }
        if (value_skip(in) < 0)
            return 0;
    }
    return 0;
}

static unsigned pointer_find(struct yaml_events *in, const char *pointer, unsigned line)
{
    char token[512];

    while (token_next(&pointer, token, sizeof(token))) {
        int found = 0;

        if (in->event.type == YAML_MAPPING_START_EVENT)
            found = member_find(in, token, &line);
        else if (in->event.type == YAML_SEQUENCE_START_EVENT)
            found = item_find(in, token, &line);
        if (!found)
            break;
    }
    return line;
}

unsigned yaml_line_in(struct str bytes, unsigned line, const char *pointer)
{
    struct yaml_events in;
    struct err ignored;

    if (yaml_events_begin(&in, bytes, "", &ignored) < 0)
        return line;
    while (yaml_events_next(&in) == 0 && in.event.type != YAML_STREAM_END_EVENT) {
        /* The first value on the document's line is its root: empty documents have none. */
        if (in.event.type == YAML_DOCUMENT_START_EVENT && yaml_events_next(&in) == 0 &&
            yaml_event_line(&in.event) == line && !yaml_event_is_empty(&in.event)) {
            line = pointer_find(&in, pointer, line);
            break;
        }
    }
    yaml_events_end(&in);
    return line;
}
