#include "webhook/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "quota/base/map.h"
#include "quota/base/mem.h"

struct route_entry {
    const char *path; /* as registered */
    size_t prefix;    /* length of what is before the star; 0: an exact path */
    struct route_entry *next_prefix;
    struct {
        route_function *function;
        void *context;
    } handlers[2]; /* by enum route_method */
};

struct route_table {
    struct arena arena;
    struct map *entries;          /* by registered path */
    struct route_entry *prefixes; /* longest first */
    size_t count;
};

const char *request_header(const struct request *request, const char *name)
{
    return request->find ? request->find(request->source, REQUEST_HEADER, name) : NULL;
}

const char *request_query(const struct request *request, const char *name)
{
    return request->find ? request->find(request->source, REQUEST_QUERY, name) : NULL;
}

void response_init(struct response *response)
{
    *response = (struct response){ .status = 200, .content_type = "application/json" };
}

void response_finish(struct response *response)
{
    strbuf_finish(&response->body);
}

void response_header(struct response *response, const char *name, const char *value)
{
    if (response->header_count == RESPONSE_HEADERS_MAX)
        return;
    response->headers[response->header_count].name = name;
    response->headers[response->header_count].value = value;
    response->header_count++;
}

void response_text(struct response *response, unsigned status, const char *fmt, ...)
{
    char line[1024];
    va_list arguments;

    va_start(arguments, fmt);
    vsnprintf(line, sizeof(line), fmt, arguments);
    va_end(arguments);
    response->status = status;
    response->content_type = "text/plain; charset=utf-8";
    strbuf_reset(&response->body);
    strbuf_puts(&response->body, line);
    strbuf_putc(&response->body, '\n');
}

struct route_table *route_table_create(void)
{
    struct route_table *table = mem_alloc(sizeof(*table));

    arena_init(&table->arena);
    table->entries = map_create();
    return table;
}

void route_table_destroy(struct route_table *table)
{
    if (!table)
        return;
    map_destroy(table->entries);
    arena_finish(&table->arena);
    free(table);
}

void *route_table_alloc(struct route_table *table, size_t size)
{
    return arena_alloc(&table->arena, size);
}

/* Keep the longest prefixes in front, so that the first match is the best one. */
static void prefix_insert(struct route_table *table, struct route_entry *entry)
{
    struct route_entry **at = &table->prefixes;

    while (*at && (*at)->prefix >= entry->prefix)
        at = &(*at)->next_prefix;
    entry->next_prefix = *at;
    *at = entry;
}

static struct route_entry *entry_create(struct route_table *table, struct str path)
{
    struct route_entry *entry = ARENA_NEW(&table->arena, struct route_entry);

    entry->path = arena_dup(&table->arena, path);
    map_put(table->entries, path, entry);
    if (str_ends(path, "/*")) {
        entry->prefix = path.length - 1;
        prefix_insert(table, entry);
    }
    return entry;
}

int route_add(struct route_table *table, enum route_method method, const char *path,
              route_function *function, void *context, struct err *e)
{
    struct str key = str_of(path);
    struct route_entry *entry;

    if (!str_starts(key, "/") || strcspn(path, "?# ") != key.length)
        return err_set(e, ERR_INVALID, "route \"%s\": not an absolute path", path ? path : "");
    entry = map_get(table->entries, key);
    if (!entry)
        entry = entry_create(table, key);
    if (entry->handlers[method].function)
        return err_set(e, ERR_EXISTS, "route \"%s\": registered twice", path);
    entry->handlers[method].function = function;
    entry->handlers[method].context = context;
    table->count++;
    return 0;
}

static const struct route_entry *entry_find(const struct route_table *table, struct str path)
{
    const struct route_entry *entry = map_get(table->entries, path);

    if (entry && !entry->prefix)
        return entry;
    for (entry = table->prefixes; entry; entry = entry->next_prefix)
        if (path.length >= entry->prefix && memcmp(path.text, entry->path, entry->prefix) == 0)
            return entry;
    return NULL;
}

enum route_match route_find(const struct route_table *table, enum route_method method,
                            const char *path, struct route *route)
{
    const struct route_entry *entry = entry_find(table, str_of(path));

    *route = (struct route){ .path = "" };
    if (!entry)
        return ROUTE_NO_PATH;
    route->path = entry->path;
    if (!entry->handlers[method].function)
        return ROUTE_NO_METHOD;
    route->function = entry->handlers[method].function;
    route->context = entry->handlers[method].context;
    return ROUTE_FOUND;
}
