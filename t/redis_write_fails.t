#!/usr/bin/perl

# Redis closes the connection while a command is written to it.  TLS takes a
# command in pieces: the first goes out, and the answer to it is that nobody is
# there, so that the next one fails.  What was taken has been sent: the whole
# command goes to the next connection.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Authority;


my $SIZE = 60_000;                      # bytes: more than one piece

my $ca = Segments::Authority->new;
my $redis = Segments::RedisServer->new(options => {
    Segments::RedisServer::tls_options($ca->certificate('127.0.0.1'),
        $ca->file),
});

$redis->start;

my $upstream = upstream();
my $gateway = nginx(upstream => $upstream,
    redis  => 'rediss://127.0.0.1:' . $redis->peer_port
        . ' tls_trusted_certificate=' . $ca->file,
    events => 'epoll_events 1;',        # what comes first is done first
    set    => {
        segments_redis_timeout         => slow_ms(5000),
        segments_redis_connect_timeout => slow_ms(5000),
        segments_idempotency_lease     => '300s',
    });

is($gateway->create(key => 'warm')->status, 201, 'a connection');

for my $try (1 .. 3) {
    my $key = "large-$try";
    my $c = $gateway->connect;

    $c->send_request($gateway->create_request(key => $key,
        mock => "hold=$key; body=$SIZE"));
    $upstream->wait_held($key);

    # the worker hears of the answer, and writes it, before it hears that the
    # connection is closed

    my ($worker) = $gateway->worker_pids;
    my $answers = answers();

    kill STOP => $worker;
    $upstream->release($key);
    wait_for { answers() > $answers } 10, 'the answer';
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    kill CONT => $worker;

    my $answer = $c->read_response;

    is($answer ? $answer->summary : 'none', '201 recorded', "$try, recorded");

    my $again = $gateway->create(key => $key);

    is($again->summary, '201 replayed marked', "$try, replayed");
    ok($again->body eq $answer->body, "$try, whole");
}

done_testing();


# of the upstream, as the system has taken them

sub answers { return scalar grep { $_->{event} eq 'answer' } $upstream->events }
