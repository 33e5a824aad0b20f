#include "admitter/kube/yaml.h"

#include <stdlib.h>
#include "admitter/kube/yaml_events.h"
#include "admitter/kube/yaml_scalar.h"
#include "quota/base/file.h"
#include "quota/base/mem.h"

struct yaml_entry {
    json_t *root;
    unsigned line;
};

struct yaml_stream {
    char *name;
    struct strbuf bytes; /* kept to find lines again, which errors alone need */
    struct yaml_entry *entries;
    size_t count, capacity;
};

/* One pass over the text. */
struct pass {
    struct yaml_events in;
    yaml_take_fn *take;
    void *context;
    struct err *e;
    struct anchor *anchors; /* of this document */
    size_t anchor_count, anchor_capacity;
    size_t values;   /* read so far, or stood for by aliases */
    size_t expanded; /* stood for by aliases */
};

struct anchor {
    char *name;
    json_t *value;
    size_t values; /* that it holds */
};

static void anchors_forget(struct pass *p)
{
    while (p->anchor_count > 0) {
        struct anchor *anchor = &p->anchors[--p->anchor_count];

        free(anchor->name);
        json_decref(anchor->value);
    }
    p->values = p->expanded = 0;
}

static int pass_begin(struct pass *p, struct str bytes, const char *name, struct err *e)
{
    *p = (struct pass){ .e = e };
    return yaml_events_begin(&p->in, bytes, name, e);
}

static void pass_end(struct pass *p)
{
    anchors_forget(p);
    free(p->anchors);
    yaml_events_end(&p->in);
}

static int advance(struct pass *p)
{
    return yaml_events_next(&p->in);
}

/* At the current event. */
static int refuse(struct pass *p, const char *what)
{
    return yaml_events_refuse(&p->in, &p->in.event.start_mark, what);
}

static bool too_deep(const json_t *value, unsigned depth)
{
    const char *key;
    json_t *member;
    size_t i;

    if (depth > YAML_DEPTH_MAX)
        return true;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
            if (too_deep(member, depth + 1))
                return true;
    }
    json_array_foreach(value, i, member)
        if (too_deep(member, depth + 1))
            return true;
    return false;
}

/* What no value may carry. */
static int check_value(struct pass *p, unsigned depth)
{
    const yaml_event_t *event = &p->in.event;
    const yaml_char_t *tag = NULL;

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        break;
    case YAML_SCALAR_EVENT:
        tag = event->data.scalar.tag;
        if (memchr(event->data.scalar.value, 0, event->data.scalar.length))
            return refuse(p, "a text holds a NUL byte");
        break;
    case YAML_MAPPING_START_EVENT:
        tag = event->data.mapping_start.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        tag = event->data.sequence_start.tag;
        break;
    default:
        return refuse(p, "a value was expected");
    }
    if (tag)
        return refuse(p, "tags are not supported");
    if (depth > YAML_DEPTH_MAX)
        return refuse(p, "nested deeper than 64 levels");
    return 0;
}

/* ---- anchors and aliases ---- */

static char *anchor_name(const yaml_event_t *event)
{
    const yaml_char_t *name = event->type == YAML_SCALAR_EVENT ? event->data.scalar.anchor
                              : event->type == YAML_MAPPING_START_EVENT
                                  ? event->data.mapping_start.anchor
                                  : event->data.sequence_start.anchor;

    return name ? mem_dup((const char *)name) : NULL;
}

/* Takes over 'name'. */
static void anchor_add(struct pass *p, char *name, json_t *value, size_t values)
{
    p->anchors = mem_grow(p->anchors, p->anchor_count, &p->anchor_capacity, sizeof(*p->anchors));
    p->anchors[p->anchor_count++] = (struct anchor){ name, json_incref(value), values };
}

/* The latest anchor of that name. A value may hold itself in no way: it is known when it ends. */
static json_t *alias_read(struct pass *p, unsigned depth)
{
    const char *name = (const char *)p->in.event.data.alias.anchor;
    size_t i = p->anchor_count;

    while (i > 0 && strcmp(p->anchors[i - 1].name, name) != 0)
        i--;
    if (i == 0) {
        (void)refuse(p, "an alias of no anchor before it");
        return NULL;
    }
    p->expanded += p->anchors[i - 1].values;
    p->values += p->anchors[i - 1].values;
    if (p->expanded > YAML_EXPANSION_MAX) {
        (void)refuse(p, "aliases stand for more than a million values");
        return NULL;
    }
    if (too_deep(p->anchors[i - 1].value, depth)) {
        (void)refuse(p, "nested deeper than 64 levels");
        return NULL;
    }
    return json_incref(p->anchors[i - 1].value);
}

static json_t *value_read(struct pass *p, unsigned depth);

static json_t *scalar_read(struct pass *p)
{
    const char *text = (const char *)p->in.event.data.scalar.value;
    size_t length = p->in.event.data.scalar.length;
    json_t *value;

    if (p->in.event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        value = json_stringn(text, length);
    else
        value = yaml_scalar((struct str){ text, length });
    if (!value)
        (void)refuse(p, "neither text in UTF-8 nor a finite number");
    return value;
}

static json_t *sequence_read(struct pass *p, unsigned depth)
{
    AUTO_JSON json_t *list = json_array();

    for (;;) {
        json_t *item;

        if (advance(p) < 0)
            return NULL;
        if (p->in.event.type == YAML_SEQUENCE_END_EVENT)
            return json_incref(list);
        item = value_read(p, depth + 1);
        if (!item)
            return NULL;
        json_array_append_new(list, item);
    }
}

/* The current event is a key: check it and read its value into 'map'. */
static int member_read(struct pass *p, json_t *map, unsigned depth)
{
    AUTO_FREE char *key = NULL;
    json_t *value;

    if (p->in.event.type != YAML_SCALAR_EVENT)
        return refuse(p, "a key must be plain text");
    if (check_value(p, depth) < 0)
        return -1;
    key = mem_dup_n((const char *)p->in.event.data.scalar.value, p->in.event.data.scalar.length);
    if (json_object_get(map, key)) {
        AUTO_FREE char *what = mem_format("key \"%.100s\" is given twice", key);

        return refuse(p, what);
    }
    if (advance(p) < 0)
        return -1;
    value = value_read(p, depth + 1);
    if (!value)
        return -1;
    if (json_object_set_new(map, key, value) < 0)
        return refuse(p, "a key is not text in UTF-8");
    return 0;
}

static json_t *mapping_read(struct pass *p, unsigned depth)
{
    AUTO_JSON json_t *map = json_object();

    for (;;) {
        if (advance(p) < 0)
            return NULL;
        if (p->in.event.type == YAML_MAPPING_END_EVENT)
            return json_incref(map);
        if (member_read(p, map, depth) < 0)
            return NULL;
    }
}

static json_t *plain_value_read(struct pass *p, unsigned depth)
{
    p->values++;
    if (p->in.event.type == YAML_SCALAR_EVENT)
        return scalar_read(p);
    return p->in.event.type == YAML_SEQUENCE_START_EVENT ? sequence_read(p, depth)
                                                         : mapping_read(p, depth);
}

/* The value that the current event begins. */
static json_t *value_read(struct pass *p, unsigned depth)
{
    size_t before = p->values;
    char *name;
    json_t *value;

    if (check_value(p, depth) < 0)
        return NULL;
    if (p->in.event.type == YAML_ALIAS_EVENT)
        return alias_read(p, depth);
    name = anchor_name(&p->in.event);
    value = plain_value_read(p, depth);
    if (name && value)
        anchor_add(p, name, value, p->values - before);
    else
        free(name);
    return value;
}

static int document_read(struct pass *p)
{
    AUTO_JSON json_t *root = NULL;
    unsigned line;

    if (advance(p) < 0)
        return -1;
    line = yaml_event_line(&p->in.event);
    if (yaml_event_is_empty(&p->in.event))
        return advance(p);
    anchors_forget(p);
    root = value_read(p, 1);
    if (!root || p->take(p->context, root, line, p->e) < 0)
        return -1;
    p->in.document += p->in.document > 0;
    return advance(p); /* its end */
}

/* 'counted': messages tell the number of the document. */
static int documents_read(struct str bytes, const char *name, bool counted, yaml_take_fn *take,
                          void *context, struct err *e)
{
    struct pass p;
    int result;

    if (pass_begin(&p, bytes, name, e) < 0)
        return -1;
    p.in.document = counted;
    p.take = take;
    p.context = context;
    do {
        result = advance(&p);
        if (result == 0 && p.in.event.type == YAML_DOCUMENT_START_EVENT)
            result = document_read(&p);
    } while (result == 0 && p.in.event.type != YAML_STREAM_END_EVENT);
    pass_end(&p);
    return result;
}

/* ---- whole streams ---- */

/* Takes over 'root'. */
static void stream_add(struct yaml_stream *s, json_t *root, unsigned line)
{
    s->entries = mem_grow(s->entries, s->count, &s->capacity, sizeof(*s->entries));
    s->entries[s->count++] = (struct yaml_entry){ root, line };
}

static int stream_take(void *context, const json_t *root, unsigned line, struct err *e)
{
    (void)e;
    stream_add(context, json_incref((json_t *)(uintptr_t)root), line);
    return 0;
}

/* ---- JSON goes through jansson, which is an order of magnitude faster ---- */

/* Skip white space and "---" lines, counting lines. */
static size_t gap_skip(struct str bytes, size_t at, unsigned *line)
{
    for (; at < bytes.length; at++) {
        char c = bytes.text[at];

        if (c == '\n')
            ++*line;
        else if (c == '-' && bytes.length - at > 3 && !memcmp(bytes.text + at, "---\n", 4))
            at += 2;
        else if (c != ' ' && c != '\t' && c != '\r')
            break;
    }
    return at;
}

/* True when the whole stream is JSON values and was read; on any doubt the YAML reader decides,
 * so that messages come from one place. */
static bool stream_read_json(struct yaml_stream *s, struct str bytes)
{
    unsigned line = 1;
    size_t at = gap_skip(bytes, 0, &line);

    while (at < bytes.length) {
        json_error_t problem;
        json_t *root;

        if (bytes.text[at] != '{' && bytes.text[at] != '[')
            return false;
        root = json_loadb(bytes.text + at, bytes.length - at,
                          JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &problem);
        if (!root)
            return false;
        stream_add(s, root, line);
        if (too_deep(root, 1))
            return false;
        for (int i = 0; i < problem.position; i++)
            line += bytes.text[at + (size_t)i] == '\n';
        at = gap_skip(bytes, at + (size_t)problem.position, &line);
    }
    return s->count > 0;
}

static void entries_clear(struct yaml_stream *s)
{
    for (size_t i = 0; i < s->count; i++)
        json_decref(s->entries[i].root);
    s->count = 0;
}

void yaml_destroy(struct yaml_stream *stream)
{
    if (!stream)
        return;
    entries_clear(stream);
    free(stream->entries);
    strbuf_finish(&stream->bytes);
    free(stream->name);
    free(stream);
}

/* Takes over 'bytes'. */
static struct yaml_stream *stream_make(struct strbuf bytes, const char *name, struct err *e)
{
    struct yaml_stream *s = mem_alloc(sizeof(*s));

    s->name = mem_dup(name);
    s->bytes = bytes;
    if (stream_read_json(s, strbuf_view(&s->bytes)))
        return s;
    entries_clear(s);
    if (documents_read(strbuf_view(&s->bytes), name, false, stream_take, s, e) == 0)
        return s;
    yaml_destroy(s);
    return NULL;
}

struct yaml_stream *yaml_load(struct str bytes, const char *name, struct err *e)
{
    struct strbuf copy = STRBUF_INIT;

    strbuf_add(&copy, bytes.text, bytes.length);
    return stream_make(copy, name, e);
}

struct yaml_stream *yaml_load_file(const char *path, size_t limit, struct err *e)
{
    struct strbuf bytes = STRBUF_INIT;

    if (file_read(path, limit, &bytes, e) < 0) {
        strbuf_finish(&bytes);
        return NULL;
    }
    return stream_make(bytes, path, e);
}

size_t yaml_count(const struct yaml_stream *stream)
{
    return stream->count;
}

json_t *yaml_root(const struct yaml_stream *stream, size_t document)
{
    return document < stream->count ? stream->entries[document].root : NULL;
}

unsigned yaml_line(const struct yaml_stream *stream, size_t document)
{
    return document < stream->count ? stream->entries[document].line : 1;
}

int yaml_each(struct str bytes, const char *name, yaml_take_fn *take, void *context, struct err *e)
{
    struct yaml_stream json = { 0 };
    bool is_json = stream_read_json(&json, bytes);
    int result = 0;

    for (size_t i = 0; is_json && result == 0 && i < json.count; i++)
        result = take(context, json.entries[i].root, json.entries[i].line, e);
    entries_clear(&json);
    free(json.entries);
    return is_json ? result : documents_read(bytes, name, true, take, context, e);
}

unsigned yaml_line_of(const struct yaml_stream *stream, size_t document, const char *pointer)
{
    return yaml_line_in(strbuf_view(&stream->bytes), yaml_line(stream, document), pointer);
}
