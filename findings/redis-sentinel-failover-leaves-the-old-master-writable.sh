#!/bin/sh
#
# Redis 7.0.15 (Debian 12): after SENTINEL FAILOVER, with all servers well, the
# old master goes on to take writes for about ten seconds after the sentinel has
# named the new one.  Each is answered with OK, and lost when the old master is
# told at last to be a replica.
#
# One would guess that a failover that was asked for, and that can speak with
# both, stops the old master first, as CLUSTER FAILOVER and FAILOVER do, or
# tells it at once.  Sentinel treats it like one that is gone: it tells it when
# it has seen it, for some seconds, call itself a master.
#
# So a client that holds a connection to it, or that has asked a moment before,
# loses what it writes in a planned failover.  WAIT tells of it: no replica is
# left that could acknowledge.  Seen, with one sentinel and one replica:
#
#     SET to the old master, 5 s after the new one was named: OK
#     WAIT 1 behind it: 0
#     at last: READONLY
#     keys of those that are on the new master: 0
#     keys of those that are on the old one: 0
#
# Needs: apt-get, dpkg, perl; as root or not.  Nothing is installed.

set -eu

VERSION=5:7.0.15-1~deb12u10

dir=$(mktemp -d)
pids=

finish() {
    for pid in $pids; do kill "$pid" 2> /dev/null || :; done
    rm -rf "$dir"
}

trap finish EXIT
cd "$dir"

apt-get -q download "redis-server=$VERSION" "redis-tools=$VERSION" \
    libjemalloc2 liblzf1 libatomic1 > apt.log 2>&1 || { cat apt.log; exit 2; }

for deb in *.deb; do dpkg-deb -x "$deb" root; done

LD_LIBRARY_PATH=$(echo "$dir"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH

free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
        LocalAddr => "127.0.0.1", Listen => 1)->sockport'
}

cli() {
    port=$1; shift
    root/usr/bin/redis-cli -p "$port" "$@" 2>&1
}

# name, port, further arguments

start() {
    name=$1
    mkdir "$name"
    echo "port $2" > "$name/conf"
    shift 2
    root/usr/bin/redis-server "$dir/$name/conf" --bind 127.0.0.1 \
        --dir "$dir/$name" "$@" > "$name/log" 2>&1 &
    pids="$pids $!"
}

# what must hold, in words; a command

within() {
    what=$1; shift
    tries=0

    until "$@" > /dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 400 ] || { echo "not so: $what"; exit 2; }
        sleep 0.1
    done
}

says() {
    wanted=$1; shift
    cli "$@" | grep -q "$wanted"
}

named() {
    cli "$sentinel" SENTINEL get-master-addr-by-name service | tail -n 1
}

named_is() {
    [ "$(named)" = "$1" ]
}

old=$(free_port); start old "$old" --save ''
new=$(free_port); start new "$new" --save '' --replicaof 127.0.0.1 "$old"

within 'a replica' says state=online "$old" INFO replication

sentinel=$(free_port)
start sentinel "$sentinel" --sentinel monitor service 127.0.0.1 "$old" 1 \
    --sentinel down-after-milliseconds service 30000

within 'a failover begins' says '^OK$' "$sentinel" SENTINEL FAILOVER service
within 'the new one is named' named_is "$new"

# from here on nobody who asks is sent to the old one

since=$(date +%s)
written=0
late=
wait=

while :; do
    answer=$(cli "$old" SET "key-$written" 1)
    [ "$answer" = OK ] || break
    written=$((written + 1))

    after=$(($(date +%s) - since))
    [ "$after" -lt 60 ] || { echo 'still a master'; exit 1; }

    if [ -z "$late" ] && [ "$after" -ge 5 ]; then
        late=$answer
        wait=$(printf 'SET late 1\nWAIT 1 500\n' | cli "$old" | tail -n 1)
    fi

    sleep 0.1
done

within 'the old one is a replica' says master_link_status:up "$old" \
    INFO replication

{
    echo "SET to the old master, 5 s after the new one was named: $late"
    echo "WAIT 1 behind it: $wait"
    echo "at last: ${answer%% *}"
    echo "keys of those that are on the new master: $(cli "$new" DBSIZE)"
    echo "keys of those that are on the old one: $(cli "$old" DBSIZE)"
} > shown

cat > expected << 'TEXT'
SET to the old master, 5 s after the new one was named: OK
WAIT 1 behind it: 0
at last: READONLY
keys of those that are on the new master: 0
keys of those that are on the old one: 0
TEXT

echo "redis-server $VERSION: $written writes until $after s after that"
cat shown
cmp -s shown expected
