/* ancestor.h - which managed job is this one a part of?
 *
 * Walks up the controller owners of a job to the topmost one that is managed: a job that has such
 * an ancestor gets no Workload of its own. Pure; what the owners are like is asked through a
 * function. Rules: spec/integrations.md 1.4. */
#pragma once

#include "admitter/jobs/job.h"
#include "admitter/jobs/owner_kinds.h"

/* What an owner says of itself. Texts live in the arena that the question was asked with. */
struct owner_facts {
    const char *uid, *queue_name; /* queue_name: label, "" when absent */
    bool is_elastic;
    struct job_owner owner; /* its own controller owner; name NULL when there is none */
};

struct ancestor_search {
    const struct owner_kinds *kinds;
    bool manage_without_queue_name;
    void *context;
    /* The owner of this kind (a number of 'kinds') and name. 1; 0: this kind cannot be followed;
     * -1 ERR_NOT_FOUND. Must not block for long. */
    int (*find)(void *context, unsigned kind, const char *namespace, const char *name,
                struct arena *arena, struct owner_facts *facts, struct err *e);
};

struct ancestor {
    unsigned kind;
    const char *name;
    struct owner_facts facts;
};

/* 'owner': the job's controller owner (name NULL: none), 'uid': its own. 1 and *top when it has a
 * managed ancestor, 0 when not. -1: ERR_NOT_FOUND an owner is missing, ERR_INVALID a cycle,
 * ERR_CONFLICT more than ten owners. */
MUST_USE int ancestor_find(const struct ancestor_search *search, const struct job_owner *owner,
                           const char *uid, const char *namespace, struct arena *arena,
                           struct ancestor *top, struct err *e);
