#!/usr/bin/perl

# A worker dies with a create in flight: its key is busy until the lease ends,
# and then the policy for unknown outcomes decides.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $BUSY = '409 in-progress idempotency_in_progress';
my $HELD = '504 held idempotency_outcome_unknown';

my $upstream = upstream(honour_keys => 1);
my $redis = redis_server();


sub gateway {
    my ($policy, %more) = @_;

    return nginx(upstream => $upstream, redis => $redis, %more, set => {
        segments_redis_prefix          => "$policy:",
        segments_redis_timeout         => slow_ms(600),
        segments_redis_connect_timeout => slow_ms(2000),
        segments_idempotency_wait      => 'off',
        segments_idempotency_lease     => slow_ms(2000),
        segments_idempotency_ttl       => slow_ms(20_000),
        segments_idempotency_unknown   => $policy,
    });
}


# a create that the upstream has and does not answer

sub in_flight {
    my ($nginx, $key) = @_;

    my $c = $nginx->connect;

    $c->send_request($nginx->create_request(key => $key,
        mock => "hold=$key; effect"));
    $upstream->wait_held($key);

    return $c;
}


# the answers up to the first that is not "in progress"

sub answers {
    my ($nginx, $key) = @_;

    my @answers;

    wait_for {
        push @answers, $nginx->create(key => $key);
        $answers[-1]->summary ne $BUSY
    } 10, 'the lease to end';

    return @answers;
}


sub lease_left {
    my ($name) = @_;

    my ($seconds, $micros) = @{ $redis->cmd('TIME') };

    return $redis->record($name)->{lease} - $seconds * 1000 - $micros / 1000;
}


my %ways = (
    'kill -9' => sub { $_[0]->kill_worker },
    'stop'    => sub { $_[0]->stop; $_[0]->start },
);

my $n = 0;

for my $how (sort keys %ways) {
    my %gateways = map { $_ => gateway($_) } qw(retry hold);
    my ($key, $count) = ('k' . ++$n, $upstream->count);
    my $effects = $upstream->effects;
    my %clients;

    for my $policy (sort keys %gateways) {
        $clients{$policy} = in_flight($gateways{$policy}, "$key-$policy");
    }

    for my $policy (sort keys %gateways) {
        my $gateway = $gateways{$policy};

        $ways{$how}->($gateway);
        ok($clients{$policy}->wait_closed, "$how, $policy: client cut off");

        my $busy = $gateway->create(key => "$key-$policy");

        is($busy->summary, $BUSY, 'key busy');
        is($busy->header('Retry-After'), 1, 'told when to come again');
    }

    is($upstream->count, $count + 2, 'nothing sent');

    my ($held) = $redis->keys("hold:*:$key-hold}:create");
    my @answers = answers($gateways{hold}, "$key-hold");

    is($answers[-1]->summary, $HELD, 'held after the lease');
    cmp_ok(lease_left($held), '<=', 0, 'not before');
    is($gateways{hold}->create(key => "$key-hold")->summary, $HELD,
        'and stays so');
    is($upstream->count, $count + 2, 'nothing sent');

    @answers = answers($gateways{retry}, "$key-retry");

    is($answers[-1]->summary, '201 recorded', 'runs after the lease');
    is($upstream->count, $count + 3, 'and is sent');

    my @keys = map { $_->header('Idempotency-Key') } $upstream->requests;

    is((grep { $_ eq $keys[-1] } @keys), 2, 'with the same upstream key');
    is($upstream->effects, $effects + 2, 'carried out once');
    is($gateways{retry}->create(key => "$key-retry")->summary,
        '201 replayed marked', 'then replayed');

    is_deeply([$redis->keys_without_expiry], [], 'every key expires');
}

# one worker dies, and another gateway takes over

my ($one, $two) = (gateway('retry'), gateway('retry'));
my @clients = map { in_flight($one, $_) } qw(moved many);

$one->kill_worker;

is((answers($two, 'moved'))[-1]->summary, '201 recorded',
    'another gateway takes over');
is($one->create(key => 'moved')->summary, '201 replayed marked',
    'replayed where the worker died');

# where many retry, only one does

my ($name) = $redis->keys('retry:*:many}:create');
my $count = $upstream->count;
my %seen;

wait_for { lease_left($name) <= 0 } 10, 'the lease to end';

for (parallel(map { [$_ % 2 ? $one : $two,
    $one->create_request(key => 'many')] } 1 .. 50))
{
    $seen{ $_ ? $_->summary : 'no answer' }++;
}

is($seen{'201 recorded'}, 1, 'one take-over');
is(($seen{$BUSY} // 0) + ($seen{'201 replayed marked'} // 0), 49,
    'the others do not run') or diag explain \%seen;
is($upstream->count, $count + 1, 'one upstream request');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
