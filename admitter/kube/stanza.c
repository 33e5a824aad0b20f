#include "admitter/kube/stanza.h"

#include "quota/base/base64.h"
#include "quota/base/mem.h"

int stanza_wrong(const struct stanza *s, struct err *e, const char *field, const char *what)
{
    return err_set(e, ERR_INVALID, "%s: %s[\"%s\"].%s.%s: %s", s->part->name, s->list, s->name,
                   s->kind, field, what);
}

int stanza_find(const struct reading *r, const char *list, const char *kind, const char *name,
                struct stanza *out)
{
    for (size_t p = 0; p < r->count; p++) {
        json_t *item;
        size_t i;

        json_array_foreach(json_object_get(r->parts[p].root, list), i, item) {
            const char *own = json_string_value(json_object_get(item, "name"));
            json_t *fields = json_object_get(item, kind);

            if (!own || strcmp(own, name) != 0)
                continue;
            *out = (struct stanza){ &r->parts[p], fields, list, kind, own };
            if (!fields || json_is_null(fields) || json_is_object(fields))
                return 0;
            return err_set(r->e, ERR_INVALID, "%s: %s[\"%s\"].%s: must be an object",
                           r->parts[p].name, list, name, kind);
        }
    }
    return err_set(r->e, ERR_INVALID, "%s: no %s named \"%s\" in %s", r->parts[0].name, kind, name,
                   list);
}

/* A text field, copied; absent and empty leave *out NULL. */
int stanza_text(const struct stanza *s, const char *field, char **out, struct err *e)
{
    const json_t *value = json_object_get(s->fields, field);

    if (!value || json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return stanza_wrong(s, e, field, "must be text");
    if (json_string_length(value) > 0)
        *out = mem_dup(json_string_value(value));
    return 0;
}

int stanza_bool(const struct stanza *s, const char *field, bool *out, struct err *e)
{
    const json_t *value = json_object_get(s->fields, field);

    if (!value || json_is_null(value))
        return 0;
    if (!json_is_boolean(value))
        return stanza_wrong(s, e, field, "must be true or false");
    *out = json_is_true(value);
    return 0;
}

int stanza_data(const struct stanza *s, const char *field, char **out, struct err *e)
{
    AUTO_FREE char *text = NULL;
    AUTO_STRBUF struct strbuf bytes = STRBUF_INIT;

    if (stanza_text(s, field, &text, e) < 0)
        return -1;
    if (!text)
        return 0;
    if (!base64_decode(str_of(text), &bytes) ||
        memchr(bytes.text ? bytes.text : "", 0, bytes.length))
        return stanza_wrong(s, e, field, "is not base64 of a PEM text");
    *out = strbuf_take(&bytes);
    return 0;
}

int stanza_path(const struct stanza *s, const char *field, char **out, struct err *e)
{
    AUTO_FREE char *text = NULL;

    if (stanza_text(s, field, &text, e) < 0)
        return -1;
    if (!text)
        return 0;
    if (!s->part->folder)
        return stanza_wrong(s, e, field, "files are not allowed here");
    *out = text[0] == '/' ? mem_dup(text) : mem_format("%s/%s", s->part->folder, text);
    return 0;
}
