#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/cel_private.h"

#define TEXT_MOST 10240 /* bytes, as in the API */
#define DEPTH_MOST 64
#define ARGUMENTS_MOST 64

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_INT, TOKEN_REAL, TOKEN_TEXT, TOKEN_SIGN };

struct token {
    enum token_kind kind;
    const char *begin;
    struct str text; /* as written; of a text its characters */
};

struct parser {
    const char *start, *at;
    struct token token; /* the next one */
    struct arena *arena;
    struct err *e;
    const struct cel_scope *scope;
    unsigned depth;
    bool failed;
};

static const struct cel_node *parse_expression(struct parser *p);

static const struct cel_node *fail(struct parser *p, const char *what, struct str name)
{
    if (!p->failed)
        err_set(p->e, ERR_INVALID, "1:%zu: %s%.*s%s", (size_t)(p->token.begin - p->start) + 1, what,
                STR_ARGS(name), name.length > 0 ? "'" : "");
    p->failed = true;
    p->token.kind = TOKEN_END;
    return NULL;
}

/* ---- tokens ---- */

static void take_number(struct parser *p)
{
    const char *begin = p->at;
    bool hex = p->at[0] == '0' && (p->at[1] == 'x' || p->at[1] == 'X');

    p->token.kind = TOKEN_INT;
    p->at += hex ? 2 : 0;
    while (hex ? isxdigit((unsigned char)*p->at) : isdigit((unsigned char)*p->at))
        p->at++;
    if (!hex && (*p->at == '.' || *p->at == 'e' || *p->at == 'E')) {
        char *end;

        strtod(begin, &end);
        p->at = end;
        p->token.kind = TOKEN_REAL;
    }
    p->token.text = (struct str){ begin, (size_t)(p->at - begin) };
    if (p->token.kind == TOKEN_INT && (*p->at == 'u' || *p->at == 'U'))
        p->at++;
}

static char escaped(char c)
{
    static const char from[] = "nrtabfv0", to[] = "\n\r\t\a\b\f\v\0";
    const char *found = c ? strchr(from, c) : NULL;

    if (found)
        c = to[found - from];
    return c;
}

static void take_text(struct parser *p, bool raw)
{
    char quote = *p->at++;
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    while (*p->at && *p->at != quote) {
        char c = *p->at++;

        if (c == '\\' && !raw && *p->at)
            c = escaped(*p->at++);
        strbuf_putc(&text, c);
    }
    if (!*p->at) {
        fail(p, "a text does not end", STR(""));
        return;
    }
    p->at++;
    p->token.kind = TOKEN_TEXT;
    p->token.text = (struct str){ arena_dup(p->arena, strbuf_view(&text)), text.length };
}

static void take_name(struct parser *p)
{
    const char *begin = p->at;

    while (isalnum((unsigned char)*p->at) || *p->at == '_')
        p->at++;
    p->token.kind = TOKEN_NAME;
    p->token.text = (struct str){ begin, (size_t)(p->at - begin) };
}

static void take_sign(struct parser *p)
{
    static const char *const pairs[] = { "||", "&&", "==", "!=", "<=", ">=" };
    size_t length = 1;

    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++)
        if (strncmp(p->at, pairs[i], 2) == 0)
            length = 2;
    p->token.kind = TOKEN_SIGN;
    p->token.text = (struct str){ p->at, length };
    p->at += length;
}

static void next(struct parser *p)
{
    if (p->failed)
        return;
    while (isspace((unsigned char)*p->at))
        p->at++;
    p->token = (struct token){ .begin = p->at };
    if (!*p->at)
        return;
    if (isdigit((unsigned char)*p->at)) {
        take_number(p);
    } else if (*p->at == '"' || *p->at == '\'') {
        take_text(p, false);
    } else if ((*p->at == 'r' || *p->at == 'R') && (p->at[1] == '"' || p->at[1] == '\'')) {
        p->at++;
        take_text(p, true);
    } else if (isalpha((unsigned char)*p->at) || *p->at == '_') {
        take_name(p);
    } else {
        take_sign(p);
    }
}

static bool is_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && str_is(p->token.text, sign);
}

static bool accept(struct parser *p, const char *sign)
{
    if (!is_sign(p, sign))
        return false;
    next(p);
    return true;
}

static void expect(struct parser *p, const char *sign)
{
    if (!accept(p, sign))
        fail(p, "expected '", str_of(sign));
}

/* ---- trees ---- */

static struct cel_node *node(struct parser *p, enum cel_node_kind kind, const char *name,
                             const struct cel_node *const *args, size_t count)
{
    struct cel_node *made = ARENA_NEW(p->arena, struct cel_node);

    made->kind = kind;
    made->name = name;
    made->args = ARENA_ARRAY(p->arena, count + 1, const struct cel_node *);
    made->count = count;
    if (count > 0)
        memcpy(made->args, args, count * sizeof(const struct cel_node *));
    return made;
}

static const struct cel_node *literal(struct parser *p, struct cel_value value)
{
    struct cel_node *made = node(p, CEL_LITERAL, "", NULL, 0);

    made->value = value;
    next(p);
    return made;
}

static const struct cel_node *operation(struct parser *p, const char *name,
                                        const struct cel_node *left, const struct cel_node *right)
{
    const struct cel_node *args[] = { left, right };
    struct cel_node *made = node(p, CEL_CALL, name, args, right ? 2 : 1);

    made->function = cel_function_find(name, false, made->count);
    return made;
}

/* Arguments up to 'end'; 'args' has room for ARGUMENTS_MOST, 'count' of them are there. */
static size_t parse_arguments(struct parser *p, const char *end, const struct cel_node **args,
                              size_t count)
{
    if (accept(p, end))
        return count;
    do {
        if (count == ARGUMENTS_MOST) {
            fail(p, "too many arguments", STR(""));
            return count;
        }
        args[count++] = parse_expression(p);
    } while (accept(p, ","));
    expect(p, end);
    return count;
}

static const struct cel_node *parse_call(struct parser *p, const char *name,
                                         const struct cel_node *target)
{
    const struct cel_node *args[ARGUMENTS_MOST] = { target };
    struct token at = p->token;
    size_t count = parse_arguments(p, ")", args, target ? 1 : 0);
    cel_function *function = cel_function_find(name, target != NULL, count);
    struct cel_node *made;

    if (p->failed)
        return NULL;
    if (!target && strcmp(name, "has") == 0 && count == 1 && args[0]->kind == CEL_SELECT)
        return node(p, CEL_HAS, args[0]->name, args[0]->args, 1);
    if (!function) {
        p->token.begin = at.begin;
        return fail(p, "undeclared reference to '", str_of(name));
    }
    made = node(p, CEL_CALL, name, args, count);
    made->function = function;
    return made;
}

static bool is_macro(const char *name)
{
    return strcmp(name, "exists") == 0 || strcmp(name, "all") == 0 ||
           strcmp(name, "exists_one") == 0;
}

/* LIST.exists(x, CONDITION): behind the parenthesis. */
static const struct cel_node *parse_macro(struct parser *p, const char *name,
                                          const struct cel_node *target)
{
    struct cel_scope inner = { .outer = p->scope };
    const struct cel_node *args[2] = { target };
    struct cel_node *made;

    if (p->token.kind != TOKEN_NAME)
        return fail(p, "expected the name of a variable", STR(""));
    inner.name = arena_dup(p->arena, p->token.text);
    next(p);
    expect(p, ",");
    p->scope = &inner;
    args[1] = parse_expression(p);
    p->scope = inner.outer;
    expect(p, ")");
    made = node(p, CEL_MACRO, name, args, 2);
    made->variable = inner.name;
    return made;
}

static const struct cel_node *parse_member(struct parser *p, const struct cel_node *target)
{
    const char *name = arena_dup(p->arena, p->token.text);

    if (p->token.kind != TOKEN_NAME)
        return fail(p, "expected the name of a member", STR(""));
    next(p);
    if (!accept(p, "("))
        return node(p, CEL_SELECT, name, &target, 1);
    return is_macro(name) ? parse_macro(p, name, target) : parse_call(p, name, target);
}

static const struct cel_node *parse_variable(struct parser *p, const char *name)
{
    bool known = strcmp(name, "device") == 0;

    for (const struct cel_scope *s = p->scope; s; s = s->outer)
        known |= strcmp(s->name, name) == 0;
    if (!known)
        return fail(p, "undeclared reference to '", str_of(name));
    next(p);
    return node(p, CEL_NAME, name, NULL, 0);
}

static const struct cel_node *parse_name(struct parser *p)
{
    const char *name = arena_dup(p->arena, p->token.text);
    const char *after = p->at;

    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
        return literal(p, (struct cel_value){ CEL_BOOL, { .boolean = *name == 't' } });
    if (strcmp(name, "null") == 0)
        return literal(p, (struct cel_value){ .type = CEL_NULL });
    while (isspace((unsigned char)*after))
        after++;
    if (*after != '(')
        return parse_variable(p, name);
    next(p);
    next(p);
    return parse_call(p, name, NULL);
}

static const struct cel_node *parse_integer(struct parser *p)
{
    int64_t value;

    if (str_starts(p->token.text, "0x") || str_starts(p->token.text, "0X"))
        value = (int64_t)strtoull(p->token.text.text, NULL, 16);
    else if (!str_to_int64(p->token.text, &value))
        return fail(p, "a number is too large", STR(""));
    return literal(p, (struct cel_value){ CEL_INT, { .integer = value } });
}

static const struct cel_node *parse_items(struct parser *p)
{
    const struct cel_node *items[ARGUMENTS_MOST];
    size_t count;

    next(p);
    count = parse_arguments(p, "]", items, 0);
    return node(p, CEL_ITEMS, "", items, count);
}

static const struct cel_node *parse_primary(struct parser *p)
{
    const struct cel_node *inner;

    if (p->token.kind == TOKEN_NAME)
        return parse_name(p);
    if (p->token.kind == TOKEN_INT)
        return parse_integer(p);
    if (p->token.kind == TOKEN_REAL)
        return literal(
            p, (struct cel_value){ CEL_REAL, { .real = strtod(p->token.text.text, NULL) } });
    if (p->token.kind == TOKEN_TEXT)
        return literal(p, (struct cel_value){ CEL_TEXT, { .text = p->token.text.text } });
    if (is_sign(p, "["))
        return parse_items(p);
    if (!accept(p, "("))
        return fail(p, p->token.kind == TOKEN_END ? "unexpected end" : "unexpected '",
                    p->token.text);
    inner = parse_expression(p);
    expect(p, ")");
    return inner;
}

static const struct cel_node *parse_unary(struct parser *p)
{
    const struct cel_node *made;

    if (is_sign(p, "!") || is_sign(p, "-")) {
        const char *name = is_sign(p, "!") ? "!_" : "-_";

        if (++p->depth > DEPTH_MOST)
            return fail(p, "nested too deeply", STR(""));
        next(p);
        made = operation(p, name, parse_unary(p), NULL);
        p->depth--;
        return made;
    }
    made = parse_primary(p);
    while (!p->failed) {
        if (accept(p, ".")) {
            made = parse_member(p, made);
        } else if (accept(p, "[")) {
            made = operation(p, "_[_]", made, parse_expression(p));
            expect(p, "]");
        } else {
            break;
        }
    }
    return made;
}

/* Operators by how tightly they bind, loosest first. */
static const struct {
    const char *sign, *name;
    unsigned level;
} operators[] = {
    { "||", "_||_", 0 }, { "&&", "_&&_", 1 }, { "==", "_==_", 2 }, { "!=", "_!=_", 2 },
    { "<=", "_<=_", 2 }, { ">=", "_>=_", 2 }, { "<", "_<_", 2 },   { ">", "_>_", 2 },
    { "in", "@in", 2 },  { "+", "_+_", 3 },   { "-", "_-_", 3 },   { "*", "_*_", 4 },
    { "/", "_/_", 4 },   { "%", "_%_", 4 },
};
#define LEVELS 5

static const char *operator_here(const struct parser *p, unsigned level)
{
    if (p->token.kind != TOKEN_SIGN && p->token.kind != TOKEN_NAME)
        return NULL;
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++)
        if (operators[i].level == level && str_is(p->token.text, operators[i].sign))
            return operators[i].name;
    return NULL;
}

static const struct cel_node *parse_binary(struct parser *p, unsigned level)
{
    const struct cel_node *left = level == LEVELS ? parse_unary(p) : parse_binary(p, level + 1);
    const char *name;

    while (level < LEVELS && !p->failed && (name = operator_here(p, level))) {
        next(p);
        left = operation(p, name, left, parse_binary(p, level + 1));
    }
    return left;
}

static const struct cel_node *parse_expression(struct parser *p)
{
    const struct cel_node *args[3];

    if (++p->depth > DEPTH_MOST)
        return fail(p, "nested too deeply", STR(""));
    args[0] = parse_binary(p, 0);
    if (accept(p, "?")) {
        args[1] = parse_binary(p, 0);
        expect(p, ":");
        args[2] = parse_expression(p);
        args[0] = node(p, CEL_CALL, "_?_:_", args, 3);
    }
    p->depth--;
    return args[0];
}

int cel_parse(const char *text, struct arena *a, const struct cel_node **out, struct err *e)
{
    struct parser p = { .start = text, .at = text, .arena = a, .e = e };

    if (strlen(text) > TEXT_MOST)
        return err_set(e, ERR_INVALID, "1:1: longer than %d bytes", TEXT_MOST);
    next(&p);
    *out = parse_expression(&p);
    if (!p.failed && p.token.kind != TOKEN_END)
        fail(&p, "unexpected '", p.token.text);
    return p.failed ? -1 : 0;
}
