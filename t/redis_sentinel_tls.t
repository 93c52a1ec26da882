#!/usr/bin/perl

# Sentinels and servers that speak TLS: every connection of the gateway does,
# and checks with whom, the sentinel's and that of the master which it names.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Authority;
use Segments::Sentinels;


my $upstream = upstream();
my $ca = Segments::Authority->new;
my $stranger = Segments::Authority->new;
my $trust = 'tls_trusted_certificate=' . $ca->file;
my @address = ($ca->certificate('127.0.0.1'), $ca->file);
my @name = ($ca->certificate('redis.test'), $ca->file);

sub gateway {
    my ($s, $words, $time) = @_;

    return nginx(upstream => $upstream, redis => $s->url . " $words", set => {
        segments_redis_timeout         => slow_ms($time // 1000),
        segments_redis_connect_timeout => slow_ms($time // 1000),
        segments_redis_breaker         => 'failures=5 retry=' . slow_ms(300),
        segments_idempotency_lease     => '60s',
    });
}


# found through a sentinel, and followed when it dies

my $s = Segments::Sentinels->start(replicas => 1, sentinels => 3,
    tls => \@address);
my $gateway = gateway($s, $trust);
my $first = $gateway->create(key => 'k');
my $master = $s->master;

is($first->summary, '201 recorded', 'recorded');
is($gateway->create(key => 'k')->summary, '201 replayed marked', 'replayed');
is(scalar(grep { /:k\}:create\z/ } $master->keys), 1, 'on the master');

my @clients = grep { /cmd=(?:evalsha|script\|load|set|info)/ } split /\n/,
    $master->cmd('CLIENT', 'LIST');
my $port = $master->peer_port;

is(scalar(grep { !/ laddr=127\.0\.0\.1:$port / } @clients), 0,
    'by its TLS port');
cmp_ok(scalar(@clients), '>', 0, 'that has the commands');

$master->wait_replicas(1);
$s->kill_master;

my $n = 0;

wait_for { $gateway->create(key => 'f' . $n++)->summary eq '201 recorded' } 30,
    'the gateway to follow';

my $new = $s->wait_master($master);
$port = $new->peer_port;

is($gateway->create(key => 'k')->body, $first->body, 'the same answer');
like($gateway->error_log, qr/"the-master" is now at 127\.0\.0\.1:$port while /,
    'the new master\'s TLS port');
$gateway->quit;


# a sentinel that is not to be trusted

my $asked = $upstream->count;

$gateway = gateway($s, 'tls_trusted_certificate=' . $stranger->file, 400);
is(envelope($gateway->create(key => 'k')), '503 internal/storage_error',
    'a sentinel of a wrong CA');
like($gateway->error_log, qr/certificate verify error: \((?:19|20):/,
    'a sentinel of a wrong CA, log');
$gateway->stop;


# nor a master, though the sentinels, which look at no names, believe it is one

my $other = Segments::Sentinels->start(replicas => 0, sentinels => 1,
    tls => \@name, sentinel_tls => \@address);

for my $row (
    ['a master of a wrong name', $trust, '127.0.0.1',
        ($other->master)->peer_port],
    ['a sentinel of a wrong name', "$trust tls_name=redis.test", 'redis.test',
        ($other->sentinels)[0]->peer_port],
) {
    my ($name, $words, $expected, $where) = @$row;

    $gateway = gateway($other, $words, 400);
    is(envelope($gateway->create(key => 'k')), '503 internal/storage_error',
        $name);
    like($gateway->error_log, qr/\Qcertificate does not match "$expected"\E
        \ while\ TLS\ handshaking\ .*,\ peer:\ 127\.0\.0\.1:$where$/mx,
        "$name, log");
    $gateway->stop;
}

is(scalar($other->master->keys), 0, 'no record');
is($upstream->count, $asked, 'nothing was sent');

$gateway = gateway($other, 'tls_verify=off');
is($gateway->create(key => 'k')->summary, '201 recorded', 'not verified');
$gateway->quit;

done_testing();
