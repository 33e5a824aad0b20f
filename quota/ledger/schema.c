#include "quota/ledger/schema.h"

#include <stdio.h>

#include "quota/base/mem.h"

/* Step n brings version n-1 to version n. Steps are never changed once released: add one. */
static const char *const steps[] = {
    /* 1: times are nanoseconds since 1970; a NULL end means "still so". */
    "CREATE TABLE meta("
    "  key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO meta VALUES('opened', 0);"

    "CREATE TABLE objects("
    "  id INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,"
    "  spec TEXT) STRICT;" /* NULL: deleted */
    "CREATE INDEX objects_name ON objects(kind, name, id);"
    "CREATE INDEX objects_time ON objects(time);"

    "CREATE TABLE workloads("
    "  uid TEXT PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, queue TEXT NOT NULL,"
    "  cluster_queue TEXT NOT NULL, priority INTEGER NOT NULL, created INTEGER NOT NULL,"
    "  gone INTEGER) STRICT, WITHOUT ROWID;"
    "CREATE INDEX workloads_queue ON workloads(namespace, queue);"
    "CREATE INDEX workloads_gone ON workloads(gone) WHERE gone IS NOT NULL;"

    /* The counts and the sum let a reader see that a gang is whole. */
    "CREATE TABLE intents("
    "  id INTEGER PRIMARY KEY, time INTEGER NOT NULL, cycle INTEGER NOT NULL, uid TEXT NOT NULL,"
    "  namespace TEXT NOT NULL, name TEXT NOT NULL, cluster_queue TEXT NOT NULL,"
    "  pod_sets INTEGER NOT NULL, amounts INTEGER NOT NULL, total INTEGER NOT NULL,"
    "  state TEXT NOT NULL DEFAULT 'open' CHECK(state IN ('open', 'confirmed', 'undone')),"
    "  closed INTEGER, reason TEXT NOT NULL DEFAULT '',"
    "  CHECK((state = 'open') = (closed IS NULL))) STRICT;"
    "CREATE INDEX intents_open ON intents(id) WHERE state = 'open';"
    "CREATE INDEX intents_name ON intents(namespace, name, time);"
    "CREATE INDEX intents_time ON intents(time);"
    "CREATE TABLE intent_pod_sets("
    "  intent INTEGER NOT NULL REFERENCES intents(id) ON DELETE CASCADE, position INTEGER NOT NULL,"
    "  name TEXT NOT NULL, count INTEGER NOT NULL,"
    "  PRIMARY KEY(intent, position)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE intent_amounts("
    "  intent INTEGER NOT NULL, position INTEGER NOT NULL, resource TEXT NOT NULL,"
    "  flavor TEXT NOT NULL, amount INTEGER NOT NULL,"
    "  PRIMARY KEY(intent, position, resource, flavor),"
    "  FOREIGN KEY(intent, position) REFERENCES intent_pod_sets ON DELETE CASCADE)"
    "  STRICT, WITHOUT ROWID;"

    "CREATE TABLE decisions("
    "  id INTEGER PRIMARY KEY, time INTEGER NOT NULL, cycle INTEGER NOT NULL, uid TEXT NOT NULL,"
    "  namespace TEXT NOT NULL, name TEXT NOT NULL, cluster_queue TEXT NOT NULL,"
    "  outcome TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,"
    "  inputs TEXT NOT NULL) STRICT;"
    "CREATE INDEX decisions_name ON decisions(namespace, name, time);"
    "CREATE INDEX decisions_time ON decisions(time);"

    "CREATE TABLE usage("
    "  id INTEGER PRIMARY KEY, uid TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,"
    "  cluster_queue TEXT NOT NULL, flavor TEXT NOT NULL, resource TEXT NOT NULL,"
    "  amount INTEGER NOT NULL, from_time INTEGER NOT NULL, to_time INTEGER,"
    "  CHECK(to_time IS NULL OR to_time >= from_time)) STRICT;"
    "CREATE UNIQUE INDEX usage_open ON usage(uid, flavor, resource) WHERE to_time IS NULL;"
    "CREATE INDEX usage_uid ON usage(uid, flavor, resource, to_time);"
    "CREATE INDEX usage_name ON usage(namespace, name, from_time);"
    "CREATE INDEX usage_from ON usage(from_time);"

    "CREATE TABLE shares("
    "  queue TEXT PRIMARY KEY, consumed TEXT NOT NULL, updated INTEGER NOT NULL)"
    "  STRICT, WITHOUT ROWID;",
};

static const char *const statements[] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_SAVE] = "SAVEPOINT one",
    [STATEMENT_RELEASE] = "RELEASE one",
    [STATEMENT_BACK] = "ROLLBACK TO one",
    [STATEMENT_SYNC_FULL] = "PRAGMA synchronous=FULL",
    [STATEMENT_SYNC_NORMAL] = "PRAGMA synchronous=NORMAL",
    [STATEMENT_TOUCH] = "UPDATE meta SET value = value + ?1 WHERE key = 'opened'",
    [STATEMENT_INTENT] =
        "INSERT INTO intents(id, time, cycle, uid, namespace, name, cluster_queue, pod_sets,"
        " amounts, total) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [STATEMENT_POD_SET] = "INSERT INTO intent_pod_sets VALUES(?1, ?2, ?3, ?4)",
    [STATEMENT_AMOUNT] = "INSERT INTO intent_amounts VALUES(?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_RESOLVE] = "UPDATE intents SET state = ?2, closed = ?3, reason = ?4"
                          " WHERE id = ?1 AND state = 'open'",
    [STATEMENT_USAGE_HELD] = "SELECT id, flavor, resource, amount, cluster_queue FROM usage"
                             " WHERE uid = ?1 AND to_time IS NULL ORDER BY id",
    [STATEMENT_USAGE_CLOSE] = "UPDATE usage SET to_time = max(from_time, ?2) WHERE id = ?1",
    /* A clock that steps back must not make intervals overlap. */
    [STATEMENT_USAGE_OPEN] =
        "INSERT INTO usage(uid, namespace, name, cluster_queue, flavor, resource, amount, "
        "from_time)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, max(?8, ifnull((SELECT max(to_time) FROM usage"
        " WHERE uid = ?1 AND flavor = ?5 AND resource = ?6), ?8)))",
    [STATEMENT_DECISION] =
        "INSERT INTO decisions(time, cycle, uid, namespace, name, cluster_queue, outcome, reason,"
        " message, inputs) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [STATEMENT_OBJECT] =
        "INSERT INTO objects(time, kind, name, spec) SELECT ?1, ?2, ?3, ?4 WHERE ?4 IS NOT"
        " (SELECT spec FROM objects WHERE kind = ?2 AND name = ?3 ORDER BY id DESC LIMIT 1)",
    [STATEMENT_WORKLOAD] =
        "INSERT INTO workloads VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(uid) DO UPDATE"
        " SET queue = ?4, cluster_queue = ?5, priority = ?6, created = ?7, gone = ?8",
    [STATEMENT_SHARE] = "INSERT INTO shares VALUES(?1, ?2, ?3) ON CONFLICT(queue) DO UPDATE"
                        " SET consumed = ?2, updated = ?3",
    [STATEMENT_SHARE_FORGET] = "DELETE FROM shares WHERE queue = ?1",
};

/* The version this program writes; versions count from 1. */
static int schema_version(void)
{
    return (int)ARRAY_COUNT(steps);
}

const char *schema_statement(enum statement which)
{
    return statements[which];
}

/* *version: 0 for an empty file. */
static int schema_identify(struct store *s, int64_t *version, struct err *e)
{
    int64_t id = store_number(s, "PRAGMA application_id", -1);
    int64_t tables = store_number(s, "SELECT count(*) FROM sqlite_schema", -1);

    *version = store_number(s, "PRAGMA user_version", -1);
    if (tables < 0 || id < 0 || *version < 0)
        return store_error(s, NULL, e);
    if (id != SCHEMA_APPLICATION_ID && (tables > 0 || id != 0 || *version != 0))
        return err_set(e, ERR_INVALID,
                       "ledger %s: an SQLite database of another program "
                       "(application id 0x%llx)",
                       s->path, (long long)id);
    if (*version > schema_version())
        return err_set(e, ERR_INVALID,
                       "ledger %s: has schema version %lld, this program knows up to %d; use the "
                       "newer program, or another file",
                       s->path, (long long)*version, schema_version());
    return 0;
}

static int schema_step(struct store *s, int64_t version, struct err *e)
{
    char *sql = mem_format("BEGIN IMMEDIATE; %s PRAGMA application_id=%d; PRAGMA user_version=%lld;"
                           " COMMIT;",
                           steps[version - 1], SCHEMA_APPLICATION_ID, (long long)version);
    int result = store_execute(s, sql);

    free(sql);
    if (result == 0)
        return 0;
    store_error(s, "migration", e);
    store_roll_back(s);
    return -1;
}

int schema_migrate(struct store *s, struct err *e)
{
    int64_t version;

    if (schema_identify(s, &version, e) < 0)
        return -1;
    while (version < schema_version())
        if (schema_step(s, ++version, e) < 0)
            return -1;
    return 0;
}

int schema_expect(struct store *s, struct err *e)
{
    int64_t version;

    if (schema_identify(s, &version, e) < 0)
        return -1;
    if (version != schema_version())
        return err_set(e, ERR_INVALID, "ledger %s: %s", s->path,
                       version == 0 ? "holds no ledger"
                                    : "has an older schema; start the controller with it once");
    return 0;
}
