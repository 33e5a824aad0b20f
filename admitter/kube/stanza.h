/* stanza.h - clusters, users and contexts of kubeconfig files, and their fields.
 *
 * All give 0, or -1 and ERR_INVALID naming file, stanza, field and what is wrong. Texts given out
 * are heap, the caller's; a field that is absent, null or empty leaves *out as it is. Pure. */
#pragma once

#include <stdbool.h>
#include "admitter/kube/yaml.h"
#include "quota/base/err.h"
#include "quota/base/str.h"

#define FILES_MAX 16

/* One kubeconfig as read. */
struct part {
    struct yaml_stream *stream;
    json_t *root; /* borrowed from 'stream' */
    const char *name;
    char *folder; /* NULL: no files */
};

struct reading {
    struct part parts[FILES_MAX];
    size_t count;
    struct err *e;
};

/* A stanza (cluster, user or context) and the file it came from. */
struct stanza {
    const struct part *part;
    json_t *fields;
    const char *list; /* "clusters" */
    const char *kind; /* "cluster" */
    const char *name;
};

/* Always -1. */
int stanza_wrong(const struct stanza *s, struct err *e, const char *field, const char *what);
/* The stanza of that name; the first file that has one wins. */
MUST_USE int stanza_find(const struct reading *r, const char *list, const char *kind,
                         const char *name, struct stanza *out);
MUST_USE int stanza_text(const struct stanza *s, const char *field, char **out, struct err *e);
MUST_USE int stanza_bool(const struct stanza *s, const char *field, bool *out, struct err *e);
/* A base64 field holding PEM text, decoded. */
MUST_USE int stanza_data(const struct stanza *s, const char *field, char **out, struct err *e);
/* A file name; relative ones count from the folder of the kubeconfig. */
MUST_USE int stanza_path(const struct stanza *s, const char *field, char **out, struct err *e);
