/* route.h - which function answers which path.
 *
 * A table is filled by the rooms that have something to serve before a server starts with it, and
 * is immutable from then on: lookups need no lock. One table may feed several servers. Handlers run
 * on the server's threads, several at a time, and must answer from memory: no disk, no waiting, no
 * call to another server. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/base/str.h"

enum route_method {
    ROUTE_GET,  /* also answers HEAD, without the body */
    ROUTE_POST, /* wants a body of type application/json: 415 otherwise */
};

enum request_part { REQUEST_HEADER, REQUEST_QUERY };

/* One request, complete. Everything is borrowed until the handler returns. A test may fill one by
 * hand and leave 'find' NULL. */
struct request {
    enum route_method method;
    const char *path; /* unescaped, without the query; starts with '/' */
    struct str body;  /* empty for GET */
    int64_t deadline; /* CLOCK_MONOTONIC nanoseconds by which the answer is wanted, from
                             "?timeout=10s"; INT64_MAX when the client named none */
    struct str peer;  /* client certificate (DER) when the server asks for one and the client
                             sent one; NOT verified; else empty */
    const char *(*find)(void *source, enum request_part part, const char *name);
    void *source;
};

/* A header (name in any case) or a query parameter; NULL when absent, "" without a value. */
const char *request_header(const struct request *request, const char *name);
const char *request_query(const struct request *request, const char *name);

#define RESPONSE_HEADERS_MAX 4
struct response {
    unsigned status;          /* HTTP status; starts as 200 */
    const char *content_type; /* literal or in the arena; starts as "application/json" */
    struct strbuf body;       /* the server takes the bytes without a copy */
    struct {
        const char *name, *value; /* literals or in the arena */
    } headers[RESPONSE_HEADERS_MAX];
    unsigned header_count;
};

void response_init(struct response *response);
void response_finish(struct response *response);
/* Further response header; more than RESPONSE_HEADERS_MAX are dropped. */
void response_header(struct response *response, const char *name, const char *value);
/* Replace body, status and type by one line of plain text; the newline is added. */
void response_text(struct response *response, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Answer a request. 'response' is initialised; 'arena' lives as long as the request. */
typedef void route_function(void *context, const struct request *request, struct response *response,
                            struct arena *arena);

struct route_table;
struct route_table *route_table_create(void);
/* After the last server that uses it has stopped. NULL is fine. Contexts are not touched. */
void route_table_destroy(struct route_table *table);
/* Register a handler. 'path' is copied and starts with '/'; if it ends in "/" followed by "*", it
 * takes every path below that has no route of its own (the longest such prefix wins). One path may
 * have a GET and a POST handler. ERR_EXISTS: path and method are taken; ERR_INVALID: bad path. */
MUST_USE int route_add(struct route_table *table, enum route_method method, const char *path,
                       route_function *function, void *context, struct err *e);
/* Zeroed memory that lives as long as the table: for the contexts of adapters. */
void *route_table_alloc(struct route_table *table, size_t size) __attribute__((returns_nonnull));

struct route {
    const char *path; /* as registered: bounded in number, so fit for a metrics label */
    route_function *function;
    void *context;
};
enum route_match { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };
/* Find the handler. ROUTE_NO_METHOD: the path exists for the other method only. */
enum route_match route_find(const struct route_table *table, enum route_method method,
                            const char *path, struct route *route);
