
/*
 * An answer differs from the documentation or does not, and where it does only
 * in what the answers to its operation have; what differs first is among it.
 *
 * The first byte of the input says the operation, the second the status and the
 * type, the rest is the body.
 */

#include "fuzz.h"

#include "contract/sg_drift.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned     statuses[] = {
        200, 201, 204, 206, 302, 304, 404, 503
    };
    static const char *const  types[] = {
        "application/json", "text/html", "application/json;a", ""
    };

    sg_drift_e      rc;
    sg_drift_t      drift, possible;
    sg_answered_t   answer;
    sg_operation_e  operation;

    if (size < 2) {
        return 0;
    }

    operation = data[0] % sg_op_n;

    answer.status = statuses[data[1] & 7];
    answer.type = fuzz_str(types[(data[1] >> 3) & 3],
                           strlen(types[(data[1] >> 3) & 3]));
    answer.body = fuzz_str(data + 2, size - 2);

    rc = sg_drift_check(operation, &answer, &drift);

    MUST(rc != sg_drift_failed);
    MUST((rc == sg_drift_found) == (drift.fields != 0));
    MUST((rc == sg_drift_unchecked)
         == (answer.status == 206 || answer.status == 304));

    sg_drift_possible(operation, &possible);

    MUST((drift.fields & ~possible.fields) == 0);
    MUST((drift.additional & ~possible.additional) == 0);

    if (drift.fields) {
        MUST(drift.fields & SG_FIELD(drift.first));
        MUST(drift.words[0]);
    }

    return 0;
}
