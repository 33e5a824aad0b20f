#include "webhook/patch.h"

#include <string.h>

#include <jansson.h>

#include "quota/base/mem.h"

static void operation_begin(struct patch *patch, const char *name, struct str path)
{
    strbuf_puts(&patch->text, patch->count++ ? ",{\"op\":\"" : "[{\"op\":\"");
    strbuf_puts(&patch->text, name);
    strbuf_puts(&patch->text, "\",\"path\":");
    strbuf_json(&patch->text, path);
}

struct str patch_end(struct patch *patch, struct arena *arena)
{
    struct str text = { NULL, 0 };

    if (patch->count) {
        strbuf_putc(&patch->text, ']');
        text.length = patch->text.length;
        text.text = arena_dup(arena, strbuf_view(&patch->text));
    }
    strbuf_finish(&patch->text);
    patch->count = 0;
    return text;
}

/* One reference token: RFC 6901, section 3. */
static void path_escape(struct strbuf *out, struct str name)
{
    strbuf_putc(out, '/');
    for (size_t i = 0; i < name.length; i++) {
        if (name.text[i] == '~')
            strbuf_puts(out, "~0");
        else if (name.text[i] == '/')
            strbuf_puts(out, "~1");
        else
            strbuf_putc(out, name.text[i]);
    }
}

/* The walk: 'path' grows and shrinks as it goes down and up. */
struct difference {
    struct patch *patch;
    struct strbuf path;
};

static void path_cut(struct strbuf *path, size_t length)
{
    path->length = length;
    if (path->text)
        path->text[length] = '\0';
}

static int dump_piece(const char *bytes, size_t length, void *out)
{
    strbuf_add(out, bytes, length);
    return 0;
}

static void operation_tree(struct difference *d, const char *name, const json_t *value)
{
    operation_begin(d->patch, name, strbuf_view(&d->path));
    if (value) {
        strbuf_puts(&d->patch->text, ",\"value\":");
        json_dump_callback(value, dump_piece, &d->patch->text, JSON_COMPACT | JSON_ENCODE_ANY);
    }
    strbuf_putc(&d->patch->text, '}');
}

static void compare(struct difference *d, const json_t *from, const json_t *to);

static void compare_objects(struct difference *d, const json_t *from, const json_t *to)
{
    size_t length = d->path.length;
    const char *key;
    const json_t *value, *other;

    /* jansson's iteration macros want a mutable object, though they change nothing. */
    json_object_foreach((json_t *)(uintptr_t)from, key, value) {
        path_escape(&d->path, str_of(key));
        other = json_object_get(to, key);
        if (other)
            compare(d, value, other);
        else
            operation_tree(d, "remove", NULL);
        path_cut(&d->path, length);
    }
    json_object_foreach((json_t *)(uintptr_t)to, key, value) {
        if (json_object_get(from, key))
            continue;
        path_escape(&d->path, str_of(key));
        operation_tree(d, "add", value);
        path_cut(&d->path, length);
    }
}

static void path_index(struct difference *d, size_t index)
{
    strbuf_printf(&d->path, "/%zu", index);
}

/* Between the common ends: items at the same place are compared, the rest is removed from the back
 * or added in order. */
static void compare_middle(struct difference *d, const json_t *from, const json_t *to, size_t begin,
                           size_t from_end, size_t to_end)
{
    size_t length = d->path.length, both = from_end < to_end ? from_end : to_end;

    for (size_t i = begin; i < both; i++) {
        path_index(d, i);
        compare(d, json_array_get(from, i), json_array_get(to, i));
        path_cut(&d->path, length);
    }
    for (size_t i = from_end; i > both; i--) {
        path_index(d, i - 1);
        operation_tree(d, "remove", NULL);
        path_cut(&d->path, length);
    }
    for (size_t i = both; i < to_end; i++) {
        path_index(d, i);
        operation_tree(d, "add", json_array_get(to, i));
        path_cut(&d->path, length);
    }
}

static void compare_arrays(struct difference *d, const json_t *from, const json_t *to)
{
    size_t begin = 0, from_end = json_array_size(from), to_end = json_array_size(to);

    while (begin < from_end && begin < to_end &&
           json_equal(json_array_get(from, begin), json_array_get(to, begin)))
        begin++;
    while (from_end > begin && to_end > begin &&
           json_equal(json_array_get(from, from_end - 1), json_array_get(to, to_end - 1))) {
        from_end--;
        to_end--;
    }
    compare_middle(d, from, to, begin, from_end, to_end);
}

static void compare(struct difference *d, const json_t *from, const json_t *to)
{
    if (json_is_object(from) && json_is_object(to))
        compare_objects(d, from, to);
    else if (json_is_array(from) && json_is_array(to))
        compare_arrays(d, from, to);
    else if (!json_equal(from, to))
        operation_tree(d, "replace", to);
}

void patch_difference(struct patch *patch, const json_t *from, const json_t *to)
{
    struct difference d = { .patch = patch, .path = STRBUF_INIT };

    compare(&d, from, to);
    strbuf_finish(&d.path);
}
