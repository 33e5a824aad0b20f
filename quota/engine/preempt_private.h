/* preempt_private.h - what both preemption searches share (spec/scheduling.md 5.2, 5.3). */
#pragma once

#include "quota/engine/assignment.h"

enum candidate_variant {
    CANDIDATE_OWN,
    CANDIDATE_HIERARCHICAL,
    CANDIDATE_NO_BORROW,
    CANDIDATE_BORROW_OK
};

struct candidate {
    struct item *item;
    enum candidate_variant variant;
    struct node *lca; /* lowest common cohort; NULL for own candidates */
};
struct candidate_list {
    struct candidate *items;
    size_t count, capacity; /* in the arena */
};

void candidate_add(struct candidate_list *list, struct candidate candidate, struct arena *a);
/* Add the workloads of a ClusterQueue that use a contested FR and satisfy the policy. */
void candidates_collect(const struct preemption *search, struct cluster_queue_record *queue,
                        enum preemption_policy policy, struct node *lca,
                        struct candidate_list *list);
/* 5.3 for a list whose members are all own or all of other queues: evicted ones first. */
void candidates_sort(const struct preemption *search, struct candidate_list *list);
/* The same with admission fair sharing (5.3 rule 3): preempt_usage.c. */
void candidates_sort_by_usage(const struct preemption *search, struct candidate_list *list);
bool request_fits(const struct preemption *search, bool borrowing);
/* 5.4.3: give back what turned out not to be needed. */
void targets_fill_back(const struct preemption *search, struct target_list *targets,
                       bool borrowing);

/* As preemption_targets, but the usage is left changed. */
bool preempt_classical(const struct preemption *search, struct target_list *targets);
bool preempt_fair(const struct preemption *search, struct target_list *targets);
