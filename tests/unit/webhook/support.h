/* support.h - what the tests of the room webhook/ share: a server on loopback, an HTTP client, raw
 * sockets, and files in a folder of their own. Everything here fails the test when it fails. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <sys/types.h>

#include "quota/base/err.h"
#include "quota/base/str.h"
#include "webhook/certificate_store.h"
#include "webhook/server.h"

#define NOW INT64_C(1767225600) /* 2026-01-01, for what takes the time as an argument */

/* One authority and one leaf for 127.0.0.1 and localhost, valid at the real present time. */
extern const struct certificate_names loopback_names;
struct certificate_store *loopback_store(void); /* made once per process */

int64_t wall_seconds(void);
int64_t steady_ms(void);
void sleep_ms(unsigned ms);

/* A server under test with its parts. */
struct rig {
    struct certificate_source *source; /* NULL: plain HTTP */
    struct route_table *routes;
    struct webhook_server *server;
};
/* Routes for tests, on every rig:
 *   POST /echo   the body comes back          GET /hello   "hello"
 *   POST /late   answers the deadline's rest in ms as text
 *   POST /review allows everything             GET /under/<star>  the path comes back
 *   POST /both and GET /both                      GET /peer   the client certificate, DER */
void rig_start(struct rig *rig, bool tls, struct webhook_server_options options);
void rig_stop(struct rig *rig);

/* What an HTTP client got. 'status' 0: no answer, 'problem' says why. */
struct reply {
    long status;
    struct strbuf body, headers;
    int problem; /* CURLcode */
};
struct call {
    const char *method, *path, *type; /* type NULL: application/json for POST */
    struct str body;
    const char *header; /* one more, or NULL */
    bool chunked, no_expect;
    const char *authority;                   /* PEM; NULL: the loopback store's bundle */
    long tls_version;                        /* CURL_SSLVERSION_*, 0: default */
    const struct certificate_pair *identity; /* the client's certificate, or NULL */
};
struct client; /* one keep-alive connection */
struct client *client_create(const struct rig *rig);
void client_destroy(struct client *client);
struct reply client_call(struct client *client, struct call call);
struct reply call_once(const struct rig *rig, struct call call);
void reply_finish(struct reply *reply);

/* A raw connection to the server, blocking, 10 s at most per operation. */
int raw_connect(const struct rig *rig);
void raw_send(int fd, const char *bytes, size_t length);
/* Read until the other side closes or 'limit' bytes are there; -1: nothing came for 'wait_ms'. */
ssize_t raw_read(int fd, char *buffer, size_t limit, int wait_ms);

char *folder_create(void); /* under TMPDIR; caller passes it to folder_remove */
void folder_remove(char *folder);
void folder_write(const char *folder, const char *name, const char *text);

/* A well-formed AdmissionReview of a Job creation with this uid; heap. */
char *review_text(const char *uid);
