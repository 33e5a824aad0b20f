#include "tests/unit/admitter/rules/support.h"

struct loop_settings settings;

int64_t now_time(void)
{
    int64_t now = 0;

    assert_int_equal(time_parse(str_of(NOW_TEXT), &now, NULL), 0);
    return now;
}

const char *ago(struct arena *a, int64_t seconds)
{
    char text[TIME_TEXT];

    return arena_strdup(a, time_print(now_time() - SECONDS(seconds), text));
}

json_t *workload(const char *metadata, const char *spec, const char *status)
{
    AUTO_FREE char *text =
        mem_format("{'metadata':{'name':'wl','namespace':'ns','generation':2%s%s},"
                   "'spec':{'queueName':'lq'%s%s},'status':{%s}}",
                   *metadata ? "," : "", metadata, *spec ? "," : "", spec, status);

    return tree(text);
}

const char *condition(struct arena *a, const char *type, const char *status, const char *reason,
                      const char *message, int64_t seconds_ago)
{
    return arena_format(a,
                        "{'type':'%s','status':'%s','reason':'%s','message':'%s',"
                        "'lastTransitionTime':'%s'}",
                        type, status, reason, message, ago(a, seconds_ago));
}

const char *condition_text(struct arena *a, const json_t *object, const char *type)
{
    const json_t *found = condition_find(object, type);

    if (!found)
        return "";
    return arena_format(a, "%s/%s/%s", json_string_value(json_object_get(found, "status")),
                        condition_reason(object, type), condition_message(object, type));
}
