/* room: quota/engine. Device selectors: any text is an expression or has a problem with a place;
 * what is an expression says the same of a device each time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/cel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct device_attribute attributes[] = {
    { "a.b", "text", ATTRIBUTE_TEXT, .text = "h100" },
    { "a.b", "number", ATTRIBUTE_INT, .integer = 132 },
    { "a.b", "truth", ATTRIBUTE_BOOL, .boolean = true },
    { "a.b", "version", ATTRIBUTE_VERSION, .text = "1.10.0-rc.1" },
};
static const struct device device = { .driver = "a.b",
                                      .attributes = attributes,
                                      .attribute_count = ARRAY_COUNT(attributes) };

static void insist(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = { 0 };
    char *text = arena_dup(&a, (struct str){ (const char *)data, size });
    const struct cel_node *parsed;
    struct err e = { 0 };

    if (cel_parse(text, &a, &parsed, &e) < 0)
        insist(e.code == ERR_INVALID && strncmp(e.text, "1:", 2) == 0, "a problem without a place");
    else
        insist(cel_selects(parsed, &device, &a) == cel_selects(parsed, &device, &a),
               "two answers to one question");
    arena_finish(&a);
    return 0;
}
