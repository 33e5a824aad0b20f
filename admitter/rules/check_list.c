#include "admitter/rules/check_list.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"

static json_t *list_of(const json_t *workload)
{
    return json_at(workload, "status", "admissionChecks", NULL);
}

static json_t *entry_find(json_t *list, const char *name)
{
    json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
        if (strcmp(json_string_at(entry, "name"), name) == 0)
            return entry;
    return NULL;
}

bool check_list_has(const json_t *workload, const char **required, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!entry_find(list_of(workload), required[i]))
            return false;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool check_list_sync(json_t *workload, const char **required, size_t count, int64_t now)
{
    AUTO_FREE const char **sorted = mem_array(count + 1, sizeof(*sorted));
    json_t *old = list_of(workload), *fresh;

    if (json_array_size(old) == count && check_list_has(workload, required, count))
        return false;
    memcpy(sorted, required, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_name);
    fresh = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *entry = entry_find(old, sorted[i]);

        if (entry) {
            json_array_append(fresh, entry);
            continue;
        }
        entry = json_pack("{s:s, s:s, s:s}", "name", sorted[i], "state", "Pending", "message", "");
        json_time_put(entry, "lastTransitionTime", now);
        json_array_append_new(fresh, entry);
    }
    if (count > 0) {
        json_object_set_new(object_status(workload), "admissionChecks", fresh);
    } else {
        json_object_del(object_status(workload), "admissionChecks");
        json_decref(fresh);
    }
    return true;
}

int64_t check_list_retry_time(const json_t *workload)
{
    int64_t latest = TIME_NONE;
    json_t *entry;
    size_t i;

    json_array_foreach(list_of(workload), i, entry) {
        int64_t after = json_integer_at(entry, "requeueAfterSeconds", -1);
        int64_t since = json_time_at(entry, "lastTransitionTime");

        if (strcmp(json_string_at(entry, "state"), "Retry") != 0 || after < 0 || since == TIME_NONE)
            continue;
        if (after > INT32_MAX)
            after = INT32_MAX;
        if (since + after * NANOSECONDS_PER_SECOND > latest)
            latest = since + after * NANOSECONDS_PER_SECOND;
    }
    return latest;
}

static int by_entry_name(const void *a, const void *b)
{
    return strcmp(json_string_at(*(json_t *const *)a, "name"),
                  json_string_at(*(json_t *const *)b, "name"));
}

char *check_list_describe(const json_t *workload, const char *state, struct arena *arena)
{
    AUTO_FREE json_t **found = mem_array(json_array_size(list_of(workload)) + 1, sizeof(*found));
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    size_t count = 0, i;
    json_t *entry;

    json_array_foreach(list_of(workload), i, entry)
        if (strcmp(json_string_at(entry, "state"), state) == 0)
            found[count++] = entry;
    if (count == 0)
        return NULL;
    qsort(found, count, sizeof(*found), by_entry_name);
    strbuf_printf(&text, "AdmissionCheck%s in %s state: ", count > 1 ? "s" : "", state);
    for (i = 0; i < count; i++) {
        const char *message = json_string_at(found[i], "message");

        strbuf_printf(&text, "%s\"%s\"", i ? "; " : "", json_string_at(found[i], "name"));
        if (*message)
            strbuf_printf(&text, " (%s)", message);
    }
    return arena_dup(arena, strbuf_view(&text));
}

char *check_list_pending_messages(const json_t *workload, struct arena *arena)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    json_t *entry;
    size_t i;

    json_array_foreach(list_of(workload), i, entry) {
        const char *message = json_string_at(entry, "message");

        if (strcmp(json_string_at(entry, "state"), "Pending") == 0 && *message)
            strbuf_printf(&text, "%s%s: %s", text.length ? "; " : "", json_string_at(entry, "name"),
                          message);
    }
    return text.length ? arena_dup(arena, strbuf_view(&text)) : NULL;
}
