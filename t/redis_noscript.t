#!/usr/bin/perl

# A Redis that does not know the script gets it, and is not sent it again.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;
use Segments::Process;

use Digest::SHA qw(sha1_hex);


my $upstream = upstream();

my $MISSING = '-NOSCRIPT No matching script. Please use EVAL.';

my %set = (
    segments_redis_timeout         => slow_ms(2000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_wait      => 'off',
    segments_idempotency_lease     => '300s',
);


# EVALSHA, SCRIPT LOAD, and EVALSHA from then on

my @words = (1, qr/:k1\}:create\z/, 'claim', bind_word('token'), '...');
my $fake = fake_redis(
    hello,
    [EXPECT => 'EVALSHA', bind_word('sha'), @words],
    [SEND => $MISSING],
    [EXPECT => 'SCRIPT', 'LOAD', qr/\bKEYS\[1\]/],
    [EXPECT => 'EVALSHA', bind_word('sha'), @words],
    [SEND => sub { my %bound = @_; $bound{sha} }, ['ok']],
    says(complete => 'k1', bind_word('token')),
    [SEND => ['ok']],
    [EXPECT => 'EVALSHA', bind_word('sha'), 1, qr/:k2\}:create\z/, 'claim',
        '...'],
    [SEND => ['mismatch']],
);
my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);

is($gateway->create(key => 'k1')->summary, '201 recorded', 'script loaded');
is($gateway->create(key => 'k2')->status, 422, 'and known');
ok($fake->played, 'dialogue');

my (undef, $sha, $load, $again) = $fake->commands;

is($sha->[1], sha1_hex($load->[2]), 'the name of what is loaded');
is_deeply($again, $sha, 'the same command');
unlike($gateway->error_log, qr/\[error\]/, 'no error');


# A proxy that hangs up on SCRIPT LOAD, and on INFO: it is not asked again, and
# the command, as the next one, takes its script along.

$Segments::FakeRedis::Player::INFO = 1;

$fake = fake_redis(
    hello,
    [EXPECT => 'INFO'],
    says(claim => 'p1'),
    ['CLOSE'],
    hello('second'),
    says(claim => 'p1'),
    [SEND => $MISSING],
    [EXPECT => 'SCRIPT', 'LOAD', qr/./],
    ['CLOSE'],
    hello('third'),
    says(claim => 'p1'),
    [SEND => $MISSING],
    [EXPECT => 'EVAL', qr/./, 1, qr/:p1\}:create\z/, 'claim', '...'],
    [SEND => ['mismatch']],
    says(claim => 'p2'),
    [SEND => $MISSING],
    [EXPECT => 'EVAL', qr/./, 1, qr/:p2\}:create\z/, 'claim', '...'],
    [SEND => ['mismatch']],
);
$gateway = nginx(upstream => $upstream, redis => $fake, set => \%set,
    log_level => 'notice');

is($gateway->create(key => $_)->status, 422, "$_, through a proxy")
    for qw(p1 p2);
ok($fake->played, 'SCRIPT LOAD is not repeated');
like($gateway->error_log, qr/\[notice\] .* asked for SCRIPT LOAD when it /,
    'and why');

$Segments::FakeRedis::Player::INFO = 0;


# many at once, before it is known: each reply still meets its own command

my @keys = map { "m$_" } 1 .. 5;

$fake = fake_redis(
    hello,
    (map { says(claim => $_) } @keys),
    [SEND => ($MISSING) x 5],
    [EXPECT => 'SCRIPT', 'LOAD', qr/./],
    (map { says(claim => $_) } @keys),
    [SEND => 'loaded', ['mismatch'], ['in_progress', ':1000'],
        ['replay', '200', '', ''], ['tombstone', '201'], ['held']],
);
$gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);

my @clients = map { $gateway->connect } @keys;

for my $i (0 .. $#keys) {
    $clients[$i]->send_request($gateway->create_request(key => $keys[$i]));
    $fake->wait_step(4 + $i);
}

is_deeply([map { $_->read_response->status } @clients],
    [422, 409, 200, 409, 504], 'many at once');
ok($fake->played, 'many at once, dialogue');


# it is not sent for ever, nor for a command that nobody waits for, which is
# given up before a connection would be made beside one that is silent for 1 s

$fake = fake_redis(
    hello,
    says(claim => 'k3'),
    [SEND => $MISSING],
    [EXPECT => 'SCRIPT', 'LOAD', qr/./],
    says(claim => 'k3'),
    [SEND => '-NOPERM no', $MISSING],
    [EXPECT => 'EVAL', '...'],
    [SEND => $MISSING],
    says(claim => 'k4'),
    says(give_back => 'k4'),
    [SEND => $MISSING, ['ok']],
    says(claim => 'k5'),
    [SEND => ['mismatch']],
);
$gateway = nginx(upstream => $upstream, redis => $fake,
    set => { %set, segments_redis_timeout => '800ms' });

is(envelope($gateway->create(key => 'k3')), '503 internal/storage_error',
    'NOSCRIPT to EVAL');
is($gateway->create(key => 'k4')->status, 503, 'NOSCRIPT comes too late');
is($gateway->create(key => 'k5')->status, 422, 'the next one');
ok($fake->played, 'neither is sent again');


# a real one that forgets its scripts again and again

my $redis = redis_server();

$gateway = nginx(upstream => $upstream, redis => $redis, workers => 2,
    set => \%set);

my $test = $$;
my $flusher = Segments::Process->spawn(name => 'flusher', code => sub {
    my $client = Segments::RedisServer::Client->new($redis->socket);

    $client->command('SCRIPT', 'FLUSH') while getppid == $test;
});

my %count;

for my $round (1 .. 4) {
    $count{ $_ ? $_->summary : 'no answer' }++ for parallel(map {
        [$gateway, $gateway->create_request(key => "$round-$_")]
    } 1 .. 50);
}

is($redis->cmd('PING'), 'PONG', 'Redis is there');
ok($flusher->alive, 'and forgets');
$flusher->stop('KILL');

is_deeply(\%count, { '201 recorded' => 200 }, 'nobody notices')
    or diag $gateway->error_log;

my $sources = $redis->commands;

cmp_ok(($sources->{'script|load'} // 0) + ($sources->{eval} // 0), '>', 1,
    'loaded more than once');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
