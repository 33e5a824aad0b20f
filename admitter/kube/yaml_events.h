/* yaml_events.h - libyaml's events one by one, with errors that name the place.
 *
 * For the files of yaml.h only. Any thread, one at a time per reader. */
#pragma once

#include <yaml.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

struct yaml_events {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; valid until the next */
    bool has_event;
    const char *name;  /* put into messages; borrowed */
    unsigned document; /* likewise; 0: a text whose documents nobody counts */
    struct err *e;
};

/* 'bytes' and 'name' must stay until the end. */
MUST_USE int yaml_events_begin(struct yaml_events *in, struct str bytes, const char *name,
                               struct err *e);
void yaml_events_end(struct yaml_events *in);
/* The next event becomes the current one. ERR_INVALID: the text is no YAML. */
MUST_USE int yaml_events_next(struct yaml_events *in);
/* Always -1 and ERR_INVALID: "<name>: [document 2, ]line 3, column 7: <what>". */
int yaml_events_refuse(struct yaml_events *in, const yaml_mark_t *mark, const char *what);

unsigned yaml_event_line(const yaml_event_t *event); /* on which it begins, from 1 */
/* "---" with nothing after it reads as an empty plain scalar. */
bool yaml_event_is_empty(const yaml_event_t *event);
