/* tree.h - the quota tree: ClusterQueues as leaves, Cohorts above them.
 *
 * Engine thread. Rules: spec/scheduling.md 2. A flavor-resource (FR) is a small number (catalog.c);
 * each node holds a flat table of cells indexed by it. What is declared (nominal, limits) and the
 * usage of a ClusterQueue are inputs; everything else in a cell follows and is set by tree_settle.
 * Usage changes walk from the ClusterQueue to its root: O(depth). With a journal they can be taken
 * back exactly, which is how simulations work: nothing is ever copied. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quota/base/clock.h"
#include "quota/base/quantity.h"

#define LIMIT_ABSENT INT64_MIN

struct cell {
    int64_t nominal, borrowing, lending; /* declared; the limits may be LIMIT_ABSENT */
    int64_t subtree;                     /* capacity of the subtree as the node sees it */
    int64_t local;                       /* the part never lent to the parent */
    int64_t potential;                   /* capacity with zero usage */
    int64_t usage;
    bool declared; /* the node itself declares quota */
    bool known;    /* declared here or below: part of the node's table */
};

struct node {
    const char *name;
    struct node *parent;
    struct node **children;
    size_t child_count, child_capacity;
    size_t place; /* among the parent's children */
    struct cell *cells;
    uint32_t cell_count;
    bool is_cohort;
    bool is_cyclic;      /* walking parents comes back: no totals, not in any snapshot */
    bool in_snapshot;    /* ClusterQueue: active; counts for heights (2.4) */
    bool is_dirty;       /* waits for tree_settle */
    int32_t height;      /* cohorts */
    uint64_t weight;     /* fairSharing.weight in billionths */
    uint64_t generation; /* of a root: grows whenever its tree is recomputed */
    uint64_t mark;       /* for walks; see the walker */
    int64_t unpark_at;   /* a batched un-park is asked for (trees.c), else TIME_NONE */
    uint32_t due_place;
};

/* Old usage values, newest last. */
struct journal_entry {
    struct node *node;
    uint32_t fr;
    int64_t usage;
};
struct journal {
    struct journal_entry *entries;
    size_t count, capacity;
    bool recording;
};

void node_init(struct node *node, const char *name, bool is_cohort);
void node_finish(struct node *node);                      /* must have no parent and no children */
void node_attach(struct node *node, struct node *parent); /* NULL detaches */
/* Set or clear (quota NULL values) what the node declares for an FR. */
void node_declare(struct node *node, uint32_t fr, int64_t nominal, int64_t borrowing,
                  int64_t lending);
void node_undeclare(struct node *node);

extern const struct cell NO_CELL; /* zeros, no limits */
static inline const struct cell *node_cell(const struct node *node, uint32_t fr)
{
    return fr < node->cell_count ? &node->cells[fr] : &NO_CELL;
}
struct cell *node_cell_grow(struct node *node, uint32_t fr);

struct node *tree_root(struct node *node);    /* the node itself must not be cyclic */
bool tree_is_cyclic(const struct node *node); /* walks; for marking after an edge changed */
/* Recompute a whole tree from its root: totals, usage of cohorts, heights. */
void tree_settle(struct node *root);

/* Pre-order over a tree without recursion: for (n = root; n; n = tree_next(root, n)). */
struct node *tree_next(struct node *root, struct node *node);
struct node *tree_skip(struct node *root, struct node *node); /* the same, past the subtree */

void usage_add(struct journal *journal, struct node *node, uint32_t fr, int64_t amount);
void usage_remove(struct journal *journal, struct node *node, uint32_t fr, int64_t amount);
static inline size_t journal_mark(const struct journal *journal)
{
    return journal->count;
}
void journal_rollback(struct journal *journal, size_t mark);

/* What is left of the part that is never lent. */
static inline int64_t cell_local_free(const struct cell *cell)
{
    int64_t rest = amount_sub(cell->local, cell->usage);

    return rest > 0 ? rest : 0;
}
int64_t node_available(const struct node *node, uint32_t fr); /* avail of 2.3, may be negative */
static inline int64_t node_available_clamped(const struct node *node, uint32_t fr)
{
    int64_t available = node_available(node, fr);

    return available > 0 ? available : 0;
}
int64_t node_potential(const struct node *node, uint32_t fr);

bool node_within_nominal(const struct node *node, const uint32_t *frs, size_t count);
/* Borrowing level of a ClusterQueue (2.4); *smaller: less than the whole tree. */
int32_t node_level(const struct node *node, uint32_t fr, int64_t amount, bool *smaller);
