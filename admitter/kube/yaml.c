#include "admitter/kube/yaml.h"

#include <stdlib.h>
#include <yaml.h>
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
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool has_event;
    const char *name;
    yaml_take_fn *take;
    void *context;
    struct err *e;
};

static unsigned line_of(const yaml_mark_t *mark)
{
    return (unsigned)mark->line + 1;
}

static int refuse(struct pass *p, const yaml_mark_t *mark, const char *what)
{
    return err_set(p->e, ERR_INVALID, "%s: line %u, column %u: %s", p->name, line_of(mark),
                   (unsigned)mark->column + 1, what);
}

static int pass_begin(struct pass *p, struct str bytes, const char *name, struct err *e)
{
    *p = (struct pass){ .name = name, .e = e };
    if (!yaml_parser_initialize(&p->parser))
        return err_set(e, ERR_NOMEM, "%s: no memory for the reader", name);
    yaml_parser_set_encoding(&p->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p->parser, (const unsigned char *)bytes.text, bytes.length);
    return 0;
}

static void pass_end(struct pass *p)
{
    if (p->has_event)
        yaml_event_delete(&p->event);
    yaml_parser_delete(&p->parser);
}

/* The next event becomes the current one. */
static int advance(struct pass *p)
{
    const char *problem;

    if (p->has_event)
        yaml_event_delete(&p->event);
    p->has_event = yaml_parser_parse(&p->parser, &p->event);
    if (p->has_event)
        return 0;
    problem = p->parser.problem ? p->parser.problem : "cannot be read";
    if (p->parser.error == YAML_READER_ERROR)
        return err_set(p->e, ERR_INVALID, "%s: byte %zu: %s", p->name, p->parser.problem_offset,
                       problem);
    return refuse(p, &p->parser.problem_mark, problem);
}

/* What no value may carry. */
static int check_value(struct pass *p, unsigned depth)
{
    const yaml_event_t *event = &p->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return refuse(p, &event->start_mark, "aliases are not supported");
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor, tag = event->data.scalar.tag;
        if (memchr(event->data.scalar.value, 0, event->data.scalar.length))
            return refuse(p, &event->start_mark, "a text holds a NUL byte");
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
        break;
    default:
        return refuse(p, &event->start_mark, "a value was expected");
    }
    if (anchor)
        return refuse(p, &event->start_mark, "anchors are not supported");
    if (tag)
        return refuse(p, &event->start_mark, "tags are not supported");
    if (depth > YAML_DEPTH_MAX)
        return refuse(p, &event->start_mark, "nested deeper than 64 levels");
    return 0;
}

static json_t *value_read(struct pass *p, unsigned depth);

static json_t *scalar_read(struct pass *p)
{
    const char *text = (const char *)p->event.data.scalar.value;
    size_t length = p->event.data.scalar.length;
    json_t *value;

    if (p->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        value = json_stringn(text, length);
    else
        value = yaml_scalar((struct str){ text, length });
    if (!value)
        (void)refuse(p, &p->event.start_mark, "neither text in UTF-8 nor a finite number");
    return value;
}

static json_t *sequence_read(struct pass *p, unsigned depth)
{
    AUTO_JSON json_t *list = json_array();

    for (;;) {
        json_t *item;

        if (advance(p) < 0)
            return NULL;
        if (p->event.type == YAML_SEQUENCE_END_EVENT)
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

    if (p->event.type != YAML_SCALAR_EVENT && p->event.type != YAML_ALIAS_EVENT)
        return refuse(p, &p->event.start_mark, "a key must be plain text");
    if (check_value(p, depth) < 0)
        return -1;
    key = mem_dup_n((const char *)p->event.data.scalar.value, p->event.data.scalar.length);
    if (json_object_get(map, key)) {
        AUTO_FREE char *what = mem_format("key \"%.100s\" is given twice", key);

        return refuse(p, &p->event.start_mark, what);
    }
    if (advance(p) < 0)
        return -1;
    value = value_read(p, depth + 1);
    if (!value)
        return -1;
    if (json_object_set_new(map, key, value) < 0)
        return refuse(p, &p->event.start_mark, "a key is not text in UTF-8");
    return 0;
}

static json_t *mapping_read(struct pass *p, unsigned depth)
{
    AUTO_JSON json_t *map = json_object();

    for (;;) {
        if (advance(p) < 0)
            return NULL;
        if (p->event.type == YAML_MAPPING_END_EVENT)
            return json_incref(map);
        if (member_read(p, map, depth) < 0)
            return NULL;
    }
}

/* The value that the current event begins. */
static json_t *value_read(struct pass *p, unsigned depth)
{
    if (check_value(p, depth) < 0)
        return NULL;
    if (p->event.type == YAML_SCALAR_EVENT)
        return scalar_read(p);
    return p->event.type == YAML_SEQUENCE_START_EVENT ? sequence_read(p, depth)
                                                      : mapping_read(p, depth);
}

/* "---" with nothing after it reads as an empty plain scalar. */
static bool is_empty_document(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.length == 0 &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static int document_read(struct pass *p)
{
    AUTO_JSON json_t *root = NULL;
    unsigned line;

    if (advance(p) < 0)
        return -1;
    line = line_of(&p->event.start_mark);
    if (is_empty_document(&p->event))
        return advance(p);
    root = value_read(p, 1);
    if (!root || p->take(p->context, root, line, p->e) < 0)
        return -1;
    return advance(p); /* its end */
}

static int documents_read(struct str bytes, const char *name, yaml_take_fn *take, void *context,
                          struct err *e)
{
    struct pass p;
    int result;

    if (pass_begin(&p, bytes, name, e) < 0)
        return -1;
    p.take = take;
    p.context = context;
    do {
        result = advance(&p);
        if (result == 0 && p.event.type == YAML_DOCUMENT_START_EVENT)
            result = document_read(&p);
    } while (result == 0 && p.event.type != YAML_STREAM_END_EVENT);
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

static bool too_deep(const json_t *value, unsigned depth)
{
    const char *key;
    json_t *member;
    size_t i;

    if (depth > YAML_DEPTH_MAX)
        return true;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key,
                            member) if (too_deep(member, depth + 1)) return true;
    }
    json_array_foreach(value, i, member) if (too_deep(member, depth + 1)) return true;
    return false;
}

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
    if (documents_read(strbuf_view(&s->bytes), name, stream_take, s, e) == 0)
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
    return is_json ? result : documents_read(bytes, name, take, context, e);
}

/* ---- lines, found by reading again ---- */

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
static int value_skip(struct pass *p)
{
    unsigned depth = 0;

    do {
        depth += opens(&p->event);
        depth -= closes(&p->event);
        if (depth == 0)
            return 0;
    } while (depth <= YAML_DEPTH_MAX && advance(p) == 0);
    return -1;
}

/* In a mapping: go to the value of 'token'. 1 found (and *line set), 0 not. */
static int member_find(struct pass *p, const char *token, unsigned *line)
{
    while (advance(p) == 0 && p->event.type == YAML_SCALAR_EVENT) {
        bool found = !strcmp((const char *)p->event.data.scalar.value, token);
        unsigned key_line = line_of(&p->event.start_mark);

        if (advance(p) < 0)
            return 0;
        if (found) {
            *line = key_line;
            return 1;
        }
        if (value_skip(p) < 0)
            return 0;
    }
    return 0;
}

static int item_find(struct pass *p, const char *token, unsigned *line)
{
    int64_t index;

    if (!str_to_int64(str_of(token), &index) || index < 0)
        return 0;
    for (int64_t i = 0; advance(p) == 0 && p->event.type != YAML_SEQUENCE_END_EVENT; i++) {
        if (i == index) {
            *line = line_of(&p->event.start_mark);
            return 1;
        }
        if (value_skip(p) < 0)
            return 0;
    }
    return 0;
}

static unsigned pointer_find(struct pass *p, const char *pointer, unsigned line)
{
    char token[512];

    while (token_next(&pointer, token, sizeof(token))) {
        int found = 0;

        if (p->event.type == YAML_MAPPING_START_EVENT)
            found = member_find(p, token, &line);
        else if (p->event.type == YAML_SEQUENCE_START_EVENT)
            found = item_find(p, token, &line);
        if (!found)
            break;
    }
    return line;
}

unsigned yaml_line_of(const struct yaml_stream *stream, size_t document, const char *pointer)
{
    return yaml_line_in(strbuf_view(&stream->bytes), yaml_line(stream, document), pointer);
}

unsigned yaml_line_in(struct str bytes, unsigned line, const char *pointer)
{
    struct pass p;
    struct err ignored;

    if (pass_begin(&p, bytes, "", &ignored) < 0)
        return line;
    while (advance(&p) == 0 && p.event.type != YAML_STREAM_END_EVENT) {
        /* The first value on the document's line is its root: empty documents have none. */
        if (p.event.type == YAML_DOCUMENT_START_EVENT && advance(&p) == 0 &&
            line_of(&p.event.start_mark) == line && !is_empty_document(&p.event)) {
            line = pointer_find(&p, pointer, line);
            break;
        }
    }
    pass_end(&p);
    return line;
}
