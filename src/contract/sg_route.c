
/*
 * The six documented operations, and which of them a request asks for.
 */

#include "contract/sg_route.h"

#include <string.h>


#define SG_SEGMENT_ID_MAX  256

#define SG_COLLECTION_OPS  (SG_OP(sg_op_create) | SG_OP(sg_op_list))
#define SG_SYSTEM_OPS      SG_OP(sg_op_list_system)
#define SG_SEGMENT_OPS                                                        \
    (SG_OP(sg_op_get) | SG_OP(sg_op_update) | SG_OP(sg_op_delete))


typedef struct {
    const char           *name;
    sg_method_e           method;
} sg_operation_t;


static sg_route_e sg_route_suffix(sg_route_t *route, sg_str_t suffix);


static const sg_str_t  sg_system_suffix = sg_string("/system");


static const sg_operation_t  sg_operations[sg_op_n] = {
    [sg_op_create] = { "create", sg_method_post },
    [sg_op_list] = { "list", sg_method_get },
    [sg_op_list_system] = { "list_system", sg_method_get },
    [sg_op_get] = { "get", sg_method_get },
    [sg_op_update] = { "update", sg_method_put },
    [sg_op_delete] = { "delete", sg_method_delete }
};


static const char *const  sg_method_names[sg_method_other] = {
    [sg_method_get] = "GET",
    [sg_method_post] = "POST",
    [sg_method_put] = "PUT",
    [sg_method_delete] = "DELETE"
};


sg_route_e
sg_route(sg_route_t *route, sg_method_e method, sg_str_t suffix,
    unsigned allowed)
{
    unsigned    i;
    sg_route_e  rc;

    rc = sg_route_suffix(route, suffix);
    if (rc != sg_route_ok) {
        return rc;
    }

    for (i = 0; i < sg_op_n; i++) {

        if ((route->path_ops & allowed & SG_OP(i))
            && sg_operations[i].method == method)
        {
            route->operation = (sg_operation_e) i;
            return sg_route_ok;
        }
    }

    return sg_route_no_method;
}


static sg_route_e
sg_route_suffix(sg_route_t *route, sg_str_t suffix)
{
    route->operation = sg_op_n;
    route->id.data = suffix.data;
    route->id.len = 0;
    route->path_ops = 0;

    if (suffix.len == 0) {
        route->path_ops = SG_COLLECTION_OPS;
        return sg_route_ok;
    }

    if (sg_str_eq(suffix, sg_system_suffix)) {
        route->path_ops = SG_SYSTEM_OPS;
        return sg_route_ok;
    }

    if (suffix.len == 1
        || suffix.data[0] != '/'
        || memchr(suffix.data + 1, '/', suffix.len - 1) != NULL)
    {
        return sg_route_no_path;
    }

    route->id.data = suffix.data + 1;
    route->id.len = suffix.len - 1;

    if (!sg_segment_id_ok(route->id)) {
        return sg_route_bad_id;
    }

    route->path_ops = SG_SEGMENT_OPS;

    return sg_route_ok;
}


int
sg_segment_id_ok(sg_str_t id)
{
    size_t         i;
    unsigned char  ch;

    if (id.len == 0 || id.len > SG_SEGMENT_ID_MAX) {
        return 0;
    }

    for (i = 0; i < id.len; i++) {
        ch = id.data[i];

        if (!((ch >= 'a' && ch <= 'z')
              || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9')
              || ch == '.' || ch == '_' || ch == '-'))
        {
            return 0;
        }
    }

    /* "." and ".." */

    return id.len > 2 || id.data[0] != '.' || id.data[id.len - 1] != '.';
}


void
sg_route_allow(sg_buf_t *out, unsigned ops)
{
    unsigned     i, method, methods;
    const char  *separator;

    methods = 0;

    for (i = 0; i < sg_op_n; i++) {
        if (ops & SG_OP(i)) {
            methods |= 1u << sg_operations[i].method;
        }
    }

    separator = "";

    for (method = 0; method < sg_method_other; method++) {
        if (methods & (1u << method)) {
            sg_buf_add_cstr(out, separator);
            sg_buf_add_cstr(out, sg_method_names[method]);
            separator = ", ";
        }
    }
}


int
sg_route_is_collection(const sg_route_t *route)
{
    return route->path_ops == SG_COLLECTION_OPS;
}


void
sg_route_path(sg_buf_t *out, const sg_route_t *route)
{
    sg_buf_add_literal(out, SG_COLLECTION);

    if (route->operation == sg_op_list_system) {
        sg_buf_add_str(out, sg_system_suffix);

    } else if (route->id.len) {
        sg_buf_add_cstr(out, "/");
        sg_buf_add_str(out, route->id);
    }
}


const char *
sg_operation_name(sg_operation_e operation)
{
    return sg_operations[operation].name;
}


int
sg_operation_has_body(sg_operation_e operation)
{
    return operation == sg_op_create || operation == sg_op_update;
}
