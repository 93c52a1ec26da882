
#include "test.h"

#include "contract/sg_header_value.h"
#include "contract/sg_headers.h"


typedef struct {
    const char  *text;
    int          yes;
} header_row_t;


static void
check_rows(int (*check)(sg_str_t), const header_row_t *rows, size_t n)
{
    size_t    i;
    sg_str_t  exact;

    for (i = 0; i < n; i++) {
        exact = str_exact(str(rows[i].text));
        check_int(rows[i].text, check(exact), rows[i].yes);
        str_exact_free(exact);
    }
}


static void
media_types(void **state)
{
    static const header_row_t  rows[] = {
        { "application/json", 1 },
        { "Application/JSON", 1 },
        { " application/json\t", 1 },
        { "application/json; charset=utf-8", 1 },
        { "application/json;charset=UTF-8", 1 },
        { "application/json \t;\t Charset=\"Utf-8\" ", 1 },
        { "application/json;", 1 },
        { "application/json; ; charset=utf-8;", 1 },

        { "", 0 },
        { ";", 0 },
        { "application/json, application/json", 0 },
        { "application/json charset=utf-8", 0 },
        { "application/json; charset=iso-8859-1", 0 },
        { "application/json; charset=utf8", 0 },
        { "application/json; charset=utf-16", 0 },
        { "application/json; charset=", 0 },
        { "application/json; charset", 0 },
        { "application/json; charset = utf-8", 0 },
        { "application/json; charset='utf-8'", 0 },
        { "application/json; charset=\"utf-8", 0 },
        { "application/json; charset=\"utf-8;\"", 0 },
        { "application/json; charset=utf-8; charset=utf-8", 0 },
        { "application/json; charset=utf-8; charset=utf-16", 0 },
        { "application/json; charset=utf-8; profile=x", 0 },
        { "application/json; profile=\"; charset=utf-8\"", 0 },
        { "application/json; boundary=x", 0 },
        { "application/jsonp", 0 },
        { "application/problem+json", 0 },
        { "application/merge-patch+json", 0 },
        { "application /json", 0 },
        { "text/json", 0 },
        { "text/plain", 0 },
        { "application/x-www-form-urlencoded", 0 },
        { "*/*", 0 }
    };

    (void) state;

    check_rows(sg_media_type_is_json, rows, N(rows));

    assert_int_equal(sg_media_type_is_json(STR("application/json\0")), 0);
    assert_int_equal(sg_media_type_is_json((sg_str_t) { NULL, 0 }), 0);
}


static void
content_codings(void **state)
{
    static const header_row_t  rows[] = {
        { "", 1 },
        { " ", 1 },
        { "identity", 1 },
        { " Identity ", 1 },
        { "gzip", 0 },
        { "identity, gzip", 0 },
        { "identity;q=1", 0 },
        { "ident", 0 }
    };

    (void) state;

    check_rows(sg_content_coding_is_identity, rows, N(rows));
}


static void
tokens(void **state)
{
    static const header_row_t  rows[] = {
        { "X-Request-Id", 1 },
        { "!#$%&'*+-.^_`|~09", 1 },
        { "", 0 },
        { "a b", 0 },
        { "a:", 0 },
        { "a/b", 0 },
        { "\"a\"", 0 },
        { "a\t", 0 },
        { "a\x7f", 0 },
        { "\xc3\xa9", 0 }
    };

    /* RFC 9110, 5.6.2 */

    static const char  tchar[] = "!#$%&'*+-.^_`|~0123456789"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz";

    unsigned       ch;
    unsigned char  byte;

    (void) state;

    check_rows(sg_header_is_token, rows, N(rows));

    for (ch = 0; ch < 256; ch++) {
        byte = (unsigned char) ch;

        assert_int_equal(sg_header_is_token((sg_str_t) { &byte, 1 }),
                         ch != 0 && strchr(tchar, (int) ch) != NULL);
    }
}


static void
names(void **state)
{
    static const struct {
        const char  *name, *other;
        int          same;
    } rows[] = {
        { "Content-Type", "content-type", 1 },
        { "Content_Type", "Content-Type", 1 },
        { "content-type", "CONTENT_TYPE", 1 },
        { "__", "--", 1 },
        { "", "", 1 },

        { "Content-Type", "ContentType", 0 },
        { "Content Type", "Content-Type", 0 },
        { "Content-Type", "Content-Typ", 0 },
        { "", "a", 0 },
        { "@", "`", 0 },
        { "[", "{", 0 }
    };

    static const char *const  sent[][2] = {
        { "Content_Type", "Content-Type" },
        { "content_encoding", "Content-Encoding" },
        { "IDEMPOTENCY_KEY", "Idempotency-Key" },
        { "idempotency-key", "idempotency-key" },
        { "X_Other", "X_Other" },
        { "_", "_" },
        { "", "" }
    };

    size_t    i;
    sg_str_t  exact;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        exact = str_exact(str(rows[i].name));
        check_int(rows[i].name, sg_header_is(exact, str(rows[i].other)),
                  rows[i].same);
        str_exact_free(exact);
    }

    for (i = 0; i < N(sent); i++) {
        exact = str_exact(str(sent[i][0]));
        check_str(sent[i][0], sg_request_header_name(exact), sent[i][1]);
        str_exact_free(exact);
    }

    assert_int_equal(sg_header_is((sg_str_t) { NULL, 0 },
                                  (sg_str_t) { NULL, 0 }), 1);
}


static int
is_dropped(sg_str_t name)
{
    switch (sg_request_header(name)) {

    case sg_header_dropped:
    case sg_header_hop_by_hop:
    case sg_header_connection:
        return 1;

    default:
        return 0;
    }
}


static void
request_dropped(void **state)
{
    static const header_row_t  rows[] = {
        { "Authorization", 1 }, { "AUTHORIZATION", 1 }, { "Cookie", 1 },
        { "Proxy-Authorization", 1 }, { "Proxy-Connection", 1 },
        { "Proxy-Anything", 1 },
        { "Connection", 1 }, { "Keep-Alive", 1 }, { "TE", 1 },
        { "Trailer", 1 }, { "Transfer-Encoding", 1 }, { "Upgrade", 1 },
        { "Accept-Encoding", 1 },
        { "X-HTTP-Method-Override", 1 }, { "X-HTTP-Method", 1 },
        { "x-http-method-override", 1 }, { "X-Method-Override", 1 },
        { "X_HTTP_Method_Override", 1 }, { "X-Original-URL", 1 },
        { "X-Original-URI", 1 }, { "X-Original-Method", 1 },
        { "X-Rewrite-URL", 1 }, { "X-Forwarded-Uri", 1 },
        { "X-Forwarded-Method", 1 }, { "X-Forwarded-Path", 1 },
        { "X-Forwarded-Prefix", 1 }, { "Content-Length", 1 },
        { "Content_Length", 1 }, { "Transfer_Encoding", 1 },
        { "X-Envoy-Original-Path", 1 }, { "x-rewrite-uri", 1 },

        { "", 0 }, { "Proxy", 0 }, { "Accept", 0 }, { "Content-Type", 0 },
        { "Idempotency-Key", 0 }, { "Host", 0 },
        { "Authorization2", 0 }, { "X-Authorization", 0 }, { "Cookies", 0 },
        { "X-Forwarded-For", 0 }, { "X-Forwarded-Proto", 0 },
        { "User-Agent", 0 }, { "Trailers", 0 }, { "TEE", 0 }
    };

    (void) state;

    check_rows(is_dropped, rows, N(rows));
}


static void
request_fields(void **state)
{
    static const struct {
        const char  *name;
        sg_header_e   field;
    } rows[] = {
        { "Content-Type", sg_header_content_type },
        { "content_type", sg_header_content_type },
        { "CONTENT-ENCODING", sg_header_content_encoding },
        { "Content-Encoding", sg_header_content_encoding },
        { "idempotency-key", sg_header_idempotency_key },
        { "Connection", sg_header_connection },
        { "connection", sg_header_connection },
        { "Proxy-Connection", sg_header_hop_by_hop },
        { "te", sg_header_hop_by_hop },
        { "Cookie", sg_header_dropped },

        { "", sg_header_passes },
        { "_", sg_header_passes },
        { "Content-Typ", sg_header_passes },
        { "\x03ontent-Type", sg_header_passes },     /* as "c" in five bits */
        { "#ontent-Type", sg_header_passes },
        { "Xontent-Type", sg_header_passes }
    };

    size_t    i;
    sg_str_t  exact;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        exact = str_exact(str(rows[i].name));
        check_int(rows[i].name, sg_request_header(exact), rows[i].field);
        str_exact_free(exact);
    }
}


static void
plain_connections(void **state)
{
    static const header_row_t  rows[] = {
        { "keep-alive", 1 }, { "Keep-Alive", 1 }, { "close", 1 },
        { "CLOSE", 1 },

        { "", 0 }, { "close, x-secret", 0 }, { "keep-alive, close", 0 },
        { "x-secret", 0 }, { "keep_alive", 0 }, { " close", 0 }
    };

    (void) state;

    check_rows(sg_connection_is_plain, rows, N(rows));
}


static void
nominations(void **state)
{
    static const struct {
        const char  *connection, *name;
        int          yes;
    } rows[] = {
        { "x-secret", "X-Secret", 1 },
        { "close, X-Secret", "x-secret", 1 },
        { "keep-alive ,\tx-secret\t, close", "X-Secret", 1 },
        { ",,x-secret,,", "x-secret", 1 },
        { "Idempotency-Key", "idempotency-key", 1 },
        { "x_secret", "X-Secret", 1 },
        { "x-secret", "X_Secret", 1 },

        { "", "x-secret", 0 },
        { "close", "x-secret", 0 },
        { "x-secrets", "x-secret", 0 },
        { "x-secre", "x-secret", 0 },
        { "x-secret; q=1", "x-secret", 0 },
        { "x secret", "x-secret", 0 },
        { ",", "", 0 },
        { "", "", 0 }
    };

    size_t    i;
    sg_str_t  exact;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        exact = str_exact(str(rows[i].connection));
        check_int(rows[i].connection,
                  sg_connection_nominates(exact, str(rows[i].name)),
                  rows[i].yes);
        str_exact_free(exact);
    }
}


static void
response_dropped(void **state)
{
    static const header_row_t  rows[] = {
        { "Authorization", 1 }, { "proxy-authenticate", 1 },
        { "Proxy-Authorization", 1 }, { "X-Accel-Redirect", 1 },
        { "x-accel-anything", 1 }, { "X_Accel_Redirect", 1 },
        { "Idempotent_Replayed", 1 }, { "Idempotency-Status", 1 },

        { "", 0 }, { "X-Accel", 0 }, { "WWW-Authenticate", 0 },
        { "Location", 0 }, { "Set-Cookie", 0 }
    };

    (void) state;

    check_rows(sg_response_header_dropped, rows, N(rows));
}


static void
response_stored(void **state)
{
    static const header_row_t  rows[] = {
        { "Content-Language", 1 }, { "Location", 1 }, { "ETag", 1 },
        { "Last-Modified", 1 }, { "Link", 1 }, { "Cache-Control", 1 },
        { "Content-Encoding", 1 }, { "LOCATION", 1 },
        { "Cache_Control", 1 },

        { "", 0 }, { "Content-Location", 0 }, { "Set-Cookie", 0 },
        { "Date", 0 }, { "X-Request-Id", 0 }, { "Links", 0 }
    };

    (void) state;

    check_rows(sg_response_header_stored, rows, N(rows));
}


static void
response_storable(void **state)
{
    static const header_row_t  rows[] = {
        { "X-Request-Id", 1 }, { "Content-Location", 1 }, { "Expires", 1 },
        { "Location", 1 }, { "X-Accelerator", 1 }, { "Set-Cookies", 1 },

        { "", 0 }, { "a b", 0 }, { "a:b", 0 },
        { "Connection", 0 }, { "keep-alive", 0 }, { "TE", 0 },
        { "Trailer", 0 }, { "Transfer-Encoding", 0 }, { "Upgrade", 0 },
        { "Proxy-Authenticate", 0 }, { "Set-Cookie", 0 },
        { "X-Accel-Redirect", 0 }, { "RateLimit", 0 },
        { "RateLimit-Policy", 0 }, { "ratelimit-remaining", 0 },
        { "Content-Length", 0 }, { "Content-Encoding", 0 }, { "Date", 0 },
        { "Server", 0 }, { "WWW-Authenticate", 0 }, { "Authorization", 0 },
        { "Idempotent-Replayed", 0 }, { "Idempotency-Status", 0 },
        { "Retry-After", 0 }, { "Set_Cookie", 0 }, { "X_Accel_Charset", 0 }
    };

    (void) state;

    check_rows(sg_response_header_storable, rows, N(rows));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(media_types),
        cmocka_unit_test(content_codings),
        cmocka_unit_test(tokens),
        cmocka_unit_test(names),
        cmocka_unit_test(request_dropped),
        cmocka_unit_test(request_fields),
        cmocka_unit_test(plain_connections),
        cmocka_unit_test(nominations),
        cmocka_unit_test(response_dropped),
        cmocka_unit_test(response_stored),
        cmocka_unit_test(response_storable)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
