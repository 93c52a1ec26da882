#!/usr/bin/perl

# An upstream that takes three times as long as the lease: the claim is
# renewed while it works.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $LEASE = slow(1200);

my $upstream = upstream();
my $redis = redis_server();

my %set = (
    segments_redis_timeout         => slow_ms(400),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_wait      => 'off',
    segments_idempotency_lease     => slow_ms(1200),
    segments_idempotency_ttl       => slow_ms(1300),
);

my $nginx = nginx(upstream => $upstream, redis => $redis, set => { %set });
my $other = nginx(upstream => $upstream, redis => $redis, set => { %set });

my $c = $nginx->connect;
$c->send_request($nginx->create_request(key => 'k1', mock => 'hold=a'));
$upstream->wait_held('a');

my ($name) = $redis->keys;
my $first = $redis->record($name)->{lease};
my $before = ($redis->commands->{pexpire} // 0);

wait_for {
    $redis->cmd('EXISTS', $name) or die "the record is gone\n";
    $redis->record($name)->{lease} >= $first + 3 * $LEASE
} 20, 'the lease to be renewed beyond three of its length';

# a third of the lease each

my $renewals = ($redis->commands->{pexpire} // 0) - $before;

cmp_ok($renewals, '>=', 4, 'renewed now and then');
cmp_ok($renewals, '<=', 10, 'but not all the time');

for ($nginx, $other) {
    my $duplicate = $_->create(key => 'k1');

    is($duplicate->summary, '409 in-progress idempotency_in_progress',
        'duplicate refused');
    is($duplicate->header('Retry-After'), 1, 'told when to come again');
}

is($other->create(key => 'k1', body => { name => 'x' })->summary,
    '422 mismatch idempotency_key_reused', 'another body is a mismatch');

cmp_ok($redis->cmd('PTTL', $name), '>', 0, 'the key expires');

$upstream->release('a');

my $answer = $c->read_response;
my $again = $other->create(key => 'k1');

is($answer->summary, '201 recorded', 'answered');
is($again->summary, '201 replayed marked', 'replayed');
is($again->body, $answer->body, 'same body');
is($upstream->count, 1, 'one upstream request');

is(($other->access(3))[0]{outcome}, 'in_progress', 'outcome in the log');

# once it is answered nobody renews

my $after = ($redis->commands->{pexpire} // 0);
wait_for { !$redis->cmd('EXISTS', $name) } 10, 'the answer to expire';
is(($redis->commands->{pexpire} // 0), $after, 'no renewal after the answer');

done_testing();
