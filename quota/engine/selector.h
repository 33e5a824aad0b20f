/* selector.h - label selectors and node selector requirements, with Kubernetes' semantics.
 *
 * Pure; engine thread. Rules: spec/scheduling.md 1.12 row 4, 4.2 row 6, 8.2; the texts of errors
 * are those of k8s.io/apimachinery, because users meet them in conditions. */
#pragma once

#include "quota/base/arena.h"
#include "quota/engine/model.h"

/* The value of a label; NULL when absent. Lists are short: a linear walk. */
const char *labels_get(const struct label *labels, size_t count, const char *key);

/* Does a well-formed requirement hold? Gt and Lt need both sides to be decimal int64; an absent
 * label satisfies NotIn and DoesNotExist only. A malformed requirement holds for nothing. */
bool requirement_matches(const struct label_requirement *requirement, const struct label *labels,
                         size_t count);

/* Texts of what is wrong, collected in an arena. */
struct problems {
    const char **items;
    size_t count, capacity;
};
void problems_add(struct problems *problems, const char *text, struct arena *a);
/* As Kubernetes joins them: NULL for none, the text itself for one, "[a, b]" with duplicates left
 * out for more. */
const char *problems_join(const struct problems *problems, struct arena *a);

/* What makes a requirement malformed, added to 'problems': for example
 * "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty", with
 * 'path' and a dot in front of the field (NULL: nothing). */
void requirement_problems(const struct label_requirement *requirement, const char *path,
                          struct problems *problems, struct arena *a);

/* Does a selector select these labels? Absent selects nothing, present and empty everything. A
 * malformed selector selects nothing. */
bool selector_matches(const struct label_selector *selector, const struct label *labels,
                      size_t count);

/* NULL when the selector is well formed, else the error's text. The condition message in front of
 * it, "invalid namespace selector: ", is the caller's. Labels are looked at in key order. */
const char *selector_problem(const struct label_selector *selector, struct arena *a);
