#!/usr/bin/perl

# Reload and quit lose no request, and old workers do not stay.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Dialogue;
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();

my %args = (upstream => $upstream, redis => $redis,
    set => { %Segments::Nginx::PATIENT, segments_idempotency_wait => 'off' });
my $nginx = nginx(%args);


sub in_flight {
    my ($gateway, $key) = @_;

    my $c = $gateway->connect;

    $c->send_request($gateway->create_request(key => $key,
        mock => "hold=$key"));
    $upstream->wait_held($key);

    return $c;
}


sub only_new_workers {
    my ($gateway, $what) = @_;

    ok(eval { wait_for { $gateway->living_pids == 1 } 2 }, $what);

    return;
}


# nothing in flight, an idle connection to Redis

for (1 .. 3) {
    is($nginx->create(key => "idle$_")->summary, '201 recorded', 'create');
    $nginx->reload;
    only_new_workers($nginx, 'idle worker leaves at once');
    is($nginx->create(key => "idle$_")->summary, '201 replayed marked',
        'replayed by its successor');
}

# in flight over several reloads

my @clients;

for my $key (qw(r1 r2 r3)) {
    push @clients, in_flight($nginx, $key);
    $nginx->reload;
    is($nginx->create(key => $key)->summary,
        '409 in-progress idempotency_in_progress', "$key is still running");
}

is(scalar(my @all = $nginx->living_pids), 4, 'old workers finish their own');

for my $key (qw(r2 r3 r1)) {
    $upstream->release($key);

    my $client = $clients[substr($key, 1) - 1];

    is($client->read_response->summary, '201 recorded', "$key finishes");
    $client->close;
    is($nginx->create(key => $key)->summary, '201 replayed marked',
        'and was stored');
}

only_new_workers($nginx, 'then they leave');

# the client has left before the reload

my $c = in_flight($nginx, 'left');
$c->close;
$nginx->reload;
$upstream->release('left');
only_new_workers($nginx, 'worker leaves when the answer is stored');
is($nginx->create(key => 'left')->summary, '201 replayed marked', 'stored');

# while Redis is asked, and while it is told

# (a worker that shuts down closes its connection whenever it is idle)

my @claim = (says(claim => 'k1'), [WAIT => 'asked'], [SEND => ['ok']]);
my @store = (says(complete => 'k1'), [WAIT => 'told'], [SEND => ['ok']]);

for (['asked', 4, hello, @claim, ['CLOSED'], hello('again'), @store],
    ['told', 7, hello, @claim, @store])
{
    my ($when, $step, @steps) = @$_;

    my $fake = fake_redis(@steps);
    my $gateway = nginx(upstream => $upstream, redis => $fake, set => {
        segments_redis_connect_timeout => '20s',
        segments_redis_timeout         => '20s',
        segments_idempotency_lease     => '60s',
    });

    $c = $gateway->connect;
    $c->send_request($gateway->create_request(key => 'k1'));
    $fake->go('asked') if $when eq 'told';
    $fake->wait_step($step);
    $gateway->reload;
    $fake->go($_) for 'asked', 'told';

    is($c->read_response->summary, '201 recorded',
        "reload while Redis is $when");
    ok($fake->played, 'dialogue');

    $c->close;
    only_new_workers($gateway, 'worker leaves then');
}

# quit

my $quits = nginx(%args);

$c = in_flight($quits, 'quit');

my $gone = in_flight($quits, 'quit-left');
$gone->close;

$quits->process->signal('QUIT');
$quits->wait_log(qr/gracefully shutting down/);
is($nginx->create(key => 'quit')->summary,
    '409 in-progress idempotency_in_progress', 'quit waits');

$upstream->release('quit');
is($c->read_response->summary, '201 recorded', 'for its requests');
$c->close;
$upstream->release('quit-left');
ok($quits->process->wait(10), 'and ends');
is($quits->process->status, 0, 'well');

for my $key ('quit', 'quit-left') {
    is($nginx->create(key => $key)->summary, '201 replayed marked',
        "$key was stored");
}

# an answer that Redis did not take yet is still given to it

my $loyal = nginx(%args, set => {
    %Segments::Nginx::PATIENT,
    segments_redis_timeout     => slow_ms(200),
    segments_idempotency_lease => slow_ms(6000),
});

$c = in_flight($loyal, 'loyal');
$redis->pause;
$upstream->release('loyal');
is($c->read_response->summary, '201 unstored', 'Redis is silent');
$c->close;
$loyal->process->signal('QUIT');
$loyal->wait_log(qr/gracefully shutting down/);
is($loyal->process->wait(1), 0, 'quit waits');
$redis->resume;
ok($loyal->process->wait(20), 'until Redis has it');
is($nginx->create(key => 'loyal')->summary, '201 replayed marked',
    'stored after all');

# nginx may be told not to wait for ever: then the outcome is not known

my $hasty = nginx(%args, main => 'worker_shutdown_timeout 100ms;',
    set => { %Segments::Nginx::PATIENT,
             segments_redis_timeout     => slow_ms(500),
             segments_idempotency_lease => slow_ms(1500) });

$c = in_flight($hasty, 'hasty');
$hasty->reload;
ok($c->wait_closed, 'cut by worker_shutdown_timeout');

my @answers;

wait_for { push @answers, $hasty->create(key => 'hasty')->summary;
    $answers[-1] !~ /in-progress/ } 10, 'the lease to end';

is($answers[-1], '201 recorded', 'retry runs');

my @keys = map { $_->header('Idempotency-Key') } $upstream->requests;
is($keys[-1], $keys[-2], 'with the same upstream key');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
