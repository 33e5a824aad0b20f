#include "admitter/kube/path.h"

#include <ctype.h>

static void encode(struct strbuf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (isalnum(c) || strchr("-._~", c))
            strbuf_putc(out, *text);
        else
            strbuf_printf(out, "%%%02X", c);
    }
}

/* A name of only dots would walk up the path. */
static void segment(struct strbuf *out, const char *text)
{
    strbuf_putc(out, '/');
    if (!strcmp(text, ".") || !strcmp(text, ".."))
        for (; *text; text++)
            strbuf_puts(out, "%2E");
    else
        encode(out, text);
}

char *kube_path(const struct kube_resource *resource, const char *namespace, const char *name,
                const char *subresource)
{
    struct strbuf path = STRBUF_INIT;
    bool core = !resource->group || !resource->group[0];

    strbuf_puts(&path, core ? "/api" : "/apis");
    if (!core)
        segment(&path, resource->group);
    segment(&path, resource->version);
    if (namespace && namespace[0]) {
        strbuf_puts(&path, "/namespaces");
        segment(&path, namespace);
    }
    segment(&path, resource->plural);
    if (name && name[0])
        segment(&path, name);
    if (subresource && subresource[0])
        segment(&path, subresource);
    return strbuf_take(&path);
}

void kube_query(struct strbuf *query, const char *name, const char *value)
{
    if (query->length > 0)
        strbuf_putc(query, '&');
    encode(query, name);
    strbuf_putc(query, '=');
    encode(query, value);
}
