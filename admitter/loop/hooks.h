/* hooks.h - the admission and conversion webhooks: paths, and which function answers each.
 *
 * Answers come from the request and the snapshot alone. Every path that a webhook configuration
 * made for this API may name is served; one whose part does not run allows everything without a
 * patch (spec/process.md). Handlers run on server threads. Rules: spec/integrations.md 4,
 * spec/api.md 3. */
#pragma once

#include "admitter/jobs/job_webhook.h"
#include "admitter/rules/settings.h"
#include "admitter/loop/snapshot.h"
#include "webhook/route.h"

struct hooks;
/* Settings and snapshot are borrowed until hooks_destroy. */
struct hooks *hooks_create(const struct loop_settings *settings, struct snapshot *snapshot);
void hooks_destroy(struct hooks *hooks); /* after the server has stopped; NULL is fine */
/* Register every path. -1 and *e when one is taken. */
MUST_USE int hooks_register(struct hooks *hooks, struct route_table *routes, struct err *e);
