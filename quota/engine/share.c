#include "quota/engine/share.h"

#include "quota/base/mem.h"

struct u192 {
    uint64_t high, middle, low;
};

static struct u192 product(uint64_t a, uint64_t b, uint64_t c)
{
    unsigned __int128 ab = (unsigned __int128)a * b;
    unsigned __int128 low = (unsigned __int128)(uint64_t)ab * c;
    unsigned __int128 high = (unsigned __int128)(uint64_t)(ab >> 64) * c + (uint64_t)(low >> 64);

    return (struct u192){ (uint64_t)(high >> 64), (uint64_t)high, (uint64_t)low };
}

static int u192_compare(struct u192 a, struct u192 b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    if (a.middle != b.middle)
        return a.middle < b.middle ? -1 : 1;
    return (a.low > b.low) - (a.low < b.low);
}

bool share_is_infinite(const struct share *share)
{
    return share->weight == 0 && share->borrowed > 0;
}

int share_compare(const struct share *a, const struct share *b)
{
    bool a_infinite = share_is_infinite(a), b_infinite = share_is_infinite(b);

    if (a_infinite != b_infinite)
        return a_infinite ? 1 : -1;
    if (a_infinite || a->borrowed == 0 || b->borrowed == 0)
        return u192_compare(product(a->borrowed, b->lendable, 1),
                            product(b->borrowed, a->lendable, 1));
    return u192_compare(product(a->borrowed, b->lendable, b->weight),
                        product(b->borrowed, a->lendable, a->weight));
}

int64_t share_reported(const struct share *share)
{
    unsigned __int128 above, below;

    if (share->borrowed == 0)
        return 0;
    if (share->weight == 0)
        return INT64_MAX;
    above = (unsigned __int128)share->borrowed * 1000 * 1000000000;
    below = (unsigned __int128)share->lendable * share->weight;
    above = above / below + (above % below != 0);
    return above > INT64_MAX ? INT64_MAX : (int64_t)above;
}

/* ---- sums per resource ---- */

static struct share_row *row_of(struct engine *engine, size_t count, uint32_t resource)
{
    for (size_t i = 0; i < count; i++)
        if (engine->share_rows[i].resource == resource)
            return &engine->share_rows[i];
    return NULL;
}

static size_t borrowed_sum(struct engine *engine, const struct node *node)
{
    size_t count = 0;

    for (uint32_t fr = 0; fr < node->cell_count; fr++) {
        const struct cell *cell = &node->cells[fr];
        int64_t over = amount_sub(cell->usage, cell->subtree);
        struct share_row *row;

        if (!cell->known || over <= 0)
            continue;
        row = row_of(engine, count, engine->frs[fr].resource);
        if (!row) {
            engine->share_rows = mem_grow(engine->share_rows, count, &engine->share_capacity,
                                          sizeof(*engine->share_rows));
            row = &engine->share_rows[count++];
            *row = (struct share_row){ engine->frs[fr].resource, 0, 0 };
        }
        row->borrowed = amount_add(row->borrowed, over);
    }
    return count;
}

static void lendable_sum(struct engine *engine, const struct node *node, size_t count)
{
    const struct node *root = node;

    while (root->parent)
        root = root->parent;
    for (uint32_t fr = 0; fr < root->cell_count; fr++) {
        struct share_row *row =
            root->cells[fr].known ? row_of(engine, count, engine->frs[fr].resource) : NULL;

        if (row)
            row->lendable = amount_add(row->lendable, node_potential(node->parent, fr));
    }
}

struct share share_of(struct engine *engine, const struct node *node)
{
    struct share share = { 0, 1, node->weight, false };
    size_t count;

    if (!node->parent)
        return share;
    count = borrowed_sum(engine, node);
    share.is_borrowing = count > 0;
    if (count > 0)
        lendable_sum(engine, node, count);
    for (size_t i = 0; i < count; i++) {
        const struct share_row *row = &engine->share_rows[i];

        if (row->lendable <= 0)
            continue;
        if ((unsigned __int128)(uint64_t)row->borrowed * share.lendable >
            (unsigned __int128)share.borrowed * (uint64_t)row->lendable) {
            share.borrowed = (uint64_t)row->borrowed;
            share.lendable = (uint64_t)row->lendable;
        }
    }
    return share;
}
