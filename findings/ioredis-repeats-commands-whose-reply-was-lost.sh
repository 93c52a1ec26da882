#!/bin/sh
#
# ioredis 5.11.1 and 6.0.0 (npm): a command that has been sent, and whose
# connection breaks before the reply, is sent again on the next connection, by
# itself, whatever it is.  INCR counts twice; "SET key value NX PX 30000", the
# usual lock, is answered with null: the caller is told that somebody else has
# the lock that it has itself.
#
# One would guess that the promise is rejected, since nobody knows whether the
# command was carried out.  The option that makes it so is on by default, and
# documented for commands that block, such as BLPOP
# (autoResendUnfulfilledCommands); enableOfflineQueue, which one finds first, is
# for what has not been sent yet.
#
# So a failover of Redis, or a proxy that restarts, makes counters wrong and
# locks stick until they expire.  Seen, with a reply that is lost once:
#
#     SET lock me PX 30000 NX: null; Redis has "me", and got it 2 times
#     INCR n: 2; Redis got it 2 times
#
# Needs: apt-get, dpkg, node 20 or newer, npm.  Nothing is installed.

set -eu

VERSION=5:7.0.15-1~deb12u10

dir=$(mktemp -d)
pid=

finish() {
    [ -z "$pid" ] || kill "$pid" 2> /dev/null || :
    rm -rf "$dir"
}

trap finish EXIT
cd "$dir"

apt-get -q download "redis-server=$VERSION" "redis-tools=$VERSION" \
    libjemalloc2 liblzf1 libatomic1 > apt.log 2>&1 || { cat apt.log; exit 2; }

for deb in *.deb; do dpkg-deb -x "$deb" root; done

LD_LIBRARY_PATH=$(echo "$dir"/root/usr/lib/*-linux-gnu)

echo '{"private":true}' > package.json
npm install --ignore-scripts --no-audit --no-fund --save-exact \
    ioredis-5@npm:ioredis@5.11.1 ioredis-6@npm:ioredis@6.0.0 > npm.log 2>&1 \
    || { cat npm.log; exit 2; }

LD_LIBRARY_PATH=$LD_LIBRARY_PATH root/usr/bin/redis-server --port 0 \
    --unixsocket "$dir/redis.sock" --dir "$dir" --save '' > redis.log 2>&1 &
pid=$!
tries=0

until [ -e redis.sock ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat redis.log; exit 2; }
    sleep 0.1
done

cat > lost.mjs << 'NODE'
import net from 'node:net';

const { Redis } = await import(process.argv[2]);

// between the client and Redis: counts what passes, and ends the connection in
// place of the next reply

let lost, passed;

const between = net.createServer(client => {
    const redis = net.connect('redis.sock');

    for (const socket of [client, redis]) {
        socket.on('error', () => {});
    }

    client.on('close', () => redis.destroy());
    redis.on('close', () => client.destroy());

    client.on('data', data => {
        passed += /\r\n(set|incr)\r\n/i.test(data) ? 1 : 0;
        redis.write(data);
    });

    redis.on('data', data => {
        if (lost) {
            lost = false;
            client.destroy();
            return;
        }

        client.write(data);
    });
});

await new Promise(ready => between.listen(0, '127.0.0.1', ready));

const client = new Redis(between.address().port, '127.0.0.1');

client.on('error', () => {});
await client.flushall();

lost = true;
passed = 0;
const lock = await client.set('lock', 'me', 'PX', 30000, 'NX');

console.log(`SET lock me PX 30000 NX: ${lock}; Redis has`
    + ` "${await client.get('lock')}", and got it ${passed} times`);

lost = true;
passed = 0;
const n = await client.incr('n');

console.log(`INCR n: ${n}; Redis got it ${passed} times`);
process.exit(0);
NODE

cat > expected << 'TEXT'
SET lock me PX 30000 NX: null; Redis has "me", and got it 2 times
INCR n: 2; Redis got it 2 times
TEXT

for ioredis in ioredis-5 ioredis-6; do
    node lost.mjs $ioredis > said 2>&1
    echo "$ioredis:"
    cat said
    cmp -s said expected || exit 1
done
