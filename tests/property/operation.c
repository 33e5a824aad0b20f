#include "tests/property/operation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"

static const struct {
    const char *name;
    uint32_t weight; /* how often it is drawn */
} kinds[OPERATION_KINDS] = {
    [OPERATION_CREATE] = { "create", 330 },
    [OPERATION_DELETE] = { "delete", 80 },
    [OPERATION_CHANGE] = { "change", 30 },
    [OPERATION_RECLAIM] = { "reclaim", 20 },
    [OPERATION_EVICT] = { "evict", 20 },
    [OPERATION_COHORT_PUT] = { "cohort", 40 },
    [OPERATION_COHORT_REMOVE] = { "cohort-remove", 6 },
    [OPERATION_QUEUE_PUT] = { "queue", 40 },
    [OPERATION_QUEUE_REMOVE] = { "queue-remove", 6 },
    [OPERATION_LOCAL_PUT] = { "local", 20 },
    [OPERATION_LOCAL_REMOVE] = { "local-remove", 5 },
    [OPERATION_FLAVOR] = { "flavor", 8 },
    [OPERATION_CHECK] = { "check", 8 },
    [OPERATION_NAMESPACE] = { "namespace", 8 },
    [OPERATION_LIMIT_RANGE] = { "limit-range", 8 },
    [OPERATION_EVICTIONS_END] = { "evictions-end", 60 },
    [OPERATION_WRITES_ANSWER] = { "writes-answer", 60 },
    [OPERATION_OLD_NEWS] = { "old-news", 10 },
    [OPERATION_PASS] = { "pass", 80 },
    [OPERATION_CYCLE] = { "cycle", 200 },
    [OPERATION_CYCLE_FAILS] = { "cycle-fails", 15 },
    [OPERATION_SETTLE] = { "settle", 4 },
};

void draw_begin(struct draw *draw, uint64_t seed)
{
    draw->state = seed * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0xd1b54a32d192ed03);
    for (int i = 0; i < 4; i++)
        draw_below(draw, 2);
}

uint32_t draw_below(struct draw *draw, uint32_t below)
{
    draw->state ^= draw->state << 13;
    draw->state ^= draw->state >> 7;
    draw->state ^= draw->state << 17;
    return below > 1 ? (uint32_t)(draw->state >> 33) % below : 0;
}

const char *operation_name(enum operation_kind kind)
{
    return kinds[kind].name;
}

static enum operation_kind kind_draw(struct draw *draw)
{
    uint32_t total = 0, at;
    enum operation_kind kind = 0;

    for (size_t i = 0; i < OPERATION_KINDS; i++)
        total += kinds[i].weight;
    for (at = draw_below(draw, total); at >= kinds[kind].weight; kind++)
        at -= kinds[kind].weight;
    return kind;
}

void operations_make(struct operation_list *list, uint64_t seed, size_t count)
{
    struct draw draw;

    draw_begin(&draw, seed);
    *list = (struct operation_list){ draw_below(&draw, UINT32_MAX),
                                     mem_array(count + 1, sizeof(*list->items)), count };
    for (size_t i = 0; i < count; i++)
        list->items[i] = (struct operation){ kind_draw(&draw), draw_below(&draw, UINT32_MAX) };
}

void operations_finish(struct operation_list *list)
{
    free(list->items);
    *list = (struct operation_list){ 0 };
}

void operations_from_bytes(struct operation_list *list, const uint8_t *bytes, size_t size)
{
    size_t count = size / 3;

    *list = (struct operation_list){ 0, mem_array(count + 1, sizeof(*list->items)), count };
    if (size > 0)
        list->world = bytes[size - 1];
    for (size_t i = 0; i < count; i++)
        list->items[i] = (struct operation){ bytes[3 * i] % OPERATION_KINDS,
                                             bytes[3 * i + 1] | (uint32_t)bytes[3 * i + 2] << 8 };
}

/* ---- case files ---- */

static bool line_read(struct operation_list *list, size_t *capacity, char *line)
{
    char name[32];
    uint32_t salt;

    line[strcspn(line, "#\n")] = '\0';
    if (line[strspn(line, " \t")] == '\0')
        return true;
    if (sscanf(line, "%31s %" SCNu32, name, &salt) != 2)
        return false;
    if (strcmp(name, "world") == 0) {
        list->world = salt;
        return true;
    }
    for (size_t i = 0; i < OPERATION_KINDS; i++)
        if (strcmp(name, kinds[i].name) == 0) {
            list->items = mem_grow(list->items, list->count, capacity, sizeof(*list->items));
            list->items[list->count++] = (struct operation){ (enum operation_kind)i, salt };
            return true;
        }
    return false;
}

bool operations_read(struct operation_list *list, FILE *file)
{
    size_t capacity = 0;
    char line[256];
    bool fine = true;

    *list = (struct operation_list){ 0 };
    while (fine && fgets(line, sizeof(line), file))
        fine = line_read(list, &capacity, line);
    return fine;
}

void operations_write(const struct operation_list *list, FILE *file)
{
    fprintf(file, "world %" PRIu32 "\n", list->world);
    for (size_t i = 0; i < list->count; i++)
        fprintf(file, "%s %" PRIu32 "\n", kinds[list->items[i].kind].name, list->items[i].salt);
}
