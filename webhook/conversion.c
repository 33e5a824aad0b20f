#include "webhook/conversion.h"

#include <string.h>

#include "quota/base/json.h"
#include "quota/base/map.h"
#include "quota/base/mem.h"

struct conversion_kind {
    conversion_function *function;
    void *context;
};

struct conversion_table {
    struct arena arena;
    struct map *kinds; /* "<group>/<kind>" -> struct conversion_kind */
};

struct conversion_table *conversion_table_create(void)
{
    struct conversion_table *table = mem_alloc(sizeof(*table));

    arena_init(&table->arena);
    table->kinds = map_create();
    return table;
}

void conversion_table_destroy(struct conversion_table *table)
{
    if (!table)
        return;
    map_destroy(table->kinds);
    arena_finish(&table->arena);
    free(table);
}

int conversion_add(struct conversion_table *table, const char *group, const char *kind,
                   conversion_function *function, void *context, struct err *e)
{
    struct str key = str_of(arena_format(&table->arena, "%s/%s", group, kind));
    struct conversion_kind *entry = ARENA_NEW(&table->arena, struct conversion_kind);

    if (map_get(table->kinds, key))
        return err_set(e, ERR_EXISTS, "conversion of %s in %s: registered twice", kind, group);
    entry->function = function;
    entry->context = context;
    map_put(table->kinds, key, entry);
    return 0;
}

/* -- the envelope -- */

struct conversion {
    char *kind, *api_version; /* of the envelope */
    bool request;
    char *uid, *desired;
    bool objects;      /* "objects" was there and an array */
    struct str *items; /* raw, in order; heap */
    size_t count, capacity;
};

static void read_objects(struct json_reader *r, struct conversion *conversion)
{
    conversion->objects = json_peek(r) == JSON_KIND_ARRAY;
    conversion->count = 0;
    if (!json_enter_array(r))
        return;
    while (json_item(r)) {
        conversion->items = mem_grow(conversion->items, conversion->count, &conversion->capacity,
                                     sizeof(*conversion->items));
        conversion->items[conversion->count++] = json_raw(r);
    }
}

static void read_request(struct json_reader *r, struct conversion *conversion, struct arena *arena)
{
    struct str key;

    conversion->request = json_peek(r) == JSON_KIND_OBJECT;
    if (!json_enter_object(r))
        return;
    while (json_member(r, &key)) {
        if (str_is(key, "uid"))
            conversion->uid = json_text(r, arena);
        else if (str_is(key, "desiredAPIVersion"))
            conversion->desired = json_text(r, arena);
        else if (str_is(key, "objects"))
            read_objects(r, conversion);
        else
            json_skip(r);
    }
}

static int check_envelope(const struct conversion *conversion, struct err *e)
{
    const char *kind = conversion->kind ? conversion->kind : "";
    const char *version = conversion->api_version ? conversion->api_version : "";

    if (strcmp(kind, "ConversionReview") != 0)
        return err_set(e, ERR_INVALID, "conversion: kind is \"%s\", expected \"ConversionReview\"",
                       kind);
    if (strcmp(version, "apiextensions.k8s.io/v1") != 0)
        return err_set(e, ERR_INVALID,
                       "conversion: apiVersion is \"%s\", expected \"apiextensions.k8s.io/v1\"",
                       version);
    if (!conversion->request)
        return err_set(e, ERR_INVALID, "conversion: request is missing or not an object");
    if (!conversion->uid || !*conversion->uid)
        return err_set(e, ERR_INVALID, "conversion: request.uid is missing or not a string");
    if (!conversion->desired || !*conversion->desired)
        return err_set(e, ERR_INVALID,
                       "conversion: request.desiredAPIVersion is missing or not a string");
    if (!conversion->objects)
        return err_set(e, ERR_INVALID, "conversion: request.objects is missing or not an array");
    return 0;
}

static int conversion_parse(struct str body, struct conversion *conversion, struct arena *arena,
                            struct err *e)
{
    struct json_reader r;
    struct str key;

    json_open(&r, body);
    if (json_enter_object(&r)) {
        while (json_member(&r, &key)) {
            if (str_is(key, "apiVersion"))
                conversion->api_version = json_text(&r, arena);
            else if (str_is(key, "kind"))
                conversion->kind = json_text(&r, arena);
            else if (str_is(key, "request"))
                read_request(&r, conversion, arena);
            else
                json_skip(&r);
        }
    }
    json_end(&r);
    if (json_failed(&r, e))
        return err_wrap(e, "conversion");
    return check_envelope(conversion, e);
}

/* -- one object -- */

struct conversion_head {
    const char *api_version, *kind, *name, *namespace_name; /* "" when absent */
};

static const char *text_or_empty(struct json_reader *r, struct arena *arena)
{
    const char *text = json_text(r, arena);

    return text ? text : "";
}

static void read_metadata(struct json_reader *r, struct conversion_head *head, struct arena *arena)
{
    struct str key;

    if (!json_enter_object(r))
        return;
    while (json_member(r, &key)) {
        if (str_is(key, "name"))
            head->name = text_or_empty(r, arena);
        else if (str_is(key, "namespace"))
            head->namespace_name = text_or_empty(r, arena);
        else
            json_skip(r);
    }
}

static struct conversion_head read_head(struct str object, struct arena *arena)
{
    struct conversion_head head = { "", "", "", "" };
    struct json_reader r;
    struct str key;

    json_open(&r, object);
    if (!json_enter_object(&r))
        return head;
    while (json_member(&r, &key)) {
        if (str_is(key, "apiVersion"))
            head.api_version = text_or_empty(&r, arena);
        else if (str_is(key, "kind"))
            head.kind = text_or_empty(&r, arena);
        else if (str_is(key, "metadata"))
            read_metadata(&r, &head, arena);
        else
            json_skip(&r);
    }
    return head;
}

/* "group/version" in two; the core group has no slash. */
static void version_split(const char *text, struct str *group, struct str *version)
{
    if (str_cut(str_of(text), '/', group, version))
        return;
    *version = *group;
    *group = STR("");
}

static int convert(const struct conversion_table *table, struct str object,
                   const struct conversion_head *head, const char *desired, struct strbuf *out,
                   struct arena *arena, struct err *e)
{
    struct str group, from, desired_group, to;
    const struct conversion_kind *kind;

    version_split(head->api_version, &group, &from);
    version_split(desired, &desired_group, &to);
    if (!*head->api_version || !*head->kind)
        return err_set(e, ERR_INVALID, "apiVersion or kind is missing");
    if (!str_equal(group, desired_group))
        return err_set(e, ERR_INVALID, "cannot convert from %s to another group, %s",
                       head->api_version, desired);
    kind =
        map_get(table->kinds, str_of(arena_format(arena, "%.*s/%s", STR_ARGS(group), head->kind)));
    if (!kind)
        return err_set(e, ERR_INVALID, "no conversion is known for this kind");
    return kind->function(kind->context, object, arena_dup(arena, from), arena_dup(arena, to), out,
                          arena, e);
}

static int convert_one(const struct conversion_table *table, struct str object, const char *desired,
                       struct strbuf *out, struct arena *arena, struct err *e)
{
    struct conversion_head head = read_head(object, arena);

    if (*head.kind && strcmp(head.api_version, desired) == 0) {
        strbuf_str(out, object);
        return 0;
    }
    if (convert(table, object, &head, desired, out, arena, e) == 0)
        return 0;
    if (*head.namespace_name)
        return err_wrap(e, "%s %s/%s", head.kind, head.namespace_name, head.name);
    return err_wrap(e, "%s %s", *head.kind ? head.kind : "object", head.name);
}

/* -- the answer -- */

static void answer_begin(const struct conversion *conversion, struct strbuf *out)
{
    strbuf_puts(out, "{\"kind\":\"ConversionReview\",\"apiVersion\":\"apiextensions.k8s.io/v1\"");
    strbuf_puts(out, ",\"response\":{\"uid\":");
    strbuf_json(out, str_of(conversion->uid));
}

static int convert_all(const struct conversion_table *table, const struct conversion *conversion,
                       struct strbuf *out, struct arena *arena, struct err *e)
{
    answer_begin(conversion, out);
    strbuf_puts(out, ",\"convertedObjects\":[");
    for (size_t i = 0; i < conversion->count; i++) {
        if (i)
            strbuf_putc(out, ',');
        if (convert_one(table, conversion->items[i], conversion->desired, out, arena, e) < 0)
            return -1;
    }
    strbuf_puts(out, "],\"result\":{\"metadata\":{},\"status\":\"Success\"}}}");
    return 0;
}

static void answer_failure(const struct conversion *conversion, const struct err *e,
                           struct strbuf *out)
{
    answer_begin(conversion, out);
    strbuf_puts(out, ",\"convertedObjects\":[],\"result\":{\"metadata\":{},"
                     "\"status\":\"Failure\",\"message\":");
    strbuf_json(out, str_of(e->text));
    strbuf_puts(out, "}}}");
}

int conversion_answer(const struct conversion_table *table, struct str body, struct strbuf *out,
                      struct arena *arena, struct err *e)
{
    struct conversion conversion = { 0 };
    size_t start = out->length;
    struct err failure = { 0 };
    int result = conversion_parse(body, &conversion, arena, e);

    if (result == 0 && convert_all(table, &conversion, out, arena, &failure) < 0) {
        out->length = start; /* what was converted before the failure is not sent */
        answer_failure(&conversion, &failure, out);
    }
    free(conversion.items);
    return result;
}

/* Routes hand their context out as mutable; the table does not change once servers run. */
struct conversion_route {
    const struct conversion_table *table;
};

static void conversion_route_serve(void *context, const struct request *request,
                                   struct response *response, struct arena *arena)
{
    const struct conversion_route *route = context;
    struct err e = { 0 };

    if (conversion_answer(route->table, request->body, &response->body, arena, &e) < 0)
        response_text(response, 400, "%s", e.text);
}

int conversion_route_add(struct route_table *routes, const char *path,
                         const struct conversion_table *table, struct err *e)
{
    struct conversion_route *route = route_table_alloc(routes, sizeof(*route));

    route->table = table;
    return route_add(routes, ROUTE_POST, path, conversion_route_serve, route, e);
}
