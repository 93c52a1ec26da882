
/*
 * What an upstream answer's status says about the request that it answers.
 */

#include "contract/sg_answer.h"

#include <string.h>


#define SG_STATUS_END  600


static int sg_status_is_refused(unsigned status);
static void sg_statuses_set(sg_statuses_t *set, unsigned status);


sg_statuses_e
sg_statuses_add(sg_statuses_t *set, sg_str_t word)
{
    static const sg_str_t  class_2xx = sg_string("2xx");

    size_t    i;
    unsigned  status;

    if (sg_str_eq(word, class_2xx)) {
        for (status = 200; status < 300; status++) {
            sg_statuses_set(set, status);
        }

        return sg_statuses_ok;
    }

    if (word.len != 3) {
        return sg_statuses_syntax;
    }

    status = 0;

    for (i = 0; i < 3; i++) {

        if (word.data[i] < '0' || word.data[i] > '9') {
            return sg_statuses_syntax;
        }

        status = status * 10 + (word.data[i] - '0');
    }

    if (status < 100 || status >= SG_STATUS_END) {
        return sg_statuses_syntax;
    }

    if (sg_status_is_refused(status)) {
        return sg_statuses_refused;
    }

    sg_statuses_set(set, status);

    return sg_statuses_ok;
}


static int
sg_status_is_refused(unsigned status)
{
    if (status < 200 || (status >= 300 && status < 400) || status >= 500) {
        return 1;
    }

    switch (status) {

    case 401:
    case 402:
    case 403:
    case 408:
    case 418:
    case 425:
    case 429:
        return 1;
    }

    return 0;
}


static void
sg_statuses_set(sg_statuses_t *set, unsigned status)
{
    set->bits[status / 8] |= (unsigned char) (1u << (status % 8));
}


int
sg_statuses_has(const sg_statuses_t *set, unsigned status)
{
    return status < SG_STATUS_END
           && (set->bits[status / 8] & (1u << (status % 8))) != 0;
}


int
sg_statuses_has_2xx(const sg_statuses_t *set)
{
    unsigned  status;

    for (status = 200; status < 300; status++) {
        if (sg_statuses_has(set, status)) {
            return 1;
        }
    }

    return 0;
}


sg_answer_e
sg_answer_classify(const sg_statuses_t *remembered, unsigned status,
    sg_str_t type)
{
    if (sg_statuses_has(remembered, status)
        && (status < 400 || sg_answer_is_json(type)))
    {
        return sg_answer_remembered;
    }

    if (status >= 400 && status < 500) {
        return sg_answer_not_executed;
    }

    return sg_answer_unknown;
}


int
sg_answer_is_json(sg_str_t type)
{
    sg_str_t  name;

    static const sg_str_t  json = sg_string("application/json");

    name = type;

    if (name.len > json.len) {
        name.len = json.len;
    }

    return sg_str_caseeq(name, json)
           && (type.len == json.len || memchr("; \t", type.data[json.len], 3));
}


int
sg_answer_is_unauthorized(unsigned status)
{
    return status == 401 || status == 402 || status == 403 || status == 418;
}
