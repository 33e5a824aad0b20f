/* yaml.h - YAML text as jansson trees, with the line each value stands on.
 *
 * For kubeconfig files, the configuration file and manifests. Plain scalars get the type that
 * Kubernetes' own tools give them (null, booleans with yes/no/on/off, integers, decimals; quoted
 * text is text). An alias stands for the value of its anchor, which the tree then holds twice: do
 * not change trees in place. Refused, naming line and column: tags, repeated keys, keys that are
 * not scalars, nesting deeper than 64, aliases that stand for more than a million values, NUL
 * bytes, infinities. JSON is YAML, so JSON files are read too. Pure; any thread, one at a time per
 * stream. */
#pragma once

#include <jansson.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

#define YAML_DEPTH_MAX 64
#define YAML_EXPANSION_MAX 1000000

struct yaml_stream;

/* All documents of 'bytes'; empty ones ("---" after "---", comments only) are left out. 'name' is
 * put into messages ("jobs.yaml"). NULL and ERR_INVALID: "<name>: line 3, column 7: <what>". */
struct yaml_stream *yaml_load(struct str bytes, const char *name, struct err *e);
/* The same from a file of at most 'limit' bytes; ERR_NOT_FOUND and ERR_IO as file_read. */
struct yaml_stream *yaml_load_file(const char *path, size_t limit, struct err *e);
void yaml_destroy(struct yaml_stream *stream); /* NULL is fine */

size_t yaml_count(const struct yaml_stream *stream);
/* Borrowed: lives as long as the stream, or longer with json_incref. */
json_t *yaml_root(const struct yaml_stream *stream, size_t document);
/* The 1-based line on which the document's value begins. */
unsigned yaml_line(const struct yaml_stream *stream, size_t document);
/* The 1-based line of the value an RFC 6901 pointer names ("" is the root, "/spec/a~1b/0"); for an
 * object's member the line of its key. When the member is absent: the line of its nearest parent
 * that exists, so that "required" errors have a place too. Never 0. */
unsigned yaml_line_of(const struct yaml_stream *stream, size_t document, const char *pointer);

/* Large manifests: each document in turn is handed to 'take' and then released, so that memory
 * holds one at a time. 'root' is borrowed; 'line' as yaml_line. 'take' ends the reading with -1 and
 * *e. Nothing is taken back when a later document turns out to be broken. Errors as yaml_load, with
 * the number of the document (empty ones do not count) before the line. */
typedef int yaml_take_fn(void *context, const json_t *root, unsigned line, struct err *e);
MUST_USE int yaml_each(struct str bytes, const char *name, yaml_take_fn *take, void *context,
                       struct err *e);
/* yaml_line_of for the document of 'bytes' that begins on 'line'. */
unsigned yaml_line_in(struct str bytes, unsigned line, const char *pointer);

/* Append a tree as compact JSON. Unlike json_dumps it prints decimals in their shortest exact form
 * (0.1, not 0.10000000000000001), so that quantities written as numbers survive. */
void yaml_json(const json_t *value, struct strbuf *out);

static inline void auto_yaml_(struct yaml_stream **stream)
{
    yaml_destroy(*stream);
}
#define AUTO_YAML __attribute__((cleanup(auto_yaml_)))

#ifndef AUTO_JSON
static inline void auto_json_(json_t **value)
{
    json_decref(*value);
}
#define AUTO_JSON __attribute__((cleanup(auto_json_)))
#endif
