#!/usr/bin/perl

# Limits on a real cluster: they are asked in a trip of their own, so that no
# slot that moves keeps a create from its claim, and limit by limit where it is
# their own slot that moves.  Each create passes, and pays once.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Cluster;


my $upstream = upstream();
my $cluster = Segments::Cluster->start;

my $gateway = nginx(upstream => $upstream, redis => $cluster->url, set => {
    segments_redis_timeout         => slow_ms(3000),
    segments_redis_connect_timeout => slow_ms(3000),
    segments_idempotency_lease     => '300s',
    segments_idempotency_scope     => '$http_x_scope',
    segments_rate_limit_log_level  => 'notice',
    segments_rate_limit            => [
        'rate=1r/h burst=99 key=$http_x_scope name=near',
        'rate=1r/h burst=49 key=$http_x_scope name=second',
        'rate=1r/h burst=199 key=far-$http_x_scope name=far',
    ],
});

my $PROXIED = qr/\A201 recorded\z/;


sub create {
    my ($scope, $key) = @_;

    return [$gateway, $gateway->create_request(key => $key,
        headers => ['X-Scope' => $scope])];
}

sub left {
    my ($answer) = @_;

    return join ' ', ($answer->header('RateLimit') // '') =~ /r=([0-9]+)/g;
}

sub slot {
    my ($key) = @_;

    return $cluster->slot("segments:{live:$key}:x");
}

# a master that the slot of a scope's limits can move to

my @masters = $cluster->masters;

sub elsewhere {
    my ($scope) = @_;

    my $from = $cluster->owner(slot($scope))->port;

    return (grep { $_->port != $from } @masters)[0];
}


is(slot('a'), $cluster->slot('segments:{live:a}:limit:near'),
    'the slot of a limit');

my $first = (parallel(create('a', 'first')))[0];

is($first->summary, '201 recorded', 'the first');
is(left($first), '99 49 199', 'the first has paid');

my @trips = map { $_->commands->{evalsha} // 0 } @masters;
my $again = (parallel(create('a', 'second')))[0];

is(left($again), '98 48 198', 'so has the second');
is((parallel(create('a', 'first')))[0]->summary, '201 replayed marked',
    'a replay');


# the slot of two limits moves: where some of its keys have moved, none, and all

for my $row (['s', 0, 'nothing has moved'], ['t', 1, 'one key has moved'],
    ['u', 99, 'all have moved'])
{
    my ($scope, $n, $name) = @$row;
    my $to = elsewhere($scope);
    my @before = parallel(map { create($scope, "before$_") } 1 .. 3);

    is(scalar(grep { $_ && $_->summary =~ $PROXIED } @before), 3,
        "$name, before");

    my @during;

    my $burst = sub {
        @during = parallel(map { (create($scope, "new$_"),
            create($scope, 'before1')) } 1 .. 19);
    };

    $cluster->migrate(slot($scope), $to, $burst, $n);

    my @new = @during[grep { $_ % 2 == 0 } 0 .. $#during];
    my @old = @during[grep { $_ % 2 } 0 .. $#during];

    is_deeply([grep { !/$PROXIED/ } map { $_ ? $_->summary : 'none' } @new],
        [], "$name, each new create passes");
    is_deeply([grep { $_ ne '201 replayed marked' }
        map { $_ ? $_->summary : 'none' } @old], [], "$name, replays do");

    my ($last) = parallel(create($scope, 'last'));

    is(left($last), join(' ', 100 - 23, 50 - 23, 200 - 23),
        "$name, each has paid once");
    is($last->summary, '201 recorded', "$name, behind it");
}

like($gateway->error_log,
    qr/\[warn\] .*redis moves a slot and said TRYAGAIN to a command/, 'log');


# without a key there is no claim: the limits are all that is asked

my $to = elsewhere('n');

parallel(create('n', undef));

$cluster->migrate(slot('n'), $to, sub {
    my @said = parallel(map { create('n', undef) } 1 .. 20);

    is(scalar(grep { $_ && $_->status == 201 } @said), 20, 'without a key');
});


# a refusal while the slot moves leaves no claim

$cluster->migrate(slot('u'), elsewhere('u'), sub {
    my @said = parallel(map { create('u', "more$_") } 1 .. 40);
    my %count;

    $count{ $_ ? $_->status : 'none' }++ for @said;
    is_deeply(\%count, { 201 => 50 - 23, 429 => 40 - (50 - 23) },
        'refused, exactly');
    wait_for { 50 - 23 == grep { /\{live:u:more/ } $cluster->keys } 10,
        'the claims to be given back';
});

is_deeply([map { $_->keys_without_expiry } $cluster->masters], [],
    'every key expires');
unlike($gateway->error_log, qr/\[error\]/, 'no error');

done_testing();
