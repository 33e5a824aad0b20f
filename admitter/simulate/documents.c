#include "admitter/simulate/documents.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admitter/objects/decode.h"
#include "quota/base/file.h"
#include "quota/base/json.h"
#include "quota/base/mem.h"

#define FILE_LIMIT ((size_t)2 << 30)

void simulate_documents_finish(struct simulate_documents *documents)
{
    for (size_t i = 0; i < documents->buffer_count; i++)
        strbuf_finish(&documents->buffers[i]);
    free(documents->buffers);
    free(documents->items);
    arena_finish(&documents->arena);
    *documents = (struct simulate_documents){ 0 };
}

/* ---- where an error stands ---- */

/* The field path at the head of a message, as a JSON pointer below 'prefix'. */
static char *pointer_of(const char *message, const char *prefix)
{
    struct strbuf pointer = { 0 };
    size_t length = strcspn(message, ": ");
    bool bracket = false, fresh = true;

    strbuf_puts(&pointer, prefix);
    for (size_t i = 0; i < length; i++) {
        char c = message[i];

        if ((c == '.' && !bracket) || c == '[' || (c == ']' && bracket)) {
            fresh = c != ']';
            bracket = c == '[';
            continue;
        }
        if (fresh || (i > 0 && message[i - 1] == ']'))
            strbuf_putc(&pointer, '/');
        fresh = false;
        if (c == '~' || c == '/')
            strbuf_puts(&pointer, c == '~' ? "~0" : "~1");
        else
            strbuf_putc(&pointer, c);
    }
    return strbuf_take(&pointer);
}

static unsigned document_line(const struct simulate_document *document, const char *message)
{
    AUTO_FREE char *prefix =
        document->item ? mem_format("/items/%u", document->item - 1) : mem_dup("");
    AUTO_FREE char *pointer = pointer_of(message, prefix);

    return document->source_line - 1 +
           yaml_line_in(document->source, document->line - document->source_line + 1, pointer);
}

int simulate_document_error(const struct simulate_document *document, struct err *e)
{
    unsigned line = e ? document_line(document, e->text) : 0;

    if (document->item)
        return err_wrap(e, "%s: document %u, item %u, line %u", document->file, document->number,
                        document->item, line);
    return err_wrap(e, "%s: document %u, line %u", document->file, document->number, line);
}

/* ---- objects ---- */

static int document_add(struct simulate_documents *documents, struct simulate_document document,
                        struct err *e)
{
    if (object_type_decode(document.json, &documents->arena, &document.api_version, &document.kind,
                           e) < 0)
        return simulate_document_error(&document, e);
    if (!*document.kind) {
        err_set(e, ERR_INVALID, "kind: expected the kind of the object, got nothing");
        return simulate_document_error(&document, e);
    }
    documents->items =
        mem_grow(documents->items, documents->count, &documents->capacity, sizeof(document));
    documents->items[documents->count++] = document;
    return 0;
}

static struct str tree_bytes(struct simulate_documents *documents, const json_t *tree)
{
    AUTO_STRBUF struct strbuf text = { 0 };

    yaml_json(tree, &text);
    return str_of(arena_dup(&documents->arena, strbuf_view(&text)));
}

static bool is_list(const json_t *tree)
{
    const char *kind = json_string_value(json_object_get(tree, "kind"));

    return kind && strcmp(kind, "List") == 0;
}

static int tree_add(struct simulate_documents *documents, struct simulate_document document,
                    const json_t *tree, struct err *e)
{
    const json_t *items = json_object_get(tree, "items"), *item;
    size_t i;

    if (!json_is_object(tree)) {
        err_set(e, ERR_INVALID, "expected an object");
        return simulate_document_error(&document, e);
    }
    if (!is_list(tree)) {
        document.json = tree_bytes(documents, tree);
        return document_add(documents, document, e);
    }
    if (items && !json_is_null(items) && !json_is_array(items)) {
        err_set(e, ERR_INVALID, "items: expected a list");
        return simulate_document_error(&document, e);
    }
    json_array_foreach(items, i, item) {
        document.item = (unsigned)i + 1;
        document.json = tree_bytes(documents, item);
        if (document_add(documents, document, e) < 0)
            return -1;
    }
    return 0;
}

struct yaml_reading {
    struct simulate_documents *documents;
    struct simulate_document document; /* the present one, but for its object */
};

static int yaml_take(void *context, const json_t *root, unsigned line, struct err *e)
{
    struct yaml_reading *reading = context;

    reading->document.number++;
    reading->document.line = line;
    return tree_add(reading->documents, reading->document, root, e);
}

static int yaml_add(struct simulate_documents *documents, const char *name, struct str bytes,
                    struct err *e)
{
    struct yaml_reading reading = { documents,
                                    { .file = name, .source = bytes, .source_line = 1 } };

    return yaml_each(bytes, name, yaml_take, &reading, e);
}

/* ---- JSON files: large inputs, read without building trees ---- */

static int json_list_add(struct simulate_documents *documents, struct simulate_document document,
                         struct err *e)
{
    struct json_reader reader;
    struct str key;

    json_open(&reader, document.json);
    if (!json_enter_object(&reader))
        return 0;
    while (json_member(&reader, &key)) {
        if (!str_is(key, "items") || json_peek(&reader) == JSON_KIND_NULL) {
            json_skip(&reader);
            continue;
        }
        if (json_peek(&reader) != JSON_KIND_ARRAY || !json_enter_array(&reader)) {
            err_set(e, ERR_INVALID, "items: expected a list");
            return simulate_document_error(&document, e);
        }
        while (json_item(&reader)) {
            struct simulate_document item = document;

            item.json = json_raw(&reader);
            item.item = ++document.item;
            if (document_add(documents, item, e) < 0)
                return -1;
        }
    }
    return json_failed(&reader, e) ? simulate_document_error(&document, e) : 0;
}

static int json_value_add(struct simulate_documents *documents, struct simulate_document document,
                          struct err *e)
{
    if (document_add(documents, document, e) < 0)
        return -1;
    if (strcmp(documents->items[documents->count - 1].kind, "List") != 0)
        return 0;
    documents->count--;
    return json_list_add(documents, document, e);
}

static unsigned lines_in(const char *text, size_t length)
{
    unsigned lines = 0;

    for (size_t i = 0; text && i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

/* What follows a value: white space, and the lines "---" that part documents of YAML. */
static struct str gap_skip(struct str text)
{
    text = str_trim(text);
    while (str_starts(text, "---") && (text.length == 3 || strchr("\r\n", text.text[3])))
        text = str_trim((struct str){ text.text + 3, text.length - 3 });
    return text;
}

static int json_add(struct simulate_documents *documents, const char *name, struct str bytes,
                    struct err *e)
{
    struct simulate_document document = { .file = name, .line = 1 };
    struct str rest = bytes;
    const char *counted = bytes.text; /* lines before it are in document.line */

    while ((rest = gap_skip(rest)).length > 0) {
        struct json_scanner scanner;
        bool done = false;

        json_scanner_init(&scanner);
        document.line += lines_in(counted, (size_t)(rest.text - counted));
        counted = rest.text;
        document.number++;
        document.json = (struct str){ rest.text, json_scan(&scanner, rest, &done) };
        document.source = document.json;
        document.source_line = document.line;
        if (!done && !scanner.scalar) {
            err_set(e, ERR_INVALID, "the JSON value does not end");
            return simulate_document_error(&document, e);
        }
        if (json_value_add(documents, document, e) < 0)
            return -1;
        rest.text += document.json.length;
        rest.length -= document.json.length;
    }
    return 0;
}

/* Keys of JSON are in quotes; YAML may begin with a brace too, but hardly with such a key. */
static bool looks_like_json(struct str bytes)
{
    struct str text = gap_skip(bytes);

    if (text.length < 2 || *text.text != '{')
        return false;
    text = str_trim((struct str){ text.text + 1, text.length - 1 });
    return text.length && (*text.text == '"' || *text.text == '}');
}

int simulate_documents_parse(struct simulate_documents *documents, const char *name,
                             struct str bytes, struct err *e)
{
    size_t before = documents->count;

    if (!looks_like_json(bytes))
        return yaml_add(documents, name, bytes, e);
    if (json_add(documents, name, bytes, e) == 0)
        return 0;
    documents->count = before;
    if (yaml_add(documents, name, bytes, NULL) == 0) { /* only its beginning was JSON */
        err_clear(e);
        return 0;
    }
    documents->count = before;
    return -1;
}

/* ---- files and folders ---- */

static int stdin_read(struct strbuf *out, struct err *e)
{
    char piece[65536];
    ssize_t got;

    while ((got = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(e, ERR_IO, "standard input: %s", strerror(errno));
        if (out->length + (size_t)got > FILE_LIMIT)
            return err_set(e, ERR_INVALID, "standard input: larger than %zu bytes", FILE_LIMIT);
        strbuf_str(out, (struct str){ piece, (size_t)got });
    }
    return 0;
}

static int file_add(struct simulate_documents *documents, const char *path, struct err *e)
{
    const char *name = arena_strdup(&documents->arena, path);
    struct strbuf *bytes;

    documents->buffers = mem_grow(documents->buffers, documents->buffer_count,
                                  &documents->buffer_capacity, sizeof(struct strbuf));
    bytes = &documents->buffers[documents->buffer_count++];
    *bytes = (struct strbuf){ 0 };
    if ((strcmp(path, "-") == 0 ? stdin_read(bytes, e) : file_read(path, FILE_LIMIT, bytes, e)) < 0)
        return -1;
    return simulate_documents_parse(documents, name, strbuf_view(bytes), e);
}

struct path_list {
    char **items;
    size_t count, capacity;
};

static bool is_manifest(const char *name)
{
    struct str s = str_of(name);

    return str_ends(s, ".yaml") || str_ends(s, ".yml") || str_ends(s, ".json");
}

static int folder_collect(const char *path, struct path_list *found, struct err *e);

static int entry_collect(const char *path, const char *name, struct path_list *found, struct err *e)
{
    AUTO_FREE char *full = mem_format("%s/%s", path, name);
    struct stat about;

    if (stat(full, &about) < 0)
        return err_set(e, ERR_IO, "%s: %s", full, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return folder_collect(full, found, e);
    if (!is_manifest(name))
        return 0;
    found->items = mem_grow(found->items, found->count, &found->capacity, sizeof(char *));
    found->items[found->count++] = mem_dup(full);
    return 0;
}

static int folder_collect(const char *path, struct path_list *found, struct err *e)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int result = 0;

    if (!folder)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    while (result == 0 && (entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            result = entry_collect(path, entry->d_name, found, e);
    closedir(folder);
    return result;
}

static int path_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int folder_add(struct simulate_documents *documents, const char *path, struct err *e)
{
    struct path_list found = { 0 };
    int result = folder_collect(path, &found, e);

    if (found.count)
        qsort(found.items, found.count, sizeof(char *), path_order);
    for (size_t i = 0; i < found.count; i++) {
        if (result == 0)
            result = file_add(documents, found.items[i], e);
        free(found.items[i]);
    }
    free(found.items);
    return result;
}

int simulate_documents_read(struct simulate_documents *documents, const char *path, struct err *e)
{
    struct stat about;

    if (strcmp(path, "-") == 0)
        return file_add(documents, path, e);
    if (stat(path, &about) < 0)
        return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    return S_ISDIR(about.st_mode) ? folder_add(documents, path, e) : file_add(documents, path, e);
}
