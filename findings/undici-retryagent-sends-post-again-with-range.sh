#!/bin/sh
#
# undici 6.29.1 and 7.30.2 (npm): RetryAgent, told to retry POST, meets an
# answer that breaks off in its body.  It sends the POST once more, whole, with
# "Range: bytes=10-40" and, where the answer had an ETag, "If-Match"; the server
# carries it out again and answers 201 with the whole body; and that is thrown
# away: "server does not support the range header and the payload was partially
# consumed".  No answer but a 206 would satisfy it.
#
# One would guess that what it may retry is sent as it was, and its answer taken
# (docs: "methods: array of HTTP methods to retry"), or that a POST whose answer
# has begun is not sent again.  A range is defined for GET alone (RFC 9110,
# 14.2): other servers ignore it, as this one does.
#
# So a POST that is retried this way is carried out twice and fails, however
# many retries are allowed; with an Idempotency-Key, too.  Seen:
#
#     POST {"name":"a"} range=undefined if-match=undefined
#     POST {"name":"a"} range=bytes=10-40 if-match="1"
#     UND_ERR_REQ_RETRY 201: server does not support the range header and the
#         payload was partially consumed
#
# Needs: node 20.18.1 or newer (18.17 for 6.29.1), npm.  Nothing is installed.

set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{"private":true}' > package.json
npm install --ignore-scripts --no-audit --no-fund --save-exact \
    undici-6@npm:undici@6.29.1 undici-7@npm:undici@7.30.2 > npm.log 2>&1 \
    || { cat npm.log; exit 2; }

cat > retry.mjs << 'NODE'
import http from 'node:http';

const { Agent, RetryAgent } = await import(process.argv[2]);
const answer = '{"id":"segment-1","name":"Premium users"}';
let tries = 0;

const server = http.createServer((request, response) => {
    let body = '';

    request.on('data', data => { body += data; });
    request.on('end', () => {
        const { range, 'if-match': match } = request.headers;

        console.log(`${request.method} ${body} range=${range}`
            + ` if-match=${match}`);

        response.writeHead(201, { 'Content-Type': 'application/json',
            'Content-Length': answer.length, ETag: '"1"' });

        if (++tries > 1) {
            response.end(answer);
            return;
        }

        // the first one breaks off once its beginning has been sent

        response.write(answer.slice(0, 10), () => response.destroy());
    });
});

await new Promise(ready => server.listen(0, '127.0.0.1', ready));

const client = new RetryAgent(new Agent(), { maxRetries: 3, minTimeout: 50,
    methods: ['POST'] });

try {
    const { statusCode, body } = await client.request({
        origin: `http://127.0.0.1:${server.address().port}`,
        path: '/',
        method: 'POST',
        body: '{"name":"a"}',
    });

    console.log(statusCode, await body.text());
} catch (error) {
    console.log(`${error.code} ${error.statusCode}: ${error.message}`);
}

process.exit(0);
NODE

cat > expected << 'TEXT'
POST {"name":"a"} range=undefined if-match=undefined
POST {"name":"a"} range=bytes=10-40 if-match="1"
UND_ERR_REQ_RETRY 201: server does not support the range header and the
TEXT

for undici in undici-6 undici-7; do
    node retry.mjs $undici 2>&1 | sed 's/ payload was partially.*//' > said
    echo "$undici:"
    cat said
    cmp -s said expected || exit 1
done
