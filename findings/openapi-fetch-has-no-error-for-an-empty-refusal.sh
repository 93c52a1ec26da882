#!/bin/sh
#
# openapi-fetch 0.17.0 (npm): of "const { data, error } = await client.POST()",
# "error" is undefined when the answer is a 503 with "Content-Length: 0", and ''
# when it is a 503 whose empty body has no length; so "if (error)" takes both
# for success.  "data" is undefined, as it is for a 204.
#
# One would guess that "error" says whether the request failed: the pages of
# openapi-fetch show it so ("if (error)"), and the types say that one of "data"
# and "error" is there.  It is the body of the refusal, and where there is none,
# nothing.
#
# Proxies and gateways refuse without a body more often than an API does.  Seen:
#
#     503 with a body: error is {"title":"busy"}, failed
#     503, Content-Length: 0: error is undefined, not failed
#     503, no length: error is "", not failed
#     a 204: error is undefined, not failed
#
# Needs: node 18 or newer, npm.  Nothing is installed.

set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{"private":true}' > package.json
npm install --ignore-scripts --no-audit --no-fund --save-exact \
    openapi-fetch@0.17.0 > npm.log 2>&1 || { cat npm.log; exit 2; }

cat > refused.mjs << 'NODE'
import http from 'node:http';
import createClient from 'openapi-fetch';

const answers = {
    '503 with a body': response => response.writeHead(503,
        { 'Content-Type': 'application/json' }).end('{"title":"busy"}'),
    '503, Content-Length: 0': response => response.writeHead(503,
        { 'Content-Length': 0 }).end(),
    '503, no length': response => response.writeHead(503,
        { 'Transfer-Encoding': 'chunked' }).end(),
    'a 204': response => response.writeHead(204).end(),
};

for (const [name, answer] of Object.entries(answers)) {
    const server = http.createServer((request, response) => {
        request.resume();
        request.on('end', () => answer(response));
    });

    await new Promise(ready => server.listen(0, '127.0.0.1', ready));

    const client = createClient({
        baseUrl: `http://127.0.0.1:${server.address().port}` });

    const { error } = await client.POST('/', { body: { name: 'a' } });

    console.log(`${name}: error is ${JSON.stringify(error)},`
        + ` ${error ? '' : 'not '}failed`);
}

process.exit(0);
NODE

cat > expected << 'TEXT'
503 with a body: error is {"title":"busy"}, failed
503, Content-Length: 0: error is undefined, not failed
503, no length: error is "", not failed
a 204: error is undefined, not failed
TEXT

node refused.mjs > shown 2>&1 || { cat shown; exit 1; }
cat shown
cmp -s shown expected
