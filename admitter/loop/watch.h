/* watch.h - which kinds are watched, and their way to the loop. Kube thread.
 *
 * One reflector per kind; every object is decoded there and pushed as an event. An object that
 * cannot be decoded is reported in the log and left out: it neither stops nor breaks the others. */
#pragma once

#include "admitter/kube/client.h"
#include "admitter/loop/loop.h"

struct watch_set;
/* Kube thread (or before it runs). */
struct watch_set *watch_set_create(struct kube_client *client, struct loop *loop,
                                   const struct loop_settings *settings);
/* List everything again; the kinds report as synced once more. Kube thread. */
void watch_set_relist(struct watch_set *set);
/* From now on the pods of started jobs as well. Any thread, as often as wanted. */
void watch_set_pods(struct watch_set *set);
void watch_set_destroy(struct watch_set *set);
/* Bits for loop_want: what must be listed before deciding. */
void watch_wanted(const struct loop_settings *settings, unsigned *kinds, unsigned *jobs);
