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
        segments_redis_timeout         => slow_ms(200),
        segments_redis_connect_timeout => slow_ms(2000),
        segments_idempotency_lease     => slow_ms(600),
        segments_idempotency_unknown   => $policy,
    });
}


my ($sleeper, $other) = (gateway('retry'), gateway('retry'));
my $worker = ($sleeper->worker_pids)[0];


# a create in flight at a worker that does not move any more

sub asleep {
    my ($key, $mock) = @_;

    my $c = $sleeper->connect;

    $c->send_request($sleeper->create_request(key => $key,
        mock => "hold=$key; $mock"));
    $upstream->wait_held($key);
    kill 'STOP', $worker;

    return $c;
}


sub wake {
    my ($key) = @_;

    $upstream->release($key);
    kill 'CONT', $worker;

    return;
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

    return $redis->record((grep { /:$key\z/ } $redis->keys)[0]);
}


# it wakes up when the other one has finished; whatever its own answer says

my %ends = (
    'status=201' => '201 unstored',
    'status=429' => '429 unstored mock_429',
    'status=500' => '500 unstored mock_500',
    'body=99999' => '201 unstored',
);

my $n = 0;

for my $mock (sort keys %ends) {
    my $key = 'finished' . ++$n;
    my $c = asleep($key, $mock);
    my $answer = take_over($key);

    is($answer->summary, '201 created', "other finished, then $mock");

    my $record = record($key);
    my $mark = length $sleeper->error_log;

    wake($key);

    my $own = $c->read_response;

    is($own->summary, $ends{$mock}, 'own answer to its own client');
    isnt($own->body, $answer->body, 'as the upstream gave it');
    is_deeply(record($key), $record, 'record of the other survives');
    is($sleeper->create(key => $key)->body, $answer->body, 'and is replayed');
    ok($sleeper->wait_log(qr/\[warn\].* claim/, 10, $mark), 'a warning');
}

# it wakes up while the other one is busy

for my $mock (sort keys %ends) {
    my $key = 'busy' . ++$n;
    my $c = asleep($key, $mock);
    my $second = $other->connect;

    wait_for {
        my ($seconds, $micros) = @{ $redis->cmd('TIME') };
        $seconds * 1000 + $micros / 1000 > record($key)->{lease}
    } 10, 'the lease to end';

    $second->send_request($other->create_request(key => $key,
        mock => "hold=$key-2"));
    $upstream->wait_held("$key-2");

    my $token = record($key)->{token};

    wake($key);

    is($c->read_response->summary, $ends{$mock}, "other busy, then $mock");

    my $record = record($key);

    is($record->{state}, 'claimed', 'claim of the other survives');
    is($record->{token}, $token, 'with its token');
    is($sleeper->create(key => $key)->summary, $BUSY, 'others wait');

    $upstream->release("$key-2");
    is($second->read_response->summary, '201 created', 'and it finishes');
}

# nobody took over: the answer is as good as ever

my $c = asleep('alone', '');

wait_for {
    my ($seconds, $micros) = @{ $redis->cmd('TIME') };
    $seconds * 1000 + $micros / 1000 > record('alone')->{lease}
} 10, 'the lease to end';

wake('alone');
is($c->read_response->summary, '201 created', 'nobody took over');

my ($log) = grep { $_->{outcome} eq 'unstored' } $sleeper->access(1);
ok($log, 'outcome in the log');

# under "hold" nobody takes over, and a late answer ends the doubt

my $hold = gateway('hold');

$c = asleep('held', '');
wait_for { $hold->create(key => 'held')->summary
    eq '504 held idempotency_outcome_unknown' } 10, 'the lease to end';
wake('held');

is($c->read_response->summary, '201 created', 'late answer');
is($hold->create(key => 'held')->summary, '201 replayed marked',
    'replayed from then on');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

END { kill 'CONT', $worker if $worker }

done_testing();
