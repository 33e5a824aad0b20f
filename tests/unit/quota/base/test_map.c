#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "quota/base/hash.h"
#include "quota/base/intern.h"
#include "quota/base/map.h"
#include "quota/base/mem.h"

static void siphash_1_3_equals_its_published_vectors(void **state)
{
    /* Key 00 01 .. 0f, input 00 01 .. (n-1), as in the authors' reference program with one and
     * three rounds. */
    const struct hash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
    const uint64_t expected[] = { UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93),
                                  UINT64_C(0x82cb9b024dc7d44d), UINT64_C(0x8bf80ab8e7ddf7fb),
                                  UINT64_C(0xcf75576088d38328) };
    const char input[] = { 0, 1, 2, 3 };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
        assert_true(siphash_text(key, (struct str){ input, i }) == expected[i]);
}

static struct str number_text(char *buffer, unsigned number)
{
    int length = snprintf(buffer, 16, "k%u", number);

    return (struct str){ buffer, (size_t)length };
}

/* Random puts and removes against a plain array. */
static void a_map_agrees_with_an_array_under_random_changes(void **state)
{
    enum { KEYS = 300, STEPS = 60000 };
    static int values[KEYS];
    void *shadow[KEYS] = { NULL };
    struct map *m = map_create();
    size_t count = 0;
    unsigned seed = 42;

    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned k = (unsigned)rand_r(&seed) % KEYS;
        bool put = rand_r(&seed) % 5 < (step / 10000 % 2 ? 1 : 3);
        char buffer[16];
        struct str key = number_text(buffer, k);

        if (put) {
            void *value = &values[(unsigned)rand_r(&seed) % KEYS];

            assert_ptr_equal(map_put(m, key, value), shadow[k]);
            count += shadow[k] == NULL;
            shadow[k] = value;
        } else {
            assert_ptr_equal(map_remove(m, key), shadow[k]);
            count -= shadow[k] != NULL;
            shadow[k] = NULL;
        }
        assert_int_equal(map_count(m), count);
        k = (unsigned)rand_r(&seed) % KEYS;
        assert_ptr_equal(map_get(m, number_text(buffer, k)), shadow[k]);
    }
    map_destroy(m);
}

static bool value_is_odd(struct str key, void *value, void *context)
{
    (void)key;
    ++*(unsigned *)context;
    return *(int *)value % 2 != 0;
}

static void remove_if_visits_each_entry_once(void **state)
{
    enum { KEYS = 1000 };
    static int values[KEYS];
    struct map *m = map_create();
    unsigned visited = 0;
    size_t seen = 0;

    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        char buffer[16];

        values[i] = (int)i;
        map_put(m, number_text(buffer, i), &values[i]);
    }
    map_remove_if(m, value_is_odd, &visited);
    assert_int_equal(visited, KEYS);
    assert_int_equal(map_count(m), KEYS / 2);
    for (struct map_entry entry; map_next(m, &seen, &entry);)
        assert_int_equal(*(int *)entry.value % 2, 0);
    map_destroy(m);
}

static void sorted_entries_come_in_byte_order(void **state)
{
    static const char *const keys[] = { "b", "", "a", "ab", "B", "\xff" };
    static const char *const sorted[] = { "", "B", "a", "ab", "b", "\xff" };
    struct map *m = map_create();
    AUTO_FREE struct map_entry *entries = NULL;
    int value;

    (void)state;
    entries = map_sorted(m);
    free(entries);
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        map_put(m, str_of(keys[i]), &value);
    entries = map_sorted(m);
    for (size_t i = 0; i < ARRAY_COUNT(sorted); i++)
        assert_string_equal(entries[i].key.text, sorted[i]);
    map_destroy(m);
}

static void keys_may_hold_nul_bytes(void **state)
{
    struct map *m = map_create();
    int one, two;

    (void)state;
    map_put(m, (struct str){ "a\0b", 3 }, &one);
    map_put(m, (struct str){ "a\0c", 3 }, &two);
    assert_ptr_equal(map_get(m, (struct str){ "a\0b", 3 }), &one);
    assert_null(map_get(m, STR("a")));
    map_destroy(m);
}

static void a_number_map_agrees_with_an_array_under_random_changes(void **state)
{
    enum { KEYS = 200 };
    static int values[KEYS];
    void *shadow[KEYS] = { NULL };
    struct id_map *m = id_map_create();
    unsigned seed = 7;
    size_t at = 0, seen = 0;
    uint64_t key;
    void *value;

    (void)state;
    for (unsigned step = 0; step < 30000; step++) {
        uint64_t k = (uint64_t)rand_r(&seed) % KEYS;

        if (rand_r(&seed) % 2) {
            assert_ptr_equal(id_map_put(m, k << 40, &values[k]), shadow[k]);
            shadow[k] = &values[k];
        } else {
            assert_ptr_equal(id_map_remove(m, k << 40), shadow[k]);
            shadow[k] = NULL;
        }
        k = (uint64_t)rand_r(&seed) % KEYS;
        assert_ptr_equal(id_map_get(m, k << 40), shadow[k]);
    }
    while (id_map_next(m, &at, &key, &value)) {
        assert_ptr_equal(shadow[key >> 40], value);
        seen++;
    }
    assert_int_equal(seen, id_map_count(m));
    id_map_destroy(m);
}

static void interned_names_count_up_and_stay(void **state)
{
    enum { NAMES = 5000 };
    struct intern *table = intern_create();
    const char *first;

    (void)state;
    assert_int_equal(intern_put(table, STR("")), 0);
    assert_int_equal(intern_put(table, STR("alpha")), 1);
    first = intern_text(table, 1);
    for (unsigned i = 0; i < NAMES; i++) {
        char buffer[16];

        assert_int_equal(intern_find(table, number_text(buffer, i)), 0);
        assert_int_equal(intern_put(table, number_text(buffer, i)), i + 2);
    }
    for (unsigned i = 0; i < NAMES; i++) {
        char buffer[16];

        assert_int_equal(intern_put(table, number_text(buffer, i)), i + 2);
        assert_int_equal(intern_find(table, number_text(buffer, i)), i + 2);
        assert_string_equal(intern_text(table, i + 2), buffer);
    }
    assert_ptr_equal(intern_text(table, 1), first);
    assert_string_equal(intern_text(table, 0), "");
    intern_destroy(table);
}

static void a_borrowing_map_keeps_no_copies(void **state)
{
    struct map *m = map_create_borrowing();
    char first[] = "first", second[] = "second", same[] = "first";
    struct map_entry entry;
    size_t at = 0;

    (void)state;
    assert_null(map_put(m, str_of(first), first));
    assert_ptr_equal(map_put(m, str_of(same), same), first);
    assert_true(map_next(m, &at, &entry));
    assert_ptr_equal(entry.key.text, first);
    map_put(m, str_of(second), second);
    assert_ptr_equal(map_remove(m, str_of(same)), same);
    assert_ptr_equal(map_get(m, str_of("second")), second);
    map_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_1_3_equals_its_published_vectors),
        cmocka_unit_test(a_map_agrees_with_an_array_under_random_changes),
        cmocka_unit_test(remove_if_visits_each_entry_once),
        cmocka_unit_test(sorted_entries_come_in_byte_order),
        cmocka_unit_test(keys_may_hold_nul_bytes),
        cmocka_unit_test(a_borrowing_map_keeps_no_copies),
        cmocka_unit_test(a_number_map_agrees_with_an_array_under_random_changes),
        cmocka_unit_test(interned_names_count_up_and_stay),
    };

    map_seed(0x5eed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
