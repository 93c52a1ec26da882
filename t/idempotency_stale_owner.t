#!/usr/bin/perl

# A worker sleeps longer than its lease and another gateway takes over: the
# sleeper's client gets the answer that the upstream gave it, but the record
# is no longer the sleeper's to change.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $BUSY = '409 in-progress idempotency_in_progress';

my $upstream = upstream();
my $redis = redis_server();


sub gateway {
    my ($policy) = @_;

    return nginx(upstream => $upstream, redis => $redis, set => {
        segments_redis_timeout         => slow_ms(500),
        segments_redis_connect_timeout => slow_ms(2000),
        segments_idempotency_wait      => 'off',
        segments_idempotency_lease     => slow_ms(1500),
        segments_idempotency_unknown   => $policy,
    });
}


my ($sleeper, $other) = (gateway('retry'), gateway('retry'));
my $worker = ($sleeper->worker_pids)[0];


# a create in flight at the worker that will sleep

sub in_flight {
    my ($key, $mock) = @_;

    my $c = $sleeper->connect;

    $c->send_request($sleeper->create_request(key => $key,
        mock => "hold=$key; $mock"));
    $upstream->wait_held($key);

    return $c;
}


sub take_over {
    my ($key) = @_;

    my $answer;

    wait_for { $answer = $other->create(key => $key);
        $answer->summary ne $BUSY } 10, 'the lease to end';

    return $answer;
}


sub record {
    my ($key) = @_;

    return $redis->record((grep { /:$key\}:create\z/ } $redis->keys)[0]);
}


sub lease_over {
    my ($key) = @_;

    return wait_for {
        my ($seconds, $micros) = @{ $redis->cmd('TIME') };
        $seconds * 1000 + $micros / 1000 > record($key)->{lease}
    } 10, 'the lease to end';
}


# what its upstream says in the end, and what its client gets

my @ENDS = (
    ['status=201', '201 unstored'],
    ['status=422', '422 unstored mock_422'],
    ['status=429', '429 unstored mock_429'],
    ['status=500', '500 unstored mock_500'],
    ['rst',        '502 unstored network_error'],
    ['body=99999', '201 unstored'],
);

my @finished = map { { key => "finished$_", mock => $ENDS[$_][0],
    expected => $ENDS[$_][1] } } 0 .. $#ENDS;
my @busy = map { { key => "busy$_", mock => $ENDS[$_][0],
    expected => $ENDS[$_][1] } } 0 .. $#ENDS;

for (@finished, @busy) {
    $_->{client} = in_flight($_->{key}, $_->{mock});
}

my $mark = length $sleeper->error_log;

kill 'STOP', $worker;

# the other one takes over and finishes, or is still busy

for (@finished) {
    $_->{answer} = take_over($_->{key});
    $_->{record} = record($_->{key});

    is($_->{answer}->summary, '201 recorded', "taken over before $_->{mock}");
}

for (@busy) {
    lease_over($_->{key});

    $_->{second} = $other->connect;
    $_->{second}->send_request($other->create_request(key => $_->{key},
        mock => "hold=$_->{key}-2"));
    $upstream->wait_held("$_->{key}-2");
    $_->{token} = record($_->{key})->{token};
}

$upstream->release($_->{key}) for @finished, @busy;
kill 'CONT', $worker;

for (@finished) {
    my $own = $_->{client}->read_response;

    is($own->summary, $_->{expected}, "other finished, then $_->{mock}");
    isnt($own->body, $_->{answer}->body, 'own answer to its own client');
    is_deeply(record($_->{key}), $_->{record}, 'record of the other survives');
    is($sleeper->create(key => $_->{key})->body, $_->{answer}->body,
        'and is replayed');
}

for (@busy) {
    is($_->{client}->read_response->summary, $_->{expected},
        "other busy, then $_->{mock}");

    my $record = record($_->{key});

    is($record->{state}, 'claimed', 'claim of the other survives');
    is($record->{token}, $_->{token}, 'with its token');
    is($sleeper->create(key => $_->{key})->summary, $BUSY, 'others wait');

    $upstream->release("$_->{key}-2");
    is($_->{second}->read_response->summary, '201 recorded',
        'and it finishes');
}

wait_for { $sleeper->told(qr/\[warn\].*\bclaim\b/, $mark) >= @finished + @busy }
    20, 'a warning for each';

my @log = grep { $_->{outcome} eq 'unstored' } $sleeper->access(1);
ok(scalar @log, 'outcome in the log');

# nobody took over: the answer is as good as ever

my $c = in_flight('alone', '');

kill 'STOP', $worker;
lease_over('alone');
$upstream->release('alone');
kill 'CONT', $worker;
is($c->read_response->summary, '201 recorded', 'nobody took over');
is($other->create(key => 'alone')->summary, '201 replayed marked', 'stored');

# under "hold" nobody takes over, and a late answer ends the doubt

my $hold = gateway('hold');

$c = in_flight('held', '');
kill 'STOP', $worker;
wait_for { $hold->create(key => 'held')->summary
    eq '504 held idempotency_outcome_unknown' } 10, 'the lease to end';
$upstream->release('held');
kill 'CONT', $worker;

is($c->read_response->summary, '201 recorded', 'late answer');
is($hold->create(key => 'held')->summary, '201 replayed marked',
    'replayed from then on');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

END { kill 'CONT', $worker if $worker }

done_testing();
