
/*
 * The fields of the documented answers, by their paths.
 */

#include "contract/sg_field.h"


#define SG_OF_SEGMENT(at, prefix)                                             \
    [(at) + 0] = prefix "object",                                             \
    [(at) + 1] = prefix "id",                                                 \
    [(at) + 2] = prefix "url",                                                \
    [(at) + 3] = prefix "name",                                               \
    [(at) + 4] = prefix "is_system",                                          \
    [(at) + 5] = prefix "conditions",                                         \
    [(at) + 6] = prefix "conditions[]",                                       \
    [(at) + 7] = prefix "conditions[].metric",                                \
    [(at) + 8] = prefix "conditions[].comparator",                            \
    [(at) + 9] = prefix "conditions[].value",                                 \
    [(at) + 10] = prefix "conditions[].negate",                               \
    [(at) + 11] = prefix "created_at",                                        \
    [(at) + 12] = prefix "updated_at"


static const char *const  sg_field_paths[sg_field_n] = {
    [sg_field_status] = "(status)",
    [sg_field_page] = "(HTML)",
    [sg_field_type] = "(Content-Type)",
    [sg_field_text] = "(JSON)",
    [sg_field_answer] = "(body)",

    SG_OF_SEGMENT(sg_field_object, ""),
    SG_OF_SEGMENT(sg_field_of_data, "data[]."),

    [sg_field_data] = "data",
    [sg_field_data_element] = "data[]",
    [sg_field_has_more] = "has_more",
    [sg_field_next_cursor] = "next_cursor",

    [sg_field_error] = "error",
    [sg_field_error_type] = "error.type",
    [sg_field_error_code] = "error.code",
    [sg_field_error_message] = "error.message",
    [sg_field_details] = "error.details",
    [sg_field_detail] = "error.details[]",
    [sg_field_detail_field] = "error.details[].field",
    [sg_field_detail_message] = "error.details[].message"
};


const char *
sg_field_path(sg_field_e field)
{
    return sg_field_paths[field];
}
