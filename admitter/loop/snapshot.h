/* snapshot.h - what the webhooks must know of the cluster, readable by any thread at any time.
 *
 * Small facts only: which queues, namespaces and classes exist, who owns jobs. The engine thread
 * changes one fact at a time under a short lock, so a change costs what changed, and a reader sees
 * every fact that the engine saw. Readers never wait for a decision, a disk or the network. */
#pragma once

#include <stdbool.h>
#include "admitter/jobs/ancestor.h"
#include "quota/base/arena.h"
#include "quota/engine/model.h"

struct snapshot;
struct snapshot *snapshot_create(void);
void snapshot_destroy(struct snapshot *snapshot); /* NULL is fine */

/* ---- engine thread ---- */
void snapshot_local_queue_put(struct snapshot *s, const char *namespace, const char *name,
                              const char *cluster_queue);
void snapshot_local_queue_remove(struct snapshot *s, const char *namespace, const char *name);
void snapshot_cluster_queue_put(struct snapshot *s, const struct cluster_queue *queue);
void snapshot_cluster_queue_remove(struct snapshot *s, const char *name);
void snapshot_check_put(struct snapshot *s, const char *name, const char *controller);
void snapshot_check_remove(struct snapshot *s, const char *name);
void snapshot_namespace_put(struct snapshot *s, const char *name, bool is_managed);
void snapshot_namespace_remove(struct snapshot *s, const char *name);
void snapshot_priority_class_put(struct snapshot *s, const char *name);
void snapshot_priority_class_remove(struct snapshot *s, const char *name);
/* Objects that may own jobs; 'kind' is a number of the owner kinds. */
void snapshot_owner_put(struct snapshot *s, unsigned kind, const char *namespace, const char *name,
                        const struct owner_facts *facts);
void snapshot_owner_remove(struct snapshot *s, unsigned kind, const char *namespace,
                           const char *name);
/* All objects of this kind have been put once. */
void snapshot_owner_kind_listed(struct snapshot *s, unsigned kind);

/* ---- any thread ---- */
bool snapshot_has_local_queue(struct snapshot *s, const char *namespace, const char *name);
bool snapshot_has_priority_class(struct snapshot *s, const char *name);
/* 1 managed, 0 not, -1 no such namespace. */
int snapshot_namespace_managed(struct snapshot *s, const char *name);
/* Does the queue's ClusterQueue have a check of this controller? */
bool snapshot_queue_has_controller(struct snapshot *s, const char *namespace, const char *queue,
                                   const char *controller);
bool snapshot_owner_kind_is_listed(struct snapshot *s, unsigned kind);
/* What an owner says of itself, copied to 'arena'. False: there is no such object. */
bool snapshot_owner_find(struct snapshot *s, unsigned kind, const char *namespace, const char *name,
                         struct arena *arena, struct owner_facts *facts);
