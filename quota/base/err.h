/* err.h - one fixed-size box for what went wrong.
 *
 * The caller owns the box and may pass NULL when it does not care. Set once where the error
 * happens, wrap on the way up, log once at the top. No allocation on the error path. Any thread. */
#pragma once

#include <stdarg.h>

#define MUST_USE __attribute__((warn_unused_result))

enum err_code {
    ERR_NONE,
    ERR_NOMEM,    /* out of memory */
    ERR_INVALID,  /* the input is wrong; retrying the same input cannot help */
    ERR_CONFLICT, /* somebody else changed it first, or a queue is full: read again, decide again */
    ERR_GONE,     /* a resource version is too old: list again (HTTP 410) */
    ERR_IO,       /* disk, socket or protocol failure: may work later */
    ERR_NOT_FOUND, /* the named thing does not exist (HTTP 404) */
    ERR_EXISTS,    /* the named thing exists already (HTTP 409 AlreadyExists) */
    ERR_FORBIDDEN, /* the other side refused for good (HTTP 401, 403, 422 and the like) */
    ERR_BUSY,      /* the other side asks to wait (HTTP 429, 503), or a deadline passed */
};

struct err {
    enum err_code code;
    char text[512]; /* one line for people, cut when longer */
};

/* Fill the box. Always returns -1, so that a call site is one `return`. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "<context>: " in front of the text already there. Always returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Forget an error that was handled. */
void err_clear(struct err *e);

/* Short stable name of a code for logs and metrics, for example "conflict". */
const char *err_name(enum err_code code);
