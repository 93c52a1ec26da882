
/*
 * The members of a segment that only answers have.
 */

#include "contract/sg_readonly.h"

#include <string.h>


typedef struct {
    sg_str_t              name;
    int                   boolean;      /* or else a string */
} sg_readonly_t;


static const sg_readonly_t  sg_readonly[] = {
    { sg_string("object"), 0 },
    { sg_string("id"), 0 },
    { sg_string("url"), 0 },
    { sg_string("is_system"), 1 },
    { sg_string("created_at"), 0 },
    { sg_string("updated_at"), 0 }
};


sg_readonly_e
sg_readonly_check(sg_str_t name, const json_t *value, const char **message)
{
    size_t                i;
    const sg_readonly_t  *member;

    for (i = 0; i < sizeof(sg_readonly) / sizeof(sg_readonly[0]); i++) {
        member = &sg_readonly[i];

        if (name.len != member->name.len
            || memcmp(name.data, member->name.data, name.len) != 0)
        {
            continue;
        }

        if (member->boolean ? json_is_boolean(value) : json_is_string(value)) {
            return sg_readonly_ok;
        }

        *message = member->boolean ? "Must be a boolean" : "Must be a string";

        return sg_readonly_wrong;
    }

    return sg_readonly_other;
}
