#!/bin/sh
#
# Redis 7.0.15 (Debian 12): while a slot migrates, a script with two keys of
# that slot, of which one does not exist, is answered with TRYAGAIN by the node
# that has the slot, each time, until the migration ends; although no key of the
# slot has moved, and nothing has to be tried again: the node that the slot
# moves to has neither of them.
#
# One would guess that a key that does not exist is treated like one that has
# not moved, as it is with one key: then the answer is an ASK to the other node,
# which runs the command.  The specification of the cluster says TRYAGAIN is for
# keys that are "split between the source and destination nodes" (Redis cluster
# specification, "Multiple keys operations").  A key that is absent counts as
# one that has moved already.
#
# The same key named twice is no such pair.  Seen:
#
#     one key, absent         ASK
#     two keys, one absent    TRYAGAIN, 20 times of 20
#     one key twice, absent   ASK
#     one key twice, there    1
#
# Needs: apt-get, dpkg; as root or not.  Nothing is installed.

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

# a port that is free, and whose cluster bus is, 10000 above it

free_port() {
    perl -MIO::Socket::INET -e '
        for (1 .. 100) {
            my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
                Listen => 1) or next;
            my $p = $s->sockport;
            next if $p > 55000;
            IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1,
                LocalPort => $p + 10000) or next;
            print $p;
            exit;
        }
        die "no free port\n"'
}

cli() {
    port=$1; shift
    root/usr/bin/redis-cli -p "$port" "$@" 2>&1
}

start() {
    mkdir "$1"
    root/usr/bin/redis-server --port "$1" --bind 127.0.0.1 --dir "$dir/$1" \
        --cluster-enabled yes --save '' > "$1/log" 2>&1 &
    pids="$pids $!"
    tries=0

    until [ "$(cli "$1" PING)" = PONG ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { cat "$1/log"; exit 2; }
        sleep 0.1
    done
}

from=$(free_port); start "$from"
to=$(free_port); start "$to"

cli "$to" CLUSTER SET-CONFIG-EPOCH 2 > /dev/null
cli "$from" CLUSTER ADDSLOTSRANGE 0 16383 > /dev/null
cli "$from" CLUSTER MEET 127.0.0.1 "$to" > /dev/null

tries=0

until cli "$to" CLUSTER NODES | grep -q ' 0-16383' \
    && cli "$from" CLUSTER INFO | grep -q 'cluster_state:ok'
do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { cli "$to" CLUSTER NODES; exit 2; }
    sleep 0.1
done

slot=$(cli "$from" CLUSTER KEYSLOT '{t}')

cli "$from" SET '{t}there' 1 > /dev/null
cli "$to" CLUSTER SETSLOT "$slot" IMPORTING "$(cli "$from" CLUSTER MYID)" \
    > /dev/null
cli "$from" CLUSTER SETSLOT "$slot" MIGRATING "$(cli "$to" CLUSTER MYID)" \
    > /dev/null

# the first word of the answer to a script that does nothing with its keys

script() {
    cli "$from" EVAL 'return 1' "$@" | sed 's/ .*//'
}

one=$(script 1 '{t}absent')
twice=$(script 2 '{t}absent' '{t}absent')
both=$(script 2 '{t}there' '{t}there')
tried=0

for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ "$(script 2 '{t}there' '{t}absent')" = TRYAGAIN ] || break
    tried=$n
done

echo "redis-server $VERSION"
echo "one key, absent         $one"
echo "two keys, one absent    TRYAGAIN, $tried times of 20"
echo "one key twice, absent   $twice"
echo "one key twice, there    $both"

[ "$one $tried $twice $both" = 'ASK 20 ASK 1' ]
