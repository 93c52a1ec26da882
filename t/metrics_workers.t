#!/usr/bin/perl

# Counters are those of all workers, over reloads and their deaths; gauges are
# those of the workers that live.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Metrics;
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();
my %args = (
    upstream => $upstream,
    redis    => $redis,
    http     => 'segments_zone segments 1m;',
    server   => 'location /metrics { segments_metrics; }',
);
my %set = (%Segments::Nginx::PATIENT,
    segments_idempotency_wait => slow_ms(60_000));

# several workers

my $nginx = nginx(%args, workers => 4, set => { %set });
my $count = 0;

for (1 .. 3) {
    parallel(map { [$nginx, $nginx->create_request] } 1 .. 100);
    $count += 100;
}

my %workers = map { $_->{pid} => 1 } $nginx->access($count);

cmp_ok(scalar keys %workers, '>', 1, 'several workers had requests');
counted($count, 'requests of all workers');

# over reloads, old workers included

my $c = begin(mock => 'hold=old');

$upstream->wait_held('old');
$nginx->reload;
$nginx->create;
counted($count += 1, 'kept over a reload');

$upstream->release('old');
is($c->read_response->status, 201, 'old worker');
$c->close;
counted($count += 1, 'old worker still counts');

# over their deaths

for (1 .. 4) {
    my ($pid) = $nginx->worker_pids;

    $nginx->kill_worker($pid);
    $nginx->create;
    counted($count += 1, 'kept over a death');
}

# gauges: those that wait, here and in an old worker

$c = begin(key => 'first', mock => 'hold=first');
$upstream->wait_held('first');

my @waiting = map { begin(key => 'first') } 1 .. 3;

gauge('segments_waiting_requests', 3, 'three wait');

$nginx->reload;
push @waiting, begin(key => 'first');
gauge('segments_waiting_requests', 4, 'one more, behind a reload');

(pop @waiting)->close;
gauge('segments_waiting_requests', 3, 'one has left');

$upstream->release('first');
is($_->read_response->status, 201, 'answered') for $c, @waiting;
gauge('segments_waiting_requests', 0, 'nobody waits');
$_->close for $c, @waiting;
wait_for { $nginx->living_pids == 4 } 10, 'old workers to end';

# a worker that is killed takes its own along

my $one = nginx(%args, set => { %set, segments_idempotency_scope => 'one' });

$nginx = $one;

$c = begin(key => 'killed', mock => 'hold=killed');
$upstream->wait_held('killed');
@waiting = map { begin(key => 'killed') } 1 .. 2;
gauge('segments_waiting_requests', 2, 'two wait');

$nginx->kill_worker;
gauge('segments_waiting_requests', 0, 'not in the worker that comes next');
counted(0, 'and they were not counted');

$c = begin(key => 'again', mock => 'hold=again');
$upstream->wait_held('again');
@waiting = map { begin(key => 'again') } 1 .. 2;
gauge('segments_waiting_requests', 2, 'two wait again');

# also an old one, whose place nobody takes

my ($pid) = $nginx->worker_pids;

$nginx->reload;
gauge('segments_waiting_requests', 2, 'in an old worker');
$nginx->expect_alert(qr/process $pid exited on signal 9/);
$nginx->kill($pid);
gauge('segments_waiting_requests', 0, 'not when it was killed');
$upstream->release($_) for qw(killed again);

# what Redis has not taken yet

my $loyal = nginx(%args, workers => 2, set => {
    segments_redis_timeout         => slow_ms(200),
    segments_redis_connect_timeout => slow_ms(200),
    segments_idempotency_lease     => slow_ms(20_000),
    segments_idempotency_scope     => 'loyal',
});

$nginx = $loyal;
$c = begin(key => 'loyal', mock => 'hold=loyal');
$upstream->wait_held('loyal');
$redis->pause;
$upstream->release('loyal');
is($c->read_response->header('Idempotency-Status'), 'unstored',
    'Redis is silent');
gauge('segments_background_completions', 1, 'one is in background');
$redis->resume;
gauge('segments_background_completions', 0, 'until Redis has it');
is($nginx->create(key => 'loyal')->header('Idempotent-Replayed'), 'true',
    'which then is so');

# key files: not once for each worker

spew($nginx->dir . '/secret', "garbage\n");
gauge('segments_secret_key_files_refused', 1, 'a key file is refused');
spew($nginx->dir . '/secret', "$Segments::Nginx::SECRET\n");
gauge('segments_secret_key_files_refused', 0, 'and is good again');

# the zone's size, and what is guarded

my $counts = counts();

cmp_ok($counts, '>', 0, 'counted');

$nginx->configure(path => '/other');
$nginx->reload;
is(counts(), 0, 'another location');
$nginx->request('GET', '/other');
counted(1, 'has its own count');

$nginx->configure(path => '/v4/segments');
$nginx->reload;
is(counts(), $counts, 'the first one has kept its own');

$nginx->configure(http => 'segments_zone segments 2m;');
$nginx->reload;
is(counts(), 0, 'another size: from zero');
$nginx->create;
counted(1, 'and on from there');

$nginx->configure(http => 'segments_zone renamed 2m;');
$nginx->reload;
is(counts(), 0, 'another name: from zero');

$nginx->configure(http => '', server => '');
$nginx->reload;
is($nginx->create->status, 201, 'no zone any more');

done_testing();


sub begin {
    my (%args) = @_;

    my $c = $nginx->connect;

    $c->send_request($nginx->create_request(%args));

    return $c;
}


sub counts {
    return Segments::Metrics->of($nginx)->value('segments_requests_total');
}


# an answer comes before it is counted, and maybe in another worker

sub counted {
    my ($expected, $name) = @_;

    my $counts;

    eval { wait_for { ($counts = counts()) == $expected } 5 };

    return is($counts, $expected, $name);
}


sub gauge {
    my ($metric, $expected, $name) = @_;

    my $value;

    eval {
        wait_for { ($value = Segments::Metrics->of($nginx)->value($metric))
            == $expected } 10;
    };

    return is($value, $expected, $name);
}
