
/*
 * The six documented operations, and which of them a request asks for
 * (documentation: reference/v4/segments).
 */

#ifndef SG_ROUTE_H
#define SG_ROUTE_H


#include "contract/sg_buf.h"


typedef enum {
    sg_op_create = 0,
    sg_op_list,
    sg_op_list_system,
    sg_op_get,
    sg_op_update,
    sg_op_delete,
    sg_op_n                             /* how many there are */
} sg_operation_e;


#define SG_OP(operation)  (1u << (operation))
#define SG_OP_ALL         (SG_OP(sg_op_n) - 1)


typedef enum {
    sg_method_get = 0,
    sg_method_post,
    sg_method_put,
    sg_method_delete,
    sg_method_other
} sg_method_e;


typedef enum {
    sg_route_ok = 0,
    sg_route_no_path,                   /* no documented path */
    sg_route_bad_id,                    /* id outside [A-Za-z0-9._-]{1,256} */
    sg_route_no_method                  /* path documented, method not, or the
                                           operation is not allowed here */
} sg_route_e;


typedef struct {
    sg_operation_e        operation;    /* valid when sg_route_ok */
    sg_str_t              id;           /* within the parsed path, or empty */
    unsigned              path_ops;     /* SG_OP() mask of what is documented
                                           on this path; valid when
                                           sg_route_ok or sg_route_no_method */
} sg_route_t;


/*
 * "suffix" is what follows the collection's own path: "", "/system",
 * "/premium-users".  "allowed" is an SG_OP() mask.  The path is judged before
 * the method.  An id of "." or ".." is bad: it would be a dot segment.
 */
sg_route_e sg_route(sg_route_t *route, sg_method_e method, sg_str_t suffix,
    unsigned allowed);

/* 1 when "id" can name a segment */
int sg_segment_id_ok(sg_str_t id);

/* appends the value of an Allow header: "GET, POST"; nothing for no method */
void sg_route_allow(sg_buf_t *out, unsigned ops);

/* the path of all segments, and whether it is the route's */
#define SG_COLLECTION  "/v4/segments"
int sg_route_is_collection(const sg_route_t *route);

/* appends the upstream's path, as "/v4/segments/premium-users" */
void sg_route_path(sg_buf_t *out, const sg_route_t *route);

/* "create", "list", "list_system", "get", "update", "delete"; static */
const char *sg_operation_name(sg_operation_e operation);

/* 1 when the operation carries a JSON body (create, update) */
int sg_operation_has_body(sg_operation_e operation);


#endif /* SG_ROUTE_H */
