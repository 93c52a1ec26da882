#!/usr/bin/perl

# A connection on which nothing comes back for long, as when the other side is
# gone without a FIN, is given up; another one is made.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::FakeRedis qw(bulk resp);
use Segments::Value;
use Segments::Test;

use IO::Select;
use IO::Socket::INET;


my $upstream = upstream();
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'tcp',
    Listen => 10);
my $gateway = nginx(upstream => $upstream,
    redis => 'redis://127.0.0.1:' . $listen->sockport, set => {
        segments_redis_timeout         => slow_ms(200),
        segments_redis_connect_timeout => slow_ms(2000),
        segments_idempotency_lease     => slow_ms(5000),
    });


sub asks {
    my ($key) = @_;

    my $c = $gateway->connect;

    $c->send_request($gateway->create_request(key => $key));

    return $c;
}


sub accepted {
    IO::Select->new($listen)->can_read(slow(10)) or return;

    return $listen->accept;
}


sub read_until {
    my ($socket, $pattern) = @_;

    my $bytes = '';

    while ($bytes !~ $pattern) {
        IO::Select->new($socket)->can_read(slow(10)) or last;
        sysread $socket, $bytes, 65536, length $bytes or return "$bytes EOF";
    }

    return $bytes;
}

# the reply begins with what it answers; behind that to INFO, where it is asked

sub answers {
    my ($socket, $verb, $word, $name, $info) = @_;

    my $command = qr/\r\n(segments:[^\r]*)\r\n\$[0-9]+\r\n\Q$verb\E\r\n
        \$16\r\n(.{8}).*\r\n\z/sx;
    my $bytes = read_until($socket, $command);

    like($bytes, $command, $name);
    is($bytes =~ /INFO\r\n/ ? 1 : 0, $info ? 1 : 0, "$name: INFO, or not")
        or return;

    my ($key, $token) = $bytes =~ $command;
    my $found = $word eq 'mismatch' ? bulk(Segments::Value::encode($key,
        state => 'unknown', fp => 'ff' x 32)) : undef;

    syswrite $socket, ($info // '') . resp(["$verb$token", 'found', $found])
        if defined $token;

    return;
}


my $c = asks('a');
my $first = accepted();

like(read_until($first, qr/PING\r\n/), qr/PING/, 'connection');
syswrite $first, "+PONG\r\n";

like(read_until($first, qr/claim/), qr/EVALSHA.*claim/s, 'claim');
is(envelope($c->read_response), '503 internal/storage_error', 'given up');

# the next one works; it is made before or after the first one is given up, as
# something is to be sent meanwhile or not

my $second = accepted();

ok($second, 'another connection');
like(read_until($second, qr/PING\r\n/), qr/PING/, 'and its greeting');
syswrite $second, "+PONG\r\n";
answers($second, 'give_back', 'stale', 'what was claimed is given back',
    "-NOPERM no such permission\r\n");

like(read_until($first, qr/ EOF\z/), qr/ EOF\z/, 'connection closed');
$gateway->wait_log(qr/(?:redis was silent|heard from redis) for [0-9]+ ms/);

$c = asks('b');
answers($second, 'claim', 'mismatch', 'the next claim');
is($c->read_response->status, 422, 'answered');

# silence while nothing is asked is no reason

ok(!IO::Select->new($second)->can_read(slow(2)), 'idle for long');
$c = asks('c');
answers($second, 'claim', 'mismatch', 'still in use');
is($c->read_response->status, 422, 'answered, too');

is($upstream->count, 0, 'nothing was sent upstream');

done_testing();
