#include "quota/engine/tree.h"

#include <stdlib.h>
#include <string.h>

#include "quota/base/heap.h"
#include "quota/base/mem.h"

const struct cell NO_CELL = { .borrowing = LIMIT_ABSENT, .lending = LIMIT_ABSENT };

#define WEIGHT_ONE UINT64_C(1000000000)

void node_init(struct node *node, const char *name, bool is_cohort)
{
    *node = (struct node){ .name = name,
                           .is_cohort = is_cohort,
                           .in_snapshot = is_cohort,
                           .weight = WEIGHT_ONE,
                           .unpark_at = TIME_NONE,
                           .due_place = HEAP_ABSENT };
}

void node_finish(struct node *node)
{
    free(node->children);
    free(node->cells);
    node->children = NULL;
    node->cells = NULL;
}

static void child_remove(struct node *parent, struct node *node)
{
    struct node *last = parent->children[--parent->child_count];

    parent->children[node->place] = last;
    last->place = node->place;
}

void node_attach(struct node *node, struct node *parent)
{
    if (node->parent)
        child_remove(node->parent, node);
    node->parent = parent;
    if (!parent)
        return;
    parent->children = mem_grow(parent->children, parent->child_count, &parent->child_capacity,
                                sizeof(*parent->children));
    node->place = parent->child_count;
    parent->children[parent->child_count++] = node;
}

struct cell *node_cell_grow(struct node *node, uint32_t fr)
{
    if (fr >= node->cell_count) {
        uint32_t count = fr + 1;

        node->cells = mem_resize(node->cells, count, sizeof(*node->cells));
        for (uint32_t i = node->cell_count; i < count; i++)
            node->cells[i] = NO_CELL;
        node->cell_count = count;
    }
    return &node->cells[fr];
}

void node_declare(struct node *node, uint32_t fr, int64_t nominal, int64_t borrowing,
                  int64_t lending)
{
    struct cell *cell = node_cell_grow(node, fr);

    cell->nominal = nominal;
    cell->borrowing = borrowing;
    cell->lending = lending;
    cell->declared = true;
}

void node_undeclare(struct node *node)
{
    for (uint32_t fr = 0; fr < node->cell_count; fr++) {
        struct cell *cell = &node->cells[fr];

        cell->nominal = 0;
        cell->borrowing = cell->lending = LIMIT_ABSENT;
        cell->declared = false;
    }
}

struct node *tree_root(struct node *node)
{
    while (node->parent)
        node = node->parent;
    return node;
}

/* Floyd: two walkers of different speed meet iff there is a cycle above. */
bool tree_is_cyclic(const struct node *node)
{
    const struct node *slow = node, *fast = node;

    while (fast && fast->parent) {
        slow = slow->parent;
        fast = fast->parent->parent;
        if (slow == fast)
            return true;
    }
    return false;
}

struct node *tree_skip(struct node *root, struct node *node)
{
    while (node != root) {
        struct node *parent = node->parent;

        if (node->place + 1 < parent->child_count)
            return parent->children[node->place + 1];
        node = parent;
    }
    return NULL;
}

struct node *tree_next(struct node *root, struct node *node)
{
    return node->child_count > 0 ? node->children[0] : tree_skip(root, node);
}

/* ---- settling ---- */

static int64_t positive(int64_t amount)
{
    return amount > 0 ? amount : 0;
}

/* Cells of a cohort start from what it declares; the children then add theirs. */
static void cohort_begin(struct node *node)
{
    node->height = 0;
    for (uint32_t fr = 0; fr < node->cell_count; fr++) {
        node->cells[fr].subtree = node->cells[fr].nominal;
        node->cells[fr].usage = 0;
        node->cells[fr].known = node->cells[fr].declared;
    }
}

static void leaf_begin(struct node *node)
{
    for (uint32_t fr = 0; fr < node->cell_count; fr++) {
        node->cells[fr].subtree = node->cells[fr].nominal;
        node->cells[fr].known = node->cells[fr].declared;
    }
}

/* A node whose children are done: what is guaranteed here, and what the parent gets of it. */
static void node_conclude(struct node *node)
{
    struct node *parent = node->parent;

    for (uint32_t fr = 0; fr < node->cell_count; fr++) {
        struct cell *cell = &node->cells[fr], *up;

        cell->local =
            cell->lending == LIMIT_ABSENT ? 0 : positive(amount_sub(cell->subtree, cell->lending));
        if (!parent || (!cell->known && cell->usage == 0))
            continue;
        up = node_cell_grow(parent, fr);
        up->known = up->known || cell->known;
        up->subtree = amount_add(up->subtree, amount_sub(cell->subtree, cell->local));
        up->usage = amount_add(up->usage, positive(amount_sub(cell->usage, cell->local)));
    }
    if (parent && node->in_snapshot) {
        int32_t height = node->is_cohort ? node->height + 1 : 1;

        if (height > parent->height)
            parent->height = height;
    }
}

static void potential_set(struct node *node)
{
    for (uint32_t fr = 0; fr < node->cell_count; fr++) {
        struct cell *cell = &node->cells[fr];
        int64_t limit;

        cell->potential = cell->subtree;
        if (!node->parent)
            continue;
        cell->potential = amount_add(cell->local, node_potential(node->parent, fr));
        if (cell->borrowing == LIMIT_ABSENT)
            continue;
        limit = amount_add(cell->subtree, cell->borrowing);
        if (limit < cell->potential)
            cell->potential = limit;
    }
}

void tree_settle(struct node *root)
{
    size_t count = 0, capacity = 0;
    struct node **order = NULL;

    for (struct node *n = root; n; n = tree_next(root, n)) {
        order = mem_grow(order, count, &capacity, sizeof(*order));
        order[count++] = n;
        n->is_dirty = false;
        if (n->is_cohort)
            cohort_begin(n);
        else
            leaf_begin(n);
    }
    for (size_t i = count; i-- > 0;)
        node_conclude(order[i]);
    for (size_t i = 0; i < count; i++)
        potential_set(order[i]);
    free(order);
}

/* ---- usage ---- */

static struct cell *cell_change(struct journal *journal, struct node *node, uint32_t fr)
{
    struct cell *cell = node_cell_grow(node, fr);

    if (journal->recording) {
        journal->entries = mem_grow(journal->entries, journal->count, &journal->capacity,
                                    sizeof(*journal->entries));
        journal->entries[journal->count++] = (struct journal_entry){ node, fr, cell->usage };
    }
    return cell;
}

void usage_add(struct journal *journal, struct node *node, uint32_t fr, int64_t amount)
{
    for (bool cyclic = node->is_cyclic; node; node = cyclic ? NULL : node->parent) {
        struct cell *cell = cell_change(journal, node, fr);
        int64_t free_here = cell_local_free(cell);

        cell->usage = amount_add(cell->usage, amount);
        if (amount <= free_here)
            return;
        amount = amount_sub(amount, free_here);
    }
}

void usage_remove(struct journal *journal, struct node *node, uint32_t fr, int64_t amount)
{
    for (bool cyclic = node->is_cyclic; node; node = cyclic ? NULL : node->parent) {
        struct cell *cell = cell_change(journal, node, fr);
        int64_t over = amount_sub(cell->usage, cell->local);

        cell->usage = amount_sub(cell->usage, amount);
        if (over <= 0)
            return;
        if (over < amount)
            amount = over;
    }
}

void journal_rollback(struct journal *journal, size_t mark)
{
    while (journal->count > mark) {
        const struct journal_entry *entry = &journal->entries[--journal->count];

        entry->node->cells[entry->fr].usage = entry->usage;
    }
}

/* ---- questions ---- */

/* The recursion of 2.3 read from the leaf upwards: the least, over the ancestors, of what that
 * ancestor lets through plus the guaranteed parts below it. */
int64_t node_available(const struct node *node, uint32_t fr)
{
    int64_t guaranteed = 0, least = AMOUNT_UNLIMITED, top;

    for (; node->parent; node = node->parent) {
        const struct cell *cell = node_cell(node, fr);

        guaranteed = amount_add(guaranteed, cell_local_free(cell));
        if (cell->borrowing != LIMIT_ABSENT) {
            int64_t used = positive(amount_sub(cell->usage, cell->local));
            int64_t through = amount_sub(amount_sub(cell->subtree, cell->local), used);

            through = amount_add(guaranteed, amount_add(through, cell->borrowing));
            least = through < least ? through : least;
        }
    }
    top = amount_sub(node_cell(node, fr)->subtree, node_cell(node, fr)->usage);
    top = amount_add(guaranteed, top);
    return top < least ? top : least;
}

int64_t node_potential(const struct node *node, uint32_t fr)
{
    if (fr < node->cell_count)
        return node->cells[fr].potential;
    /* Nothing declared here: whatever the first ancestor with a cell has. */
    for (node = node->parent; node; node = node->parent)
        if (fr < node->cell_count)
            return node->cells[fr].potential;
    return 0;
}

/* Would the node borrow with this much more? */
static bool node_borrows_with(const struct node *node, uint32_t fr, int64_t amount)
{
    const struct cell *cell = node_cell(node, fr);

    return cell->subtree < amount_add(cell->usage, amount);
}

bool node_within_nominal(const struct node *node, const uint32_t *frs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct cell *cell = node_cell(node, frs[i]);

        if (cell->subtree < cell->usage)
            return false;
    }
    return true;
}

int32_t node_level(const struct node *node, uint32_t fr, int64_t amount, bool *smaller)
{
    const struct node *root = node;
    int64_t rest;

    *smaller = node->parent != NULL;
    if (!node->parent || !node_borrows_with(node, fr, amount))
        return 0;
    rest = amount_sub(amount, cell_local_free(node_cell(node, fr)));
    for (const struct node *n = node->parent; n; n = n->parent) {
        *smaller = n->parent != NULL;
        if (!node_borrows_with(n, fr, rest))
            return n->height;
        rest = amount_sub(rest, cell_local_free(node_cell(n, fr)));
        root = n;
    }
    *smaller = false;
    return root->height;
}
