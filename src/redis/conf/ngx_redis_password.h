
/*
 * A password, and its file.
 */

#ifndef _NGX_REDIS_PASSWORD_H_INCLUDED_
#define _NGX_REDIS_PASSWORD_H_INCLUDED_


#include "redis/conf/ngx_redis_types.h"


/* both passwords have memory of their own, which is overwritten before it is
   freed */
typedef struct {
    ngx_str_t                path;      /* terminated; empty: no password */
    ngx_str_t                text;      /* as the file last was good */
    ngx_str_t                before;    /* the last one that Redis took, if
                                           another */
    ngx_uint_t               changes;   /* of text */
    unsigned                 taken:1;   /* text was, by Redis */
    unsigned                 closed:1;  /* the file is, to this worker */
    unsigned                 told:1;    /* that something is wrong with it */
} ngx_redis_password_t;


/* configuration time: reads the file, of which "path" is made a full name */
ngx_int_t ngx_redis_password_init(ngx_conf_t *cf,
    ngx_redis_password_t *password, ngx_str_t *path);

/* whether this worker may read it is told, once, when it starts */
void ngx_redis_password_knock(ngx_redis_password_t *password, ngx_log_t *log);

/* reads the file again; what is no password changes nothing */
void ngx_redis_password_refresh(ngx_redis_password_t *password, ngx_log_t *log);


#endif /* _NGX_REDIS_PASSWORD_H_INCLUDED_ */
