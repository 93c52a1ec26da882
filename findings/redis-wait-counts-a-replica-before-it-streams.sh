#!/bin/sh
#
# Redis 7.0.15 (Debian 12), with its default way to synchronize a replica (not
# by a file): WAIT counts a replica, and INFO calls it "online", up to a second
# before anything that is written gets to it.  Whoever waits for the replica by
# "WAIT 1", and then writes and asks for "WAIT 1" within less than a second, is
# told that none has acknowledged.
#
# One would guess that a replica that WAIT has counted is told of the next write
# at once: WAIT is documented to return the number of replicas that acknowledged
# the writes before it, and has just done so (commands/wait).  But a client that
# has written nothing has nothing to be acknowledged, and a replica counts as
# soon as its copy has been sent; what is written goes to it from its next sign
# of life on.  The first one follows at once, and is lost on a master that has
# not yet seen its child end; the next comes a second later.  So it happens in
# some of the tries, and never when the copy is sent as a file.
#
# Seen, from the moment of the first "WAIT 1" that returns 1, mostly within four
# tries:
#
#     no file: state=online, SET and WAIT 1 100: 0, acknowledged later
#     a file:  state=online, SET and WAIT 1 100: 1
#
# Who tests a failover, or lets a deployment go on when WAIT has seen a replica,
# meets this.
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

start() {
    name=$1; shift
    mkdir "$name"
    root/usr/bin/redis-server --port 0 --unixsocket "$dir/$name.sock" \
        --dir "$dir/$name" --save '' "$@" > "$name/log" 2>&1 &
    pids="$pids $!"
}

free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
        LocalAddr => "127.0.0.1", Listen => 1)->sockport'
}

# On one connection, which has not written before: what WAIT says of a write
# that comes as soon as WAIT has counted the replica.

ask() {
    perl -MIO::Socket::UNIX -e '
        my ($path, $redis) = @ARGV;

        for (1 .. 500) {
            $redis = IO::Socket::UNIX->new(Peer => $path) and last;
            select undef, undef, undef, 0.02;
        }

        sub said {
            syswrite $redis, "@_\r\n";
            my $line = readline $redis // die "no answer\n";
            read $redis, $line, $1 + 2 if $line =~ /\A\$([0-9]+)/;
            return $line =~ s/\r\n\z//r;
        }

        for (my $n = 0; said("WAIT 1 1") ne ":1"; $n++) {
            die "no replica\n" if $n == 10_000;
        }

        my ($state) = said("INFO replication") =~ /(state=[a-z]+)/;

        said("SET a 1");

        my $soon = said("WAIT 1 100");
        my $later = said("WAIT 1 10000");

        print "$state $soon $later\n"' "$1"
}

# diskless yes or no, which is what distinguishes both; the replica comes when
# there is somebody who asks

try() {
    port=$(free_port)
    start "master-$1-$2" --port "$port" --bind 127.0.0.1 \
        --repl-diskless-sync "$1" --repl-diskless-sync-delay 0

    ask "$dir/master-$1-$2.sock" > "said-$1-$2" &
    asking=$!

    until [ -e "$dir/master-$1-$2.sock" ]; do sleep 0.05; done
    start "replica-$1-$2" --replicaof 127.0.0.1 "$port"

    wait "$asking"
}

for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
    try yes "$n"
    grep -q ':0 :1' "said-yes-$n" && break
done

for n in 1 2 3 4; do try no "$n"; done

echo "redis-server $VERSION: times, state, WAIT behind a write, later"
echo "no file: $(sort said-yes-* | uniq -c | tr '\n' ',')"
echo "a file:  $(sort said-no-* | uniq -c | tr '\n' ',')"

grep -qx 'state=online :0 :1' said-yes-* && ! grep -q ':0' said-no-*
