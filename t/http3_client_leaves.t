#!/usr/bin/perl

# A client of HTTP/3 leaves after its create was sent: as with HTTP/1 and
# HTTP/2, the upstream's answer is waited for and stored all the same.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $missing = Segments::HTTP3::missing();
plan(skip_all => $missing) if $missing;

my $upstream = upstream();
my $redis = redis_server();
my $quic = Segments::HTTP3::listen(certificate());


sub gateway {
    my ($policy, %args) = @_;

    return nginx(upstream => $upstream, redis => $redis, server => $quic,
        %args, set => {
            %Segments::Nginx::PATIENT,
            segments_redis_prefix        => "$policy:",
            segments_idempotency_unknown => $policy,
            segments_idempotency_wait    => 'off',
            %{ $args{set} // {} },
        });
}


# the worker sees what a client does before what comes after it

sub settle { $_[0]->request('PATCH', '/v4/segments') }


# A connection that was closed ends its requests at once: the one that was not
# sent shows that it has.

sub close_seen {
    my ($c, $nginx, $leave) = @_;

    my $count = () = $nginx->access;

    $c->send_request('POST', '/v4/segments', body => '{"name":', end => 0);
    settle($c);
    $leave->($c);
    $nginx->access($count + 2);
}


my %leave = (
    'stream reset'   => sub { $_[0]->reset($_[1]); settle($_[0]) },
    'answer refused' => sub { $_[0]->refuse($_[1]); settle($_[0]) },
    'close'          => sub { close_seen($_[0], $_[2], sub { $_[0]->close }) },
);

my %moment = (
    'before the answer' => 'hold',
    'amid the answer'   => 'hold-body',
);

my $n = 0;

for my $policy (qw(retry hold)) {
    my $nginx = gateway($policy);

    for my $how (sort keys %leave) {
        for my $when (sort keys %moment) {
            my ($key, $count) = ('k' . ++$n, $upstream->count);
            my $c = h3($nginx);
            my $id = $c->send_request($nginx->create_request(key => $key,
                mock => "$moment{$when}=$key"));

            $upstream->wait_held($key);
            $leave{$how}->($c, $id, $nginx);
            answered_all_the_same("$policy, $how $when", $nginx, $key, $count);
        }
    }

    is(h3($nginx)->request($nginx->create_request(key => "k$n"))->summary,
        '201 replayed marked', "$policy: replayed over HTTP/3");
}


# of a create that its client has left

sub answered_all_the_same {
    my ($name, $nginx, $key, $count) = @_;

    is($nginx->create(key => $key)->summary,
        '409 in-progress idempotency_in_progress', $name);

    $upstream->release($key);

    my ($record) = grep { /:$key\}:create\z/ } $redis->keys;

    wait_for { $redis->record($record)->{state} eq 'answered' } 10,
        'the answer to be stored';

    is($nginx->create(key => $key)->summary, '201 replayed marked',
        "$name: replayed");
    is($upstream->count, $count + 1, "$name: one upstream request");

    return;
}


# a client that says nothing any more, until the connection is given up

for my $policy (qw(retry hold)) {
    my $nginx = gateway($policy, server => "$quic keepalive_timeout 2s;",
        set => { segments_redis_prefix => "silent-$policy:" });
    my $count = $upstream->count;
    my $c = h3($nginx);

    $c->send_request($nginx->create_request(key => "silent-$policy",
        mock => "hold=silent-$policy"));
    $upstream->wait_held("silent-$policy");
    $c->vanish;
    $nginx->wait_log(qr/quic client timed out/, 30);

    answered_all_the_same("$policy, silent", $nginx, "silent-$policy", $count);
}


# curl's patience ends, as an app's does

SKIP: {
    my $nginx = gateway('retry', set => { segments_redis_prefix => 'curl:' });
    my $count = $upstream->count;

    skip 'curl has no HTTP/3', 3 if `curl --version` !~ /\bHTTP3\b/;

    my $curl = Segments::Process->spawn(name => 'curl', output => '/dev/null',
        argv => ['/usr/bin/curl', '-sk', '--http3-only', '--max-time',
            slow(2), '-H', 'Idempotency-Key: curl', '-H', 'X-Mock: hold=curl',
            '-H', 'Content-Type: application/json', '-d', '{"name":"a"}',
            'https://127.0.0.1:' . $nginx->port . '/v4/segments']);

    $upstream->wait_held('curl');
    ok($curl->wait(20), 'curl timed out');

    my $again = sub { $nginx->create(key => 'curl', body => { name => 'a' }) };

    is($again->()->summary, '409 in-progress idempotency_in_progress',
        'in progress');
    $upstream->release('curl');
    wait_for { $again->()->summary eq '201 replayed marked' } 10, 'the answer';
    is($upstream->count, $count + 1, 'one upstream request');
}


# nobody waits, and no answer comes

{
    my $nginx = gateway('retry', set => { segments_redis_prefix => 'short:',
        proxy_read_timeout => slow_ms(500) });

    for my $mock ('hold=never', 'hold=x; rst', 'hold=y; close=mid-body') {
        my $key = 'short' . ++$n;
        my $count = $upstream->count;
        my $c = h3($nginx);

        $c->send_request($nginx->create_request(key => $key, mock => $mock));
        $upstream->wait_requests($count + 1);
        $c->close;
        $upstream->release($_) for $mock =~ /hold=([xy])/;

        my ($name) = $redis->keys("short:*:$key}:create");

        wait_for { $redis->record($name)->{state} eq 'unknown' } 10,
            'the outcome to be unknown';
        is($nginx->create(key => $key)->summary, '201 recorded',
            "retry after $mock");
    }
}


# thirty copies, each on a connection of its own: the first one and half of the
# others leave

{
    my $nginx = gateway('retry', set => { segments_redis_prefix => 'copies:',
        segments_idempotency_wait => '30s waiters=100 per_key=100' });
    my $count = $upstream->count;
    my @request = $nginx->create_request(key => 'copies',
        mock => 'hold=copies');

    my @clients = map { h3($nginx) } 1 .. 30;
    my @ids = $clients[0]->send_request(@request);

    $upstream->wait_held('copies');
    push @ids, map { $_->send_request(@request) } @clients[1 .. 29];
    settle($_) for @clients;

    $clients[$_]->close for 0 .. 14;
    wait_for { 14 == grep { $_->{outcome} eq 'aborted' } $nginx->access } 10,
        'those who wait to leave';
    $upstream->release('copies');

    is_deeply([map { $clients[$_]->read_response($ids[$_])->summary }
        15 .. 29], [('201 replayed marked') x 15], 'copies: the others');
    is($upstream->count, $count + 1, 'copies: one upstream request');
}


# a reload meanwhile, with and without the client

for my $left (0, 1) {
    my $nginx = gateway('retry', set => { segments_redis_prefix => 'reload:' });
    my ($key, $count) = ("reload$left", $upstream->count);
    my $c = h3($nginx);

    $c->send_request($nginx->create_request(key => $key, mock => "hold=$key"));
    $upstream->wait_held($key);
    close_seen($c, $nginx, sub { $_[0]->close }) if $left;
    $nginx->reload;

    answered_all_the_same($left ? 'left, reload' : 'reload', $nginx, $key,
        $count);
}


# a worker's time to shut down ends what it has, whether its client left or not

for my $left (0, 1) {
    my $nginx = gateway('retry', main => 'worker_shutdown_timeout 1s;',
        set => { segments_redis_prefix => 'shutdown:',
            proxy_read_timeout => '100s' });
    my $key = "shutdown$left";
    my $c = h3($nginx);

    $c->send_request($nginx->create_request(key => $key, mock => "hold=$key"));
    $upstream->wait_held($key);
    close_seen($c, $nginx, sub { $_[0]->close }) if $left;

    ok($nginx->quit(slow(20)), 'gateway ended' . ($left ? ', left' : ''));
    is($redis->record(($redis->keys("shutdown:*:$key}:create"))[0])->{state} =~
        /\A(?:claimed|unknown)\z/, 1, 'the key is kept');
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
