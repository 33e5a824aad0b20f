/* The table of a Workload's states: spec/api.md 5.2. */
#include "tests/unit/admitter/rules/support.h"

#include "admitter/rules/life_cycle.h"

/* Letters: Q quota (with an admission), A admitted, E evicted, P preempted, F finished, q the quota
 * is gone, and x: the admission stands although nothing says that there is quota. */
static json_t *make(const char *letters)
{
    static const struct {
        char letter;
        const char *type, *status;
    } known[] = { { 'Q', "QuotaReserved", "True" }, { 'q', "QuotaReserved", "False" },
                  { 'A', "Admitted", "True" },      { 'E', "Evicted", "True" },
                  { 'P', "Preempted", "True" },     { 'F', "Finished", "True" } };
    const char *list = "";
    bool admission = strpbrk(letters, "Qx") != NULL && !strchr(letters, '-');

    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (strchr(letters, known[i].letter))
            list = arena_format(&arena, "%s%s%s", list, *list ? "," : "",
                                condition(&arena, known[i].type, known[i].status, "R", "", 9));
    return workload("", "",
                    arena_format(&arena, "'conditions':[%s]%s", list,
                                 admission ? ",'admission':{'clusterQueue':'cq'}" : ""));
}

static void states_follow_from_conditions(void **state)
{
    static const struct {
        const char *letters;
        enum life_state state;
    } cases[] = {
        { "", LIFE_PENDING },     { "q", LIFE_PENDING },    { "qE", LIFE_PENDING },
        { "Q", LIFE_RESERVED },   { "QA", LIFE_ADMITTED },  { "QE", LIFE_EVICTED },
        { "QAE", LIFE_EVICTED },  { "QAEP", LIFE_EVICTED }, { "F", LIFE_FINISHED },
        { "QAF", LIFE_FINISHED }, { "qEF", LIFE_FINISHED },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = make(cases[i].letters);

        assert_string_equal(life_state_name(life_state_of(object)),
                            life_state_name(cases[i].state));
        json_decref(object);
    }
}

static void changes_are_events_of_the_table(void **state)
{
    static const struct {
        const char *before, *after;
        enum life_event event;
    } cases[] = {
        { "", "q", LIFE_TELL },
        { "q", "Q", LIFE_RESERVE },
        { "q", "QA", LIFE_START },
        { "qEP", "QA", LIFE_START },
        { "Q", "QA", LIFE_ADMIT },
        { "Q", "QE", LIFE_EVICT },
        { "QA", "QAE", LIFE_EVICT },
        { "QA", "QAEP", LIFE_EVICT },
        { "q", "qE", LIFE_EVICT },
        { "Q", "q", LIFE_RELEASE },
        { "QAE", "qE", LIFE_RELEASE },
        { "QA", "QAF", LIFE_FINISH },
        { "q", "qF", LIFE_FINISH },
        { "QAE", "QAEF", LIFE_FINISH },
        /* what must not be */
        { "QA", "q", LIFE_IMPOSSIBLE }, /* pods may run: they have to be evicted first */
        { "QA", "Q", LIFE_IMPOSSIBLE }, /* never un-admitted by a check */
        { "QE", "QAE", LIFE_IMPOSSIBLE } /* evicted ones are not admitted */,
        { "QAE", "QA", LIFE_IMPOSSIBLE }, /* an eviction is not taken back */
        { "F", "", LIFE_IMPOSSIBLE },
        { "F", "QAF", LIFE_IMPOSSIBLE },
        { "q", "QE", LIFE_IMPOSSIBLE },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *before = make(cases[i].before), *after = make(cases[i].after);
        struct err e = { 0 };

        assert_int_equal(life_event_between(before, after), cases[i].event);
        assert_int_equal(life_check(before, after, &e), cases[i].event == LIFE_IMPOSSIBLE ? -1 : 0);
        json_decref(before);
        json_decref(after);
    }
}

static void a_write_must_not_contradict_itself(void **state)
{
    static const struct {
        const char *before, *after, *flaw; /* the flaw of 'after'; NULL: it is sound */
        bool passes;
    } cases[] = {
        { "q", "Q-", "it has quota without an admission", false },
        { "Q-", "Q-E", "it has quota without an admission", true }, /* it was so before */
        { "Q", "qx", "it has an admission without quota", false },
        { "qx", "q", NULL, true },
        { "qA", "q", NULL, true },
        { "q", "qA", "it is admitted without quota", false },
        { "QA", "QAP", "it is preempted and not evicted", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *before = make(cases[i].before), *after = make(cases[i].after);
        const char *flaw = life_flaw(after);
        struct err e = { 0 };

        assert_string_equal(flaw ? flaw : "", cases[i].flaw ? cases[i].flaw : "");
        assert_int_equal(life_check(before, after, &e), cases[i].passes ? 0 : -1);
        json_decref(before);
        json_decref(after);
    }
}

/* Every state can be left for the end, nothing leads back from there, and each event is used. */
static void the_table_is_whole(void **state)
{
    unsigned used = 0;
    enum life_state next;

    (void)state;
    for (enum life_state from = 0; from < LIFE_STATES; from++) {
        assert_int_equal(life_next(from, LIFE_FINISH, &next), from != LIFE_FINISHED);
        assert_true(life_next(from, LIFE_TELL, &next) && next == from);
        for (enum life_event event = 0; event < LIFE_EVENTS; event++)
            used |= life_next(from, event, &next) ? LIFE_BIT(event) : 0;
    }
    assert_int_equal(used, LIFE_BIT(LIFE_EVENTS) - 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST_WITH_ARENA(states_follow_from_conditions),
        TEST_WITH_ARENA(changes_are_events_of_the_table),
        TEST_WITH_ARENA(a_write_must_not_contradict_itself),
        TEST_WITH_ARENA(the_table_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
