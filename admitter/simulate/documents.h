/* documents.h - manifests cut into objects, each knowing where it came from.
 *
 * YAML files of several documents, JSON files of several values, folders and standard input; lists
 * are taken apart. Rules: spec/simulate.md "Call" and "Input". Pure but for reading files; one
 * thread. */
#pragma once

#include "admitter/kube/yaml.h"
#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/base/str.h"

struct simulate_document {
    struct str json;         /* one object */
    const char *file;        /* as named on the command line, "-" for standard input */
    unsigned number;         /* of the document in its file, from 1 */
    unsigned item;           /* of the list in that document, from 1; 0: no list */
    const char *api_version; /* "" when absent */
    const char *kind;
    unsigned line;        /* on which the document begins */
    struct str source;    /* text around it, to find the lines of its fields again */
    unsigned source_line; /* of the file, on which 'source' begins */
};

struct simulate_documents {
    struct simulate_document *items;
    size_t count, capacity;
    struct arena arena;
    struct strbuf *buffers; /* whole files */
    size_t buffer_count, buffer_capacity;
};

void simulate_documents_finish(struct simulate_documents *documents);

/* Add what lies at 'path': a file, "-", or a folder (every .yaml, .yml and .json below it, sorted
 * by path). ERR_INVALID: "FILE: document 2, line 7: ..."; ERR_NOT_FOUND and ERR_IO name the
 * path. */
MUST_USE int simulate_documents_read(struct simulate_documents *documents, const char *path,
                                     struct err *e);
/* Add the documents of a text that stands in for a file called 'name'. The bytes must stay. */
MUST_USE int simulate_documents_parse(struct simulate_documents *documents, const char *name,
                                      struct str bytes, struct err *e);

/* Put file, document and line in front of what a decoder said about this object. Always -1. A text
 * that begins with a field path ("spec.podSets[0].count: ...") is given that field's line. */
int simulate_document_error(const struct simulate_document *document, struct err *e);
