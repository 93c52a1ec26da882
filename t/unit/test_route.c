
#include "test.h"

#include "contract/sg_route.h"


#define COLLECTION  (SG_OP(sg_op_create) | SG_OP(sg_op_list))
#define SYSTEM      SG_OP(sg_op_list_system)
#define SEGMENT     (SG_OP(sg_op_get) | SG_OP(sg_op_update)                    \
                     | SG_OP(sg_op_delete))

#define ID_64   "0123456789abcdefghijklmnopqrstuv"                            \
                "wxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._"
#define ID_256  ID_64 ID_64 ID_64 ID_64


static void
documented_paths(void **state)
{
    static const struct {
        sg_method_e     method;
        const char     *suffix;
        sg_operation_e  operation;
        const char     *path;
    } rows[] = {
        { sg_method_post, "", sg_op_create, "/v4/segments" },
        { sg_method_get, "", sg_op_list, "/v4/segments" },
        { sg_method_get, "/system", sg_op_list_system, "/v4/segments/system" },
        { sg_method_get, "/premium-users", sg_op_get,
          "/v4/segments/premium-users" },
        { sg_method_put, "/premium-users", sg_op_update,
          "/v4/segments/premium-users" },
        { sg_method_delete, "/a", sg_op_delete, "/v4/segments/a" },
        { sg_method_get, "/System", sg_op_get, "/v4/segments/System" },
        { sg_method_get, "/systems", sg_op_get, "/v4/segments/systems" },
        { sg_method_get, "/...", sg_op_get, "/v4/segments/..." },
        { sg_method_get, "/.a", sg_op_get, "/v4/segments/.a" },
        { sg_method_get, "/" ID_256, sg_op_get, "/v4/segments/" ID_256 }
    };

    size_t      i;
    sg_buf_t    path;
    sg_route_t  route;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        check_int(rows[i].suffix,
                  sg_route(&route, rows[i].method, str(rows[i].suffix),
                           SG_OP_ALL),
                  sg_route_ok);
        check_int(rows[i].suffix, route.operation, rows[i].operation);

        sg_buf_init(&path);
        sg_route_path(&path, &route);
        check_buf(rows[i].suffix, &path, rows[i].path);
        sg_buf_free(&path);
    }
}


static void
refused_paths(void **state)
{
    static const struct {
        const char  *suffix;
        sg_route_e   rc;
    } rows[] = {
        { "/", sg_route_no_path },
        { "//", sg_route_no_path },
        { "//system", sg_route_no_path },
        { "//a", sg_route_no_path },
        { "/a/", sg_route_no_path },
        { "/system/", sg_route_no_path },
        { "/a/b", sg_route_no_path },
        { "/a/../b", sg_route_no_path },
        { "a", sg_route_no_path },
        { "system", sg_route_no_path },
        { "/.", sg_route_bad_id },
        { "/..", sg_route_bad_id },
        { "/a b", sg_route_bad_id },
        { "/a%20b", sg_route_bad_id },
        { "/a;b", sg_route_bad_id },
        { "/a?b", sg_route_bad_id },
        { "/a\\b", sg_route_bad_id },
        { "/a~", sg_route_bad_id },
        { "/\xc3\xa9", sg_route_bad_id },
        { "/" ID_256 "x", sg_route_bad_id }
    };

    size_t       i;
    sg_route_t   route;
    sg_method_e  method;

    (void) state;

    for (i = 0; i < N(rows); i++) {

        /* the path is judged first, whatever the method */

        for (method = sg_method_get; method <= sg_method_other; method++) {
            check_int(rows[i].suffix,
                      sg_route(&route, method, str(rows[i].suffix), SG_OP_ALL),
                      rows[i].rc);
        }
    }

    assert_int_equal(sg_route(&route, sg_method_get, STR("/a\0b"), SG_OP_ALL),
                     sg_route_bad_id);
}


static void
methods(void **state)
{
    static const struct {
        const char  *suffix;
        unsigned     path_ops;
        unsigned     methods;           /* bits of sg_method_e */
    } rows[] = {
        { "", COLLECTION, 1u << sg_method_get | 1u << sg_method_post },
        { "/system", SYSTEM, 1u << sg_method_get },
        { "/a", SEGMENT,
          1u << sg_method_get | 1u << sg_method_put | 1u << sg_method_delete }
    };

    size_t       i;
    sg_route_e   rc;
    sg_route_t   route;
    sg_method_e  method;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        for (method = sg_method_get; method <= sg_method_other; method++) {
            rc = sg_route(&route, method, str(rows[i].suffix), SG_OP_ALL);

            check_int(rows[i].suffix, rc,
                      (rows[i].methods & (1u << method)) ? sg_route_ok
                                                         : sg_route_no_method);
            check_int(rows[i].suffix, route.path_ops, rows[i].path_ops);
        }
    }
}


static void
operations_not_allowed(void **state)
{
    static const struct {
        sg_method_e  method;
        const char  *suffix;
        unsigned     allowed;
        sg_route_e   rc;
    } rows[] = {
        { sg_method_post, "", SG_OP(sg_op_create), sg_route_ok },
        { sg_method_get, "", SG_OP(sg_op_create), sg_route_no_method },
        { sg_method_get, "", SG_OP(sg_op_list_system), sg_route_no_method },
        { sg_method_get, "/system", SG_OP(sg_op_get), sg_route_no_method },
        { sg_method_get, "/a", SG_OP(sg_op_list_system), sg_route_no_method },
        { sg_method_delete, "/a", SG_OP(sg_op_update), sg_route_no_method },
        { sg_method_post, "", 0, sg_route_no_method }
    };

    size_t      i;
    sg_route_t  route;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        check_int(rows[i].suffix,
                  sg_route(&route, rows[i].method, str(rows[i].suffix),
                           rows[i].allowed),
                  rows[i].rc);
    }
}


static void
allow(void **state)
{
    static const struct {
        unsigned     ops;
        const char  *value;
    } rows[] = {
        { 0, "" },
        { SG_OP(sg_op_create), "POST" },
        { COLLECTION, "GET, POST" },
        { SYSTEM, "GET" },
        { SEGMENT, "GET, PUT, DELETE" },
        { SG_OP(sg_op_update) | SG_OP(sg_op_delete), "PUT, DELETE" },
        { SG_OP_ALL, "GET, POST, PUT, DELETE" }
    };

    size_t    i;
    sg_buf_t  value;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        sg_buf_init(&value);
        sg_route_allow(&value, rows[i].ops);
        check_buf(rows[i].value, &value, rows[i].value);
        sg_buf_free(&value);
    }
}


static void
operations(void **state)
{
    static const struct {
        const char  *name;
        int          has_body;
    } rows[sg_op_n] = {
        [sg_op_create] = { "create", 1 },
        [sg_op_list] = { "list", 0 },
        [sg_op_list_system] = { "list_system", 0 },
        [sg_op_get] = { "get", 0 },
        [sg_op_update] = { "update", 1 },
        [sg_op_delete] = { "delete", 0 }
    };

    sg_operation_e  op;

    (void) state;

    for (op = sg_op_create; op < sg_op_n; op++) {
        assert_string_equal(sg_operation_name(op), rows[op].name);
        check_int(rows[op].name, sg_operation_has_body(op), rows[op].has_body);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(documented_paths),
        cmocka_unit_test(refused_paths),
        cmocka_unit_test(methods),
        cmocka_unit_test(operations_not_allowed),
        cmocka_unit_test(allow),
        cmocka_unit_test(operations)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
