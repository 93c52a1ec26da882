
/*
 * What an upstream answer's status says about the request that it answers.
 */

#ifndef SG_ANSWER_H
#define SG_ANSWER_H


#include "contract/sg_buf.h"


typedef enum {
    sg_answer_remembered = 0,           /* definite: stored and replayed */
    sg_answer_not_executed,             /* the claim is given back */
    sg_answer_unknown                   /* executed or not: nobody knows */
} sg_answer_e;


typedef struct {
    unsigned char         bits[75];     /* one bit for each status 0..599 */
} sg_statuses_t;


typedef enum {
    sg_statuses_ok = 0,
    sg_statuses_syntax,                 /* neither NNN nor 2xx */
    sg_statuses_refused                 /* 1xx, 3xx, 401, 402, 403, 408, 418,
                                           425, 429, 5xx */
} sg_statuses_e;


/* adds one word of the directive: a status, or "2xx" */
sg_statuses_e sg_statuses_add(sg_statuses_t *set, sg_str_t word);

int sg_statuses_has(const sg_statuses_t *set, unsigned status);

/* 1 when some status of 200 to 299 is in the set */
int sg_statuses_has_2xx(const sg_statuses_t *set);

/*
 * 401, 402, 403, 408, 418, 425, 429 and every 4xx that is not remembered mean
 * "not executed"; what is neither that nor remembered is unknown.  "type" is
 * the answer's Content-Type: a 4xx that is not application/json is of somebody
 * in front of the API, and not remembered, either.
 */
sg_answer_e sg_answer_classify(const sg_statuses_t *remembered,
    unsigned status, sg_str_t type);

/* 1 for application/json, whatever its parameters; 0 for an empty type */
int sg_answer_is_json(sg_str_t type);

/* 1 for 401, 402, 403 and 418: our key or plan is at fault, not the client */
int sg_answer_is_unauthorized(unsigned status);


#endif /* SG_ANSWER_H */
