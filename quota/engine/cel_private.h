/* cel_private.h - trees and values of cel.h. Operators are functions with the names that CEL gives
 * them: "_&&_", "!_", "_?_:_", "_[_]", "@in". */
#pragma once

#include "quota/engine/cel.h"

enum cel_type {
    CEL_ERROR,
    CEL_NULL,
    CEL_BOOL,
    CEL_INT,
    CEL_REAL,
    CEL_TEXT,
    CEL_LIST,
    CEL_QUANTITY,
    CEL_VERSION,
    CEL_DEVICE,
    CEL_DOMAINS, /* device.attributes, device.capacity */
    CEL_DOMAIN,  /* one entry of those */
};

struct cel_version { /* semantic version */
    int64_t major, minor, patch;
    const char *pre_release; /* "" for a release */
};

struct cel_value {
    enum cel_type type;
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *text;
        struct quantity quantity;
        struct cel_version version;
        struct {
            const struct cel_value *items;
            size_t count;
        } list;
        struct {
            const struct device *device;
            bool capacities; /* else attributes */
            const char *domain;
        } of;
    };
};

enum cel_node_kind { CEL_LITERAL, CEL_NAME, CEL_SELECT, CEL_CALL, CEL_ITEMS, CEL_HAS, CEL_MACRO };

/* Texts and versions made while evaluating live in 'arena'. */
typedef struct cel_value cel_function(const struct cel_value *args, struct arena *arena);

struct cel_node {
    enum cel_node_kind kind;
    const char *name;       /* of the variable, member, function or macro */
    cel_function *function; /* of a call; NULL for "_&&_", "_||_" and "_?_:_" */
    struct cel_value value;
    const char *variable;         /* of a macro */
    const struct cel_node **args; /* the target of a member, method or macro comes first */
    size_t count;
};

struct cel_scope { /* variables of macros, innermost first */
    const char *name;
    struct cel_value value; /* while evaluating */
    const struct cel_scope *outer;
};

/* NULL: there is none with so many arguments, the target included. */
cel_function *cel_function_find(const char *name, bool is_method, size_t count);
bool cel_version_parse(const char *text, struct arena *arena, struct cel_version *out);
