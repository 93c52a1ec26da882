#!/bin/sh
#
# OpenJDK 17.0.21 (Debian 12): HttpURLConnection sends a POST that got no answer
# once more, by itself, over a new connection; also when the connection was new
# and the POST its first request.  When the second one is answered, the caller
# sees that answer and nothing else; when it is not, one exception for both.
# With setFixedLengthStreamingMode() it is sent once.
#
# One would guess that it is sent once: a client should not repeat a POST by
# itself (RFC 9110, 9.2.2), and how the body is handed over should not matter.
# It can be forbidden, by the system property sun.net.http.retryPost, for the
# whole of a process.
#
# So a create without an Idempotency-Key is made twice by a server that ends
# between its work and its answer.  Seen:
#
#     POST one, POST one: 201
#     never answered: POST one, POST one: SocketException
#     setFixedLengthStreamingMode: POST one: SocketException
#     retryPost=false: POST one: SocketException
#
# Needs: apt-get, dpkg, perl, zlib1g.  Nothing is installed.

set -eu

VERSION=17.0.21.1+2-1~deb12u1

dir=$(mktemp -d)
pid=

finish() {
    [ -z "$pid" ] || kill "$pid" 2> /dev/null || :
    rm -rf "$dir"
}

trap finish EXIT
cd "$dir"

apt-get -q download "openjdk-17-jre-headless=$VERSION" > apt.log 2>&1 \
    || { cat apt.log; exit 2; }
dpkg-deb -x openjdk-17-jre-headless_*.deb root

# its configuration is a folder of links to /etc

home=$(echo "$dir"/root/usr/lib/jvm/java-17-openjdk-*)
find "$home" -type l -lname '/etc/*' > links

while read -r link; do
    target=$dir/root$(readlink "$link")
    [ ! -e "$target" ] || ln -sf "$target" "$link"
done < links

# What gets here is carried out: it is in the log.  The first argument is how
# many connections end without an answer.

cat > server.pl << 'PERL'
use strict;
use warnings;
use IO::Handle;
use IO::Socket::INET;

my $unanswered = shift;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
    or die $!;

open my $log, '>', 'log' or die $!;
$log->autoflush(1);

open my $port, '>', 'port.new' or die $!;
print $port $server->sockport;
close $port;
rename 'port.new', 'port' or die $!;

while (my $c = $server->accept) {
    my ($length, $body) = (0, '');

    while (my $line = <$c>) {
        $length = $1 if $line =~ /\Acontent-length: *([0-9]+)/i;
        last if $line eq "\r\n";
    }

    read $c, $body, $length;
    print $log "POST $body\n";

    print $c "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n"
        . "Connection: close\r\n\r\n" if --$unanswered < 0;
    close $c;
}
PERL

cat > Post.java << 'JAVA'
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;

class Post {
    public static void main(String[] args) throws Exception {
        byte[] body = "one".getBytes("US-ASCII");
        HttpURLConnection c =
            (HttpURLConnection) new URL(args[0]).openConnection();

        c.setRequestMethod("POST");
        c.setDoOutput(true);

        if (args.length > 1) {
            c.setFixedLengthStreamingMode(body.length);
        }

        try (OutputStream out = c.getOutputStream()) {
            out.write(body);
        }

        try {
            System.out.println(c.getResponseCode());

        } catch (IOException e) {
            System.out.println(e.getClass().getSimpleName());
        }
    }
}
JAVA

# name, how many are not answered, a property, further arguments

said() {
    name=$1
    property=$3
    rm -f port
    perl server.pl "$2" &
    pid=$!
    shift 3
    tries=0

    until [ -s port ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || exit 2
        sleep 0.1
    done

    answer=$("$home/bin/java" "$property" Post.java \
        "http://127.0.0.1:$(cat port)/" "$@")

    kill "$pid"
    wait "$pid" 2> /dev/null || :
    pid=

    echo "$name$(paste -s -d , log | sed 's/,/, /g'): $answer"
}

{
    said '' 1 -Da=b
    said 'never answered: ' 9 -Da=b
    said 'setFixedLengthStreamingMode: ' 9 -Da=b fixed
    said 'retryPost=false: ' 9 -Dsun.net.http.retryPost=false
} > shown

cat > expected << 'TEXT'
POST one, POST one: 201
never answered: POST one, POST one: SocketException
setFixedLengthStreamingMode: POST one: SocketException
retryPost=false: POST one: SocketException
TEXT

"$home/bin/java" -version 2>&1 | head -n 1
cat shown
cmp -s shown expected
