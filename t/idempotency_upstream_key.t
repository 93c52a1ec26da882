#!/usr/bin/perl

# The Idempotency-Key that the upstream gets.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();

my $scope = 'segments_idempotency_scope';
my %common = (%Segments::Nginx::PATIENT, $scope => '$http_x_client');

my $nginx = nginx(upstream => $upstream, redis => $redis, set => { %common });


# the keys that came with the latest request

sub sent {
    my ($gateway, $client, $key, %more) = @_;

    my $count = $upstream->count;

    $gateway->create(headers => ['X-Client' => $client, @{
        delete $more{headers} // [] }], key => $key, %more);

    $upstream->count == $count + 1 or return 'nothing sent';

    return join ' and ', ($upstream->requests)[-1]->headers('Idempotency-Key');
}


my $UUID = qr/\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/;

# an upstream's 500 is not remembered: each try is sent

my @fails = (mock => 'status=500');
my $key = sent($nginx, 'a', 'k1', @fails);

like($key, $UUID, 'derived key');
is(sent($nginx, 'a', 'k1', @fails), $key, 'the same at a retry');
is(sent($nginx, 'a', '"k1"', @fails), $key, 'the same for a quoted key');
is(sent($nginx, 'a', 'k1', @fails, body => <<'END'), $key,
{"conditions": [{"metric": "renewable", "negate": false, "value": "1",
    "comparator": "eq"}], "name": "Premium users"}
END
    'the same for the same body in another spelling');

isnt(sent($nginx, 'b', 'k1'), $key, 'another for another client');
isnt(sent($nginx, 'a', 'k2'), $key, 'another for another key');

# Redis has lost its data: not even then does a key stand for two bodies

$redis->cmd('FLUSHALL');
isnt(sent($nginx, 'a', 'k1', body => { name => 'Other' }), $key,
    'another for another body');
$redis->cmd('FLUSHALL');
is(sent($nginx, 'a', 'k1'), $key, 'the same for the same body');

my $second = nginx(upstream => $upstream, secret => 'sk_other0123456789',
    redis => $redis, set => { %common, segments_redis_prefix => 'other:' });

is(sent($second, 'a', 'k1'), $key, 'the same at another gateway');

# on the other operations the header is the client's own, as it came

my $all = nginx(upstream => $upstream, redis => $redis,
    set => { %common, segments_operations => 'all' });

$all->request('PUT', '/v4/segments/s1', body => { name => 'x' },
    key => '"q";a=1');
is(($upstream->requests)[-1]->header('Idempotency-Key'), '"q";a=1',
    'passed on with an update');

# original

my $original = nginx(upstream => $upstream, redis => $redis,
    set => { %common, segments_redis_prefix => 'original:',
             segments_idempotency_upstream_key => 'original' });

is(sent($original, 'a', 'k1'), 'k1', 'original');
is(sent($original, 'a', '"k 2"'), 'k 2', 'bare, though it came quoted');
is(sent($original, 'a', '"k\\\\\\"3"'), 'k\\"3', 'without escapes');

# off

my $off = nginx(upstream => $upstream, redis => $redis,
    set => { %common, segments_redis_prefix => 'off:',
             segments_idempotency_upstream_key => 'off',
             segments_idempotency_unknown => 'hold' });

is(sent($off, 'a', 'k1'), '', 'off');
is($off->create(key => 'k1', headers => ['X-Client' => 'a'])->summary,
    '201 replayed marked', 'and idempotent here');

# idempotency is not asked for: the upstream's own affair

my $none = nginx(upstream => $upstream,
    set => { segments_idempotency => 'off', segments_redis => undef });

is(sent($none, 'a', 'k1'), 'k1', 'passed on where idempotency is off');

done_testing();
