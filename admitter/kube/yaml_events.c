#include "admitter/kube/yaml_events.h"

#include <string.h>

int yaml_events_refuse(struct yaml_events *in, const yaml_mark_t *mark, const char *what)
{
    unsigned line = (unsigned)mark->line + 1, column = (unsigned)mark->column + 1;

    if (in->document)
        return err_set(in->e, ERR_INVALID, "%s: document %u, line %u, column %u: %s", in->name,
                       in->document, line, column, what);
    return err_set(in->e, ERR_INVALID, "%s: line %u, column %u: %s", in->name, line, column, what);
}

/* Editors on other systems put it before the text; it is no part of it. */
static struct str without_byte_order_mark(struct str bytes)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (bytes.length >= 3 && memcmp(bytes.text, mark, 3) == 0)
        return (struct str){ bytes.text + 3, bytes.length - 3 };
    return bytes.text ? bytes : str_of("");
}

int yaml_events_begin(struct yaml_events *in, struct str bytes, const char *name, struct err *e)
{
    bytes = without_byte_order_mark(bytes);
    *in = (struct yaml_events){ .name = name, .e = e };
    if (!yaml_parser_initialize(&in->parser))
        return err_set(e, ERR_NOMEM, "%s: no memory for the reader", name);
    yaml_parser_set_encoding(&in->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&in->parser, (const unsigned char *)bytes.text, bytes.length);
    return 0;
}

void yaml_events_end(struct yaml_events *in)
{
    if (in->has_event)
        yaml_event_delete(&in->event);
    yaml_parser_delete(&in->parser);
}

int yaml_events_next(struct yaml_events *in)
{
    const char *problem;

    if (in->has_event)
        yaml_event_delete(&in->event);
    in->has_event = yaml_parser_parse(&in->parser, &in->event);
    if (in->has_event)
        return 0;
    problem = in->parser.problem ? in->parser.problem : "cannot be read";
    if (in->parser.error == YAML_READER_ERROR)
        return err_set(in->e, ERR_INVALID, "%s: byte %zu: %s", in->name, in->parser.problem_offset,
                       problem);
    return yaml_events_refuse(in, &in->parser.problem_mark, problem);
}

unsigned yaml_event_line(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

bool yaml_event_is_empty(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.length == 0 &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}
