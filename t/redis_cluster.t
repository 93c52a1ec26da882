#!/usr/bin/perl

# A real cluster of six nodes: keys go to who has their slot, while slots move
# and masters die.  No request is executed twice, none gets another's answer.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Cluster;


my $upstream = upstream();
my $cluster = Segments::Cluster->start;

my %set = (
    segments_redis_timeout         => slow_ms(400),
    segments_redis_connect_timeout => slow_ms(400),
    segments_redis_breaker         => 'failures=5 retry=' . slow_ms(300),
    segments_idempotency_wait      => 'off',
    segments_idempotency_lease     => '60s',
    segments_idempotency_scope     => '$http_x_scope',
);

# as the user that docs/operations.md recommends

my $rule = 'on >password ~segments:* -@all +ping +eval +evalsha '
    . '+script|load +set +get +del +append +pexpire +pttl +time +info '
    . '+cluster|slots +cluster|info +asking';

for my $server ($cluster->servers) {
    is($server->cmd('ACL', 'SETUSER', 'gateway', split ' ', $rule), 'OK',
        'ACL');
}

spew(tempdir() . '/password', 'password');

my $gateway = nginx(upstream => $upstream, set => \%set,
    redis => $cluster->url =~ s{//}{//gateway\@}r . ' password_file='
        . tempdir() . '/password');

sub create {
    my ($scope, $key, %more) = @_;

    return ($gateway->create_request(
        key => Segments::Cluster::key_in_slot($scope, $key),
        headers => ['X-Scope' => $scope], %more));
}

sub slot {
    my ($scope) = @_;

    return $cluster->slot("segments:{live:$scope:x}:create");
}

# scopes, one for each of a master's slots and more

my @scopes = map { "scope$_" } 1 .. 20;
my %first;


# everything is found where it belongs

for my $scope (@scopes) {
    my $answer = $gateway->request(create($scope, 'k'));

    is($answer->summary, '201 recorded', "$scope, created");
    $first{$scope} = $answer->body;
}

my %owners = map { $cluster->owner(slot($_))->port => 1 } @scopes;

is(scalar(keys %owners), 3, 'on every master');
is(scalar($cluster->keys), @scopes, 'one key each');

sub all_the_same {
    my ($name) = @_;

    my @answers = parallel(map { [$gateway, create($_, 'k')] } @scopes);

    is_deeply([map { $answers[$_]
            && $answers[$_]->summary eq '201 replayed marked'
            && $answers[$_]->body eq $first{ $scopes[$_] }
            ? () : $scopes[$_] } 0 .. $#scopes], [],
        "$name, every answer is its own")
        or diag join "\n", map { $_ ? $_->summary : 'none' } @answers;

    return;
}

all_the_same('at first');

is(join('', map { $_->cmd('INFO', 'errorstats') =~ /errorstat_MOVED.*/g }
    $cluster->masters), '', 'nobody had to be told where to go');


# a limit whose key is in another slot than the record's

my $limited = nginx(upstream => $upstream, redis => $cluster->url,
    set => { %set, segments_redis_prefix => 'limited:',
        segments_rate_limit => 'rate=1r/h burst=2 key=$http_x_limit' });

my @limited = map { $limited->request($limited->create_request(key => 'k',
    headers => ['X-Scope' => $_, 'X-Limit' => 'one'])) } @scopes[0 .. 3, 0];

is_deeply([map { $_->status } @limited], [201, 201, 201, 429, 201],
    'one limit for many slots');
is($limited[4]->summary, '201 replayed marked', 'a replay is not limited');
$limited->quit;


# a duplicate that waits hears of the answer, wherever that was stored

my $waiting = nginx(upstream => $upstream, redis => $cluster->url,
    set => { %set, segments_idempotency_wait => slow(20) . 's' });
my @both = map { $waiting->connect } 1, 2;

$both[0]->send_request($waiting->create_request(key => 'waited',
    mock => 'hold=waited'));
$upstream->wait_held('waited');
$both[1]->send_request($waiting->create_request(key => 'waited'));
wait_for { grep { @{ $_->cmd('PUBSUB', 'CHANNELS') } } $cluster->servers } 20,
    'the subscription';
$upstream->release('waited');
is($both[0]->read_response->summary, '201 recorded', 'the first of two');
is($both[1]->read_response->summary, '201 replayed marked',
    'the second has waited');
$waiting->quit;


# connections: one to each master

my $connections = 0;

$connections += grep { /cmd=(?:eval|script|set|info)/ } split /\n/,
    $_->cmd('CLIENT', 'LIST') for $cluster->masters;
is($connections, 3, 'one connection for each master');


# a slot on its way: what is still there is answered there, what is not is
# asked for at the other one, and so is what is new

my $scope = $scopes[0];
my $from = $cluster->owner(slot($scope));
my ($to) = grep { $_->port != $from->port } $cluster->masters;

for my $n (1 .. 5) {
    my $answer = $gateway->request(create($scope, "m$n"));
    $first{"m$n"} = $answer->body;
}

my $sent = $upstream->count;

$cluster->migrate(slot($scope), $to, sub {
    for my $key ('k', map { "m$_" } 1 .. 5) {
        my $answer = $gateway->request(create($scope, $key));

        is($answer->summary, '201 replayed marked', "$key, on its way");
        is($answer->body, $first{$key eq 'k' ? $scope : $key},
            "$key, the same answer");
    }

    my $answer = $gateway->request(create($scope, 'new'));
    is($answer->summary, '201 recorded', 'a new one on its way');
    is($gateway->request(create($scope, 'new'))->body, $answer->body,
        'and again');
});

is($upstream->count, $sent + 1, 'nothing else was sent');
all_the_same('moved');
is($cluster->owner(slot($scope))->port, $to->port, 'it has moved');


# slots that move under load

my %answers;

for my $round (1 .. 6) {
    my $moving = $scopes[$round];
    my $from = $cluster->owner(slot($moving));
    my ($to) = grep { $_->port != $from->port } $cluster->masters;
    my @clients;

    $cluster->migrate(slot($moving), $to, sub {
        @clients = map {
            my $c = $gateway->connect;
            $c->send_request(create($moving, "r$round-" . $_ % 10));
            $c;
        } 1 .. 20;
    });

    my @said = map { $_->read_response } @clients;

    for my $i (0 .. $#said) {
        my $summary = $said[$i] ? $said[$i]->summary : 'none';

        $answers{$summary}++;
    }
}

is_deeply([grep { !/\A(?:201 recorded|201 replayed marked|409 in-progress .*)\z/
    } keys %answers], [], 'moved under load, no other answers')
    or diag explain \%answers;
is($answers{'201 recorded'}, 60, 'moved under load, each sent once');
all_the_same('moved under load');
is_deeply([map { @{ $_->cmd('ACL', 'LOG') } } $cluster->servers], [],
    'nothing was denied');


# a master that dies under load

my $victim = $cluster->owner(slot($scopes[-1]));
my @theirs = grep { $cluster->owner(slot($_))->port == $victim->port } @scopes;

$victim->wait_replicas(1);

my $before = $upstream->count;
my %during;
my $n = 0;

$victim->stop('KILL');

wait_for {
    my @answers = parallel(map { [$gateway, create($_, "d$n")] } @scopes);

    $n++;
    $during{ $_ ? $_->summary : 'none' }++ for @answers;

    !grep { !$_ || $_->status != 201 } @answers;
} 60, 'all of the cluster to work again';

is_deeply([grep { !/\A(?:201 recorded|201 unstored|503 - storage_error)\z/ }
    keys %during], [], 'a master died, no other answers')
    or diag explain \%during;
is($upstream->count - $before, ($during{'201 recorded'} // 0)
    + ($during{'201 unstored'} // 0), 'each that was answered was sent once');
all_the_same('a master died');

unlike($gateway->error_log, qr/redirected a command/, 'no loops');
$gateway->quit;


# any node of the URL will do

my @servers = $cluster->servers;

$gateway = nginx(upstream => $upstream, set => \%set, redis =>
    'redis+cluster://127.0.0.1:' . $victim->port . ',127.0.0.1:'
    . $servers[-1]->port);
all_the_same('through a replica, the first is dead');
$gateway->quit;


# a server that is in no cluster

my $single = redis_server();

$gateway = nginx(upstream => $upstream, set => \%set,
    redis => $single->tcp_url =~ s/redis:/redis+cluster:/r);
is(envelope($gateway->request(create('a', 'k'))),
    '503 internal/storage_error', 'no cluster');
like($gateway->error_log,
    qr/\[error\] .* redis does not say who has the slots of its cluster/,
    'no cluster, log');
$gateway->stop;

done_testing();
