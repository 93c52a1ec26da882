#!/usr/bin/perl

# The upstream has answered and Redis does not take the answer: the client gets
# it all the same, marked as not stored; the claim stays, so that nothing runs
# twice; and the write is repeated until Redis has it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Machine qw(lateness);
use Segments::Test;

use Time::HiRes qw(time);


my $TIMEOUT = slow(300);                # milliseconds

my $upstream = upstream();
my $redis = redis_server();

sub gateway {
    return nginx(upstream => $upstream, redis => $redis, @_, set => {
        segments_redis_timeout         => "${TIMEOUT}ms",
        segments_redis_connect_timeout => slow_ms(2000),
        segments_idempotency_wait      => 'off',
        segments_idempotency_lease     => slow_ms(5000),
    });
}

my $gateway = gateway();


# how Redis fails, how it recovers, and what a duplicate is told meanwhile

my %FAILURES = (
    'out of memory' => [
        sub { $redis->cmd('CONFIG', 'SET', 'maxmemory', '1') },
        sub { $redis->cmd('CONFIG', 'SET', 'maxmemory', '0') },
        '409 in-progress idempotency_in_progress',
    ],
    'read only' => [
        sub { $redis->cmd('REPLICAOF', '127.0.0.1', '1') },
        sub { $redis->cmd('REPLICAOF', 'NO', 'ONE') },
        '409 in-progress idempotency_in_progress',
    ],
    'silent' => [
        sub { $redis->pause },
        sub { $redis->resume },
        '503 - storage_error',
    ],
    'gone, and back without its memory' => [
        sub { $redis->stop },
        sub { $redis->start },
        '503 - storage_error',
    ],
);

for my $name (sort keys %FAILURES) {
    my ($break, $repair, $duplicate) = @{ $FAILURES{$name} };
    my $key = $name =~ s/\W+/-/gr;

    my $c = claimed($key);
    my $before = $upstream->count;

    $break->();

    my $late = lateness();
    my $start = time;
    $upstream->release($key);
    my $answer = $c->read_response;
    my $spent = 1000 * (time - $start);

    $late = lateness() - $late;

    is($answer && $answer->summary, '201 unstored', "$name, answered");
    like($answer->body, qr/"object":"segment"/, "$name, the upstream's body");
    cmp_ok($spent - $late, '<', $TIMEOUT + slow(150), "$name, in time");

    is($gateway->create(key => $key)->summary, $duplicate,
        "$name, a duplicate is not run");

    $repair->();

    is(stored($key)->{body}, $answer->body, "$name, stored at last");

    my $again = replayed($key);

    is($again->summary, '201 replayed marked', "$name, replayed");
    is($again->body, $answer->body, "$name, the same answer");
    is($upstream->count, $before, "$name, sent once");
}

is_deeply([grep { $_ eq 'unstored' } map { $_->{outcome} } $gateway->access],
    [('unstored') x keys %FAILURES], 'outcome');


# the client has gone: its answer is stored all the same

my $c = claimed('left');

$redis->cmd('CONFIG', 'SET', 'maxmemory', '1');
$c->close;
$upstream->release('left');
$gateway->wait_log(qr/refused a record command with "[A-Z]+ /);
$redis->cmd('CONFIG', 'SET', 'maxmemory', '0');

is(stored('left')->{status}, 201, 'client gone, stored at last');
is($gateway->create(key => 'left')->summary, '201 replayed marked',
    'client gone, replayed');


# a reload, and the end of nginx: the old worker stays until it is done

for my $how (qw(reload quit)) {
    $c = claimed($how);
    my ($old) = $gateway->worker_pids;

    $redis->cmd('CONFIG', 'SET', 'maxmemory', '1');
    $upstream->release($how);
    is($c->read_response->summary, '201 unstored', "$how, answered");
    $c->close;

    my $mark = length $gateway->error_log;

    $how eq 'reload' ? $gateway->reload : $gateway->process->signal('QUIT');
    $gateway->wait_log(qr/$old#\d+: .* refused a record command/, 10, $mark);

    ok(scalar(grep { $_ == $old } $gateway->living_pids),
        "$how, the worker waits");

    $redis->cmd('CONFIG', 'SET', 'maxmemory', '0');

    is(stored($how)->{status}, 201, "$how, stored at last");
    wait_for { !grep { $_ == $old } $gateway->living_pids } 10,
        'the worker to end';
}

ok($gateway->process->wait(10), 'nginx ended');

$gateway = gateway();

for my $how (qw(reload quit)) {
    is($gateway->create(key => $how)->summary, '201 replayed marked',
        "$how, replayed");
}

is($upstream->count, 3 + keys %FAILURES, 'each sent once');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');


# a connection whose request is held by the upstream under the key's name

sub claimed {
    my ($key) = @_;

    my $c = $gateway->connect;

    $c->send_request($gateway->create_request(key => $key,
        mock => "hold=$key"));
    $upstream->wait_held($key);

    return $c;
}


sub stored {
    my ($key) = @_;

    return wait_for {
        my ($name) = grep { /:\Q$key\E\}:create\z/ } $redis->keys;
        my $record = $name ? $redis->record($name) : {};

        ($record->{state} // '') eq 'answered' && $record;
    } 20, "$key to be stored";
}


# after a time-out Redis may be asked in vain once more

sub replayed {
    my ($key) = @_;

    return wait_for {
        my $answer = $gateway->create(key => $key);
        $answer->status != 503 && $answer;
    } 20, 'the gateway to notice';
}


done_testing();
