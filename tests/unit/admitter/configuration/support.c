#include "tests/unit/admitter/configuration/support.h"

#include <string.h>

int read_text(const char *text, const char *flag, struct configuration *c, struct err *e)
{
    e->code = ERR_NONE;
    e->text[0] = '\0';
    return configuration_read(str_of(text), "c.yaml", flag, c, e);
}

void load_good(const char *text, const char *flag, struct configuration *c)
{
    struct err e;

    if (read_text(text, flag, c, &e) < 0) {
        print_message("%s\n%s\n", text, e.text);
        fail();
    }
}

bool warns(const struct configuration *c, const char *what)
{
    for (size_t i = 0; i < c->warning_count; i++)
        if (strstr(c->warnings[i], what))
            return true;
    return false;
}

size_t problems_with(const struct configuration *c, const char *what)
{
    size_t count = 0;

    for (size_t i = 0; i < c->problem_count; i++)
        count += strstr(c->problems[i], what) != NULL;
    return count;
}
