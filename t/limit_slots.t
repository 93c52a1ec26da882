#!/usr/bin/perl

# Limits in a cluster: they are asked behind the claim, those of each slot in a
# trip of their own, a refusal gives the claim back, and a replay pays nothing.
#
# A cluster of one node, which has all slots.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;
use Segments::Limits;


my $upstream = upstream();
my $redis = redis_server(options => { 'cluster-enabled' => 'yes',
    'cluster-port' => free_port() });

$redis->cmd('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
wait_for { $redis->cmd('CLUSTER', 'INFO') =~ /cluster_state:ok/ } 20,
    'the cluster';


sub apart {
    my (%args) = @_;

    my $port = (delete $args{redis} // $redis)->port;

    return nginx(upstream => $upstream,
        redis => "redis+cluster://127.0.0.1:$port",
        http => 'log_format limit escape=json'
            . ' \'$segments_outcome $segments_rate_limit_status\';',
        server => 'access_log %%DIR%%/access.log test;'
            . ' access_log %%DIR%%/limit.log limit;', %args, set => {
        segments_redis_timeout         => slow_ms(1000),
        segments_redis_connect_timeout => slow_ms(3000),
        segments_idempotency_lease     => '300s',
        segments_idempotency_scope     => '$http_x_client',
        segments_rate_limit            => [
            'rate=1r/h burst=9 key=$http_x_client name=client',
            'rate=1r/h burst=3 name=project',
        ],
        %{ $args{set} // {} },
    });
}

sub statuses {
    my ($gateway, $count) = @_;

    my $path = $gateway->dir . '/limit.log';

    wait_for { $count <= (() = slurp($path) =~ /\n/g) };

    return join ', ', split /\n/, slurp($path);
}

sub left {
    my ($answer) = @_;

    return join ' ', ($answer->header('RateLimit') // '') =~ /r=([0-9]+)/g;
}

# of scripts: a claim is none, nor is an answer where Redis has IFEQ

my $STORES = $redis->can_ifeq ? 0 : 1;

my %trips;

sub trips {
    my $before = $trips{evalsha} // 0;

    %trips = %{ $redis->commands };

    return $trips{evalsha} - $before;
}


my $gateway = apart();
my @A = (headers => ['X-Client' => 'a']);
my $project = 'segments:{live:}:limit:project';
my $client = 'segments:{live:a}:limit:client';

$gateway->create(key => 'warm', headers => ['X-Client' => 'w']);
$gateway->create(headers => ['X-Client' => 'w']);
$redis->cmd('FLUSHALL');
trips();

my $answer = $gateway->create(key => 'k1', @A);

is($answer->summary, '201 recorded', 'recorded');
is(left($answer), '9 3', 'both are charged');
is(trips(), 2 + $STORES, 'three trips admit it, one completes it');

$answer = $gateway->create(key => 'k1', @A);
is($answer->summary, '201 replayed marked', 'replayed');
is(left($answer), '9 3', 'nobody is charged');
is(trips(), 2, 'three trips');

is(left($gateway->create(key => 'k1')), '2', 'one limit');
is(trips(), 1 + $STORES, 'two trips admit it, one completes it');

is(left($gateway->create(@A)), '8 1', 'no key');
is(trips(), 2, 'a trip for each limit');
is(left($gateway->create(key => 'k2', @A)), '7 0', 'one more');
trips();

# the second trip refuses

my $owed = $redis->cmd('GET', $project);

for my $key ('k3', 'k3', undef) {
    my $name = $key // 'no key';

    $answer = $gateway->create(key => $key, @A);

    is(envelope($answer), '429 request/rate_limit_exceeded', "$name: refused");
    is($answer->json->{error}{message},
        'The rate limit is exceeded: "project"', "$name: by the far one");
    is($answer->header('Idempotency-Status'), undef, "$name: no status");
    like($answer->header('Retry-After'), qr/\A3[56]\d\d\z/, "$name: come back");

    wait_for { !grep { /:k3\}:create\z/ } $redis->keys } 10,
        'the claim to be given back';
}

is($redis->cmd('GET', $project), $owed, 'nothing is spent of it');
is($upstream->count, 5 + 2 - 1, 'nothing was sent');
trips();

is($gateway->create(key => 'k1', @A)->summary, '201 replayed marked',
    'replayed at zero');
is($redis->cmd('GET', $project), $owed, 'for nothing');
is($gateway->create(key => 'k1', body => { name => 'x' }, @A)->status, 422,
    'a mismatch');
is(trips(), 2, 'which needs no second trip');

earn($redis, $project, 3600);
is($gateway->create(key => 'k3', @A)->summary, '201 recorded',
    'the refused key, later');

# the first limit refuses: the second is not asked

$redis->cmd('SET', $client, '9' x 16 . ' 0');
$redis->cmd('DEL', $project);
trips();
is($gateway->create(key => 'k4', @A)->json->{error}{message},
    'The rate limit is exceeded: "client"', 'the near one refuses');
is($redis->cmd('EXISTS', $project), 0, 'the far one is not asked');
wait_for { !grep { /:k4\}:create\z/ } $redis->keys } 10,
    'the claim to be given back';
is(trips(), 2, 'claimed, refused, given back');

# a dry run

my $dry = apart(set => { segments_rate_limit_dry_run => 'on' });

is($dry->create(key => 'k5', @A)->summary, '201 recorded', 'dry run');
is(statuses($dry, 1), 'forwarded REJECTED_DRY_RUN', 'dry run: status');

# what stands there is not ours

$redis->cmd('DEL', $client);
$redis->cmd('SET', $project, 'x');
is(envelope($gateway->create(key => 'k6', @A)), '503 internal/storage_error',
    'unreadable');
wait_for { !grep { /:k6\}:create\z/ } $redis->keys } 10,
    'the claim to be given back';
is($gateway->create(key => 'k3', @A)->summary, '201 replayed marked',
    'a replay does not need it');

is_deeply([grep { $_ ne $project && $_ ne $client }
    $redis->keys_without_expiry], [], 'every key expires');


# Redis is lost between the trips

for my $failure (qw(reject pass)) {
    my $fake = fake_redis(
        whole_cluster(),
        [EXPECT => 'EVALSHA', qr/./, 1, qr/:k7\}:create\z/, 'claim', '...'],
        [SEND => ['ok']],
        [EXPECT => 'EVALSHA', qr/./, 2, qr/:paid:/, $client, 'spend', '...'],
        [SEND => ['ok', ['spent', ':8', ':9']]],
        [EXPECT => 'EVALSHA', qr/./, 2, qr/:paid:/, $project, 'spend', '...'],
        says($failure eq 'pass' ? 'complete' : 'give_back', 'k7'),
        [SEND => ['ok', ['spent', ':8', ':9']], ['ok']],
    );
    my $lost = apart(redis => $fake, set => {
        segments_redis_failure => $failure,
        # less than the second of silence after which another one is made
        segments_redis_timeout => slow_ms(300),
    });
    my $before = $upstream->count;
    my $answer = $lost->create(key => 'k7', @A);

    ok($fake->played, "$failure: dialogue");
    is(statuses($lost, 1), $failure eq 'pass' ? 'forwarded BYPASSED'
        : 'redis_failed ', "$failure: status");

    if ($failure eq 'reject') {
        is(envelope($answer), '503 internal/storage_error', 'refused');
        is($upstream->count, $before, 'not sent');
        next;
    }

    is($answer->summary, '201 recorded', 'pass: the claim is good');
    is($upstream->count, $before + 1, 'pass: sent');
}

# and the client: nothing is sent, and its key is free

for my $key ('k8', undef) {
    my $name = $key // 'no key';
    my $fake = fake_redis(
        whole_cluster(),
        $key ? ([EXPECT => 'EVALSHA', '...'], [SEND => ['ok']],
            [EXPECT => 'EVALSHA', '...'],
            [SEND => ['ok', ['spent', ':8', ':9']]]) : (),
        [EXPECT => 'EVALSHA', '...'],
        $key ? [EXPECT => 'EVALSHA', qr/./, 1, qr/:k8\}:create\z/,
            'give_back', '...']
            : [WAIT => 'left'],
        [SEND => ['ok', ['spent', ':8', ':9']], $key ? ['ok'] : ()],
    );
    my $left = apart(redis => $fake, set => {
        segments_redis_timeout => slow_ms(5000),
        segments_rate_limit    => $key ? [
            'rate=1r/h burst=9 key=$http_x_client name=client',
            'rate=1r/h burst=3 name=project',
        ] : 'rate=1r/h burst=3 name=project',
    });
    my $before = $upstream->count;
    my $c = $left->connect;

    $c->send_request($left->create_request(key => $key, @A));
    $fake->wait_step($key ? 16 : 12);
    $c->close;

    is(($left->access(1))[0]{outcome}, 'aborted', "$name: the client left");
    $fake->go('left') if !$key;
    ok($fake->played, "$name: dialogue");
    is($upstream->count, $before, "$name: not sent");
    $left->stop;
}

# a slot that moves has keys here and there: each of its limits by itself, and
# without a receipt

{
    my $other = 'segments:{live:a}:limit:other';
    my $fake = fake_redis(
        whole_cluster(),
        [EXPECT => 'EVALSHA', qr/./, 1, qr/:k9\}:create\z/, 'claim', '...'],
        [SEND => ['ok']],
        [EXPECT => 'EVALSHA', qr/./, 3, qr/:paid:/, $client, $other, 'spend',
            '...'],
        [SEND => '-TRYAGAIN Multiple keys request during rehashing of slot'],
        [EXPECT => 'EVALSHA', qr/./, 2, $client, $client, 'spend', '...'],
        [SEND => ['ok', ['spent', ':8', ':9']]],
        [EXPECT => 'EVALSHA', qr/./, 2, $other, $other, 'spend', '...'],
        [SEND => ['ok', ['spent', ':5', ':9']]],
        says(complete => 'k9'),
        [SEND => ['ok']],
    );
    my $gateway = apart(redis => $fake, set => {
        segments_redis_timeout => slow_ms(5000),
        segments_rate_limit    => [
            'rate=1r/h burst=9 key=$http_x_client name=client',
            'rate=1r/h burst=9 key=$http_x_client name=other',
        ],
    });
    my $answer = $gateway->create(key => 'k9', @A);

    is($answer->summary, '201 recorded', 'one by one');
    is(left($answer), '8 5', 'one by one, both');
    ok($fake->played, 'one by one, dialogue');
}

done_testing();
