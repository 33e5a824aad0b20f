#include "quota/base/err.h"

#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list args;

    if (!e)
        return -1;
    e->code = code;
    va_start(args, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, args);
    va_end(args);
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char old[sizeof(e->text)];
    va_list args;
    int length, room;

    if (!e)
        return -1;
    memcpy(old, e->text, sizeof(old));
    va_start(args, fmt);
    length = vsnprintf(e->text, sizeof(e->text), fmt, args);
    va_end(args);
    room = (int)sizeof(e->text) - length - 3; /* ": " and NUL */
    if (length >= 0 && room >= 0)
        snprintf(e->text + length, sizeof(e->text) - (size_t)length, ": %.*s", room, old);
    return -1;
}

void err_clear(struct err *e)
{
    if (!e)
        return;
    e->code = ERR_NONE;
    e->text[0] = '\0';
}

const char *err_name(enum err_code code)
{
    switch (code) {
    case ERR_NONE:
        return "none";
    case ERR_NOMEM:
        return "out-of-memory";
    case ERR_INVALID:
        return "invalid";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_GONE:
        return "gone";
    case ERR_IO:
        return "io";
    case ERR_NOT_FOUND:
        return "not-found";
    case ERR_EXISTS:
        return "exists";
    case ERR_FORBIDDEN:
        return "forbidden";
    case ERR_BUSY:
        return "busy";
    }
    return "unknown";
}
