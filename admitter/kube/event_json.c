#include "admitter/kube/event_json.h"

#include <stdlib.h>
#include <string.h>
#include "quota/base/clock.h"
#include "quota/base/mem.h"

#define NAME_MAX_BYTES 253
#define FIELD_MAX 128 /* of reason, action and the reporting names */

const char *event_namespace(const struct kube_note *note)
{
    return note->namespace && note->namespace[0] ? note->namespace : "default";
}

char *event_name(const struct kube_note *note, uint64_t unique)
{
    size_t length = strlen(note->name);

    if (length > NAME_MAX_BYTES - 17)
        length = NAME_MAX_BYTES - 17;
    while (length > 0 && (note->name[length - 1] == '.' || note->name[length - 1] == '-'))
        length--;
    return mem_format("%.*s.%016llx", (int)length, note->name, (unsigned long long)unique);
}

/* ,"field":"text"; nothing for a text that is absent or empty. */
static void field(struct strbuf *out, const char *name, const char *text, size_t limit)
{
    size_t length = text ? strlen(text) : 0;

    if (length == 0)
        return;
    if (out->text[out->length - 1] != '{')
        strbuf_putc(out, ',');
    strbuf_printf(out, "\"%s\":", name);
    strbuf_json(out, (struct str){ text, length < limit ? length : limit });
}

void event_json(const struct kube_note *note, const char *name, const char *instance, int64_t time,
                struct strbuf *out)
{
    AUTO_STRBUF struct strbuf cut = STRBUF_INIT;
    char text[TIME_TEXT];

    strbuf_puts(out, "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{");
    field(out, "name", name, NAME_MAX_BYTES);
    field(out, "namespace", event_namespace(note), NAME_MAX_BYTES);
    strbuf_puts(out, "},\"regarding\":{");
    field(out, "apiVersion", note->api_version, SIZE_MAX);
    field(out, "kind", note->kind, SIZE_MAX);
    field(out, "namespace", note->namespace, SIZE_MAX);
    field(out, "name", note->name, SIZE_MAX);
    field(out, "uid", note->uid, SIZE_MAX);
    field(out, "resourceVersion", note->resource_version, SIZE_MAX);
    strbuf_printf(out, "},\"eventTime\":\"%s\",\"type\":\"%s\"", time_print_micro(time, text),
                  note->warning ? "Warning" : "Normal");
    field(out, "reason", note->reason, FIELD_MAX);
    field(out, "action", note->action && note->action[0] ? note->action : note->reason, FIELD_MAX);
    strbuf_shortened(&cut, str_of(note->note), EVENT_NOTE_MAX);
    field(out, "note", cut.text ? cut.text : "", SIZE_MAX);
    field(out, "reportingController", note->controller, FIELD_MAX);
    field(out, "reportingInstance", instance, FIELD_MAX);
    strbuf_putc(out, '}');
}

void event_series_json(uint64_t count, int64_t time, struct strbuf *out)
{
    char text[TIME_TEXT];

    strbuf_printf(out, "{\"series\":{\"count\":%llu,\"lastObservedTime\":\"%s\"}}",
                  (unsigned long long)(count < INT32_MAX ? count : INT32_MAX),
                  time_print_micro(time, text));
}
