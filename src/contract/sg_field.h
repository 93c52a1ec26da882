
/*
 * The fields of the documented answers.
 */

#ifndef SG_FIELD_H
#define SG_FIELD_H


/* where an answer can differ: as a whole, or in a field of one of the three
   documented objects */
typedef enum {
    sg_field_status = 0,                /* a status of a class that is not
                                           documented */
    sg_field_page,                      /* HTML: of a front, not of the API */
    sg_field_type,                      /* of a Content-Type */
    sg_field_text,                      /* no JSON */
    sg_field_answer,                    /* the outermost value */

    sg_field_object,                    /* of a segment; a list has "object"
                                           and "url", too */
    sg_field_id,
    sg_field_url,
    sg_field_name,
    sg_field_is_system,
    sg_field_conditions,
    sg_field_condition,
    sg_field_metric,
    sg_field_comparator,
    sg_field_value,
    sg_field_negate,
    sg_field_created_at,
    sg_field_updated_at,

    sg_field_of_data,                   /* the same, of a segment in a list */

    sg_field_data = sg_field_of_data + sg_field_updated_at + 1
                    - sg_field_object,
    sg_field_data_element,
    sg_field_has_more,
    sg_field_next_cursor,

    sg_field_error,
    sg_field_error_type,
    sg_field_error_code,
    sg_field_error_message,
    sg_field_details,
    sg_field_detail,
    sg_field_detail_field,
    sg_field_detail_message,

    sg_field_n                          /* how many there are */
} sg_field_e;


/* a set of fields */
typedef unsigned long long  sg_fields_t;

#define SG_FIELD(field)  (1ull << (field))


/* "data[].conditions[].metric"; of what is no field in brackets, as
   "(Content-Type)"; static */
const char *sg_field_path(sg_field_e field);


#endif /* SG_FIELD_H */
