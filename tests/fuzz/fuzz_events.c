/* room: quota/engine. Event streams: any sequence of what people, jobs and clusters do leaves every
 * promise of tests/property/watch.h kept. Three bytes make one operation: kind, then salt. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/property/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPERATIONS = 100 };

static void broken(void *context, const char *what)
{
    (void)context;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play play;
    struct operation_list list;

    operations_from_bytes(&list, data, size);
    play_begin(&play, list.world, broken, NULL);
    for (size_t i = 0; i < list.count && i < OPERATIONS; i++)
        play_operation(&play, list.items[i]);
    play_end(&play);
    operations_finish(&list);
    return 0;
}
