#!/usr/bin/perl

# A 429 is nobody's answer to a key: neither nginx' own limits nor the
# upstream's are remembered, and the retry that comes in time is the first to
# be carried out.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

use Time::HiRes qw(time);


my $upstream = upstream();
my $redis = redis_server();
my %args = (upstream => $upstream, redis => $redis);
my %set = (%Segments::Nginx::PATIENT);

# nginx' limit_req: one request in two seconds

my $limited = nginx(%args, set => \%set, http => 'limit_req_zone'
        . ' $http_x_zone zone=reqs:1m rate=30r/m; limit_req_status 429;',
    location => 'limit_req zone=reqs;');

my @zone = (headers => ['X-Zone' => 'a', 'Content-Type' => 'application/json']);

is($limited->create(@zone, key => 'other')->summary, '201 recorded',
    'the limit is spent');

my $start = time;

for (1 .. 2) {
    my $refused = $limited->create(@zone, key => 'k');

    last if time - $start > 1.5;        # too slow to be refused

    is(envelope($refused), '429 request/rate_limit_exceeded', 'limit_req');
    is($refused->header('Idempotency-Status'), undef, 'not about the key');
    is($refused->header('Idempotent-Replayed'), undef, 'nor a replay');
}

is_deeply([grep { /:k\}:create\z/ } $redis->keys], [], 'no record');

my $answer;

wait_for { $answer = $limited->create(@zone, key => 'k');
    $answer->status != 429 } 10, 'the limit to allow more';

is($answer->summary, '201 recorded', 'the retry runs');
is($upstream->count, 2, 'one request of the key');

wait_for { $answer = $limited->create(@zone, key => 'k');
    $answer->status != 429 } 10, 'the limit to allow more';

is($answer->summary, '201 replayed marked', 'and is remembered');

# limit_conn

my $conns = nginx(%args, set => { %set, segments_redis_prefix => 'conns:' },
    http => 'limit_conn_zone $http_x_zone zone=conns:1m;'
        . ' limit_conn_status 429;', location => 'limit_conn conns 1;');

my $c = $conns->connect;

$c->send_request($conns->create_request(@zone, key => 'one',
    mock => 'hold=h'));
$upstream->wait_held('h');
is(envelope($conns->create(@zone, key => 'k')),
    '429 request/rate_limit_exceeded', 'limit_conn');
$upstream->release('h');
is($c->read_response->summary, '201 recorded', 'the other one');
wait_for { $answer = $conns->create(@zone, key => 'k');
    $answer->status != 429 } 10, 'the connection to be gone';
is($answer->summary, '201 recorded', 'the retry runs');
is($upstream->count, 4, 'one request of each key');

# the upstream's own: it counts, answers twice with 429, and then carries out

for my $policy (qw(retry hold)) {
    my $nginx = nginx(%args, set => { %set,
        segments_redis_prefix        => "$policy:",
        segments_idempotency_unknown => $policy,
    });
    my ($count, $effects) = ($upstream->count, $upstream->effects);

    $upstream->next('status=429; header=Retry-After:2',
        'status=429; header=Retry-After:1; chunked');

    for my $after (2, 1) {
        my $refused = $nginx->create(key => 'k');

        is($refused->summary, '429 unstored mock_429', "$policy: upstream");
        is($refused->header('Retry-After'), $after, 'when to come again');
        is_deeply([$redis->keys("$policy:*")], [], 'no record');
    }

    is($upstream->effects, $effects, 'nothing carried out');
    is($nginx->create(key => 'k')->summary, '201 recorded', 'the retry runs');
    is($nginx->create(key => 'k')->summary, '201 replayed marked',
        'and is remembered');
    is($upstream->effects, $effects + 1, 'carried out once');
    is($upstream->count, $count + 3, 'after three requests');

    my %keys = map { $_->header('Idempotency-Key') => 1 }
        ($upstream->requests)[-3 .. -1];

    is(scalar keys %keys, 1, 'of one upstream key');
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
