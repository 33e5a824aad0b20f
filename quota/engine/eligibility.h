/* eligibility.h - may pods of a pod set run on nodes of a flavor?
 *
 * Pure; engine thread. Rules: spec/scheduling.md 1.12, checked in its order; the first failure ends
 * with one reason, whose text is an interface. */
#pragma once

#include "quota/base/arena.h"
#include "quota/engine/model.h"

enum eligibility { ELIGIBLE, INELIGIBLE, ELIGIBILITY_ERROR };

/* Row 2: how a pod set and a flavor get on as far as topology goes. */
enum topology_match {
    TOPOLOGY_COMPATIBLE,
    TOPOLOGY_UNSUPPORTED,   /* the pod set asks for topology, the flavor has none */
    TOPOLOGY_UNKNOWN,       /* the flavor's Topology is not in the cache */
    TOPOLOGY_LEVEL_MISSING, /* the requested level is not one of the Topology's */
    TOPOLOGY_ONLY           /* the flavor serves topology requests only */
};
struct topology_facts {
    bool enabled;                    /* gate TopologyAwareScheduling */
    bool implied;                    /* all flavors of the ClusterQueue have a topology */
    bool requests_covered;           /* the pod's own requests meet the group's resources */
    const struct topology *topology; /* of the flavor; NULL when not cached */
};
enum topology_match topology_match(const struct topology_request *request,
                                   const struct resource_flavor *flavor,
                                   const struct topology_facts *facts);

/* Rows 1 to 4 for the pod sets of one group (usually one): every one must pass. 'flavor' is NULL
 * when the object is missing; 'name' is what the queue calls it. 'matches' has one entry per pod
 * set, or is NULL for "all compatible".
 * INELIGIBLE: *reason is the text of 1.12. ELIGIBILITY_ERROR: *reason is the error that aborts the
 * scan. Reasons live in 'a'. ELIGIBLE allocates nothing. */
enum eligibility flavor_eligible(const char *name, const struct resource_flavor *flavor,
                                 const struct pod_template *const *pods, size_t pod_count,
                                 const enum topology_match *matches, struct arena *a,
                                 const char **reason);

/* Row 3 alone: does this toleration cover this taint? */
bool toleration_matches(const struct toleration *toleration, const struct taint *taint);
