#!/bin/sh
#
# axios 1.21.1 with axios-retry 4.5.0 (npm): the request interceptors run once
# for each try.  One that gives each request an Idempotency-Key gives each try
# another one, and so the server takes each try for a new request.
#
# One would guess that a retry sends what was sent, and that an interceptor,
# which is there to change a request before it is handled (README of axios), has
# done so once: a key that was given as a header with the request is sent again
# as it was.
#
# The usual place for such a header is an interceptor, so a create is made twice
# although it has a key.  Seen, with a server that has carried out the first one
# and ends the connection:
#
#     interceptor: POST key-1, POST key-2; 201
#     header of the request: POST key-1, POST key-1; 201
#
# Needs: node 18 or newer, npm.  Nothing is installed.

set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{"private":true}' > package.json
npm install --ignore-scripts --no-audit --no-fund --save-exact \
    axios@1.21.1 axios-retry@4.5.0 > npm.log 2>&1 || { cat npm.log; exit 2; }

cat > retry.mjs << 'NODE'
import http from 'node:http';
import axios from 'axios';
import axiosRetry from 'axios-retry';

let had;

// the first of two is carried out, and gets no answer

const server = http.createServer((request, response) => {
    request.resume();

    request.on('end', () => {
        had.push(`${request.method} ${request.headers['idempotency-key']}`);

        if (had.length === 1) {
            request.socket.destroy();
            return;
        }

        response.writeHead(201, { 'Content-Length': 0 }).end();
    });
});

await new Promise(ready => server.listen(0, '127.0.0.1', ready));

let keys;

const newKey = () => `key-${++keys}`;

async function said(name, interceptor, headers) {
    const client = axios.create({ proxy: false,
        baseURL: `http://127.0.0.1:${server.address().port}` });

    if (interceptor) {
        client.interceptors.request.use(interceptor);
    }

    axiosRetry(client, { retries: 3,
        retryCondition: axiosRetry.isNetworkError });

    had = [];
    const { status } = await client.post('/', { name: 'a' },
        { headers: headers() });

    console.log(`${name}: ${had.join(', ')}; ${status}`);
}

keys = 0;
await said('interceptor', config => {
    config.headers['Idempotency-Key'] = newKey();
    return config;
}, () => ({}));

keys = 0;
await said('header of the request', null,
    () => ({ 'Idempotency-Key': newKey() }));

process.exit(0);
NODE

cat > expected << 'TEXT'
interceptor: POST key-1, POST key-2; 201
header of the request: POST key-1, POST key-1; 201
TEXT

node retry.mjs > shown 2>&1 || { cat shown; exit 1; }
cat shown
cmp -s shown expected
