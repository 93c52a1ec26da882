#!/usr/bin/perl

# A connection to Redis that a NAT or a balancer has forgotten swallows what is
# written to it.  After a second without a byte, a command that is silent for
# half of its deadline is sent to a new connection as well, and the first of
# the two replies is taken.
# run: long, valgrind

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;
use Segments::Machine qw(lateness);
use Segments::RedisFront;

use Time::HiRes qw(time);


my $TIMEOUT = slow(1200);               # milliseconds
my $QUIET = 1.1;                        # seconds, after which it is doubted

my %set = (
    segments_redis_timeout         => "${TIMEOUT}ms",
    segments_redis_connect_timeout => "${TIMEOUT}ms",
    segments_redis_breaker         => 'failures=1 retry=1h',
    segments_idempotency_wait      => 'off',
    segments_idempotency_lease     => '300s',
);

my $SILENT = qr/\[warn\] .* nothing was heard from redis for [0-9]+ ms/;

my $upstream = upstream();


sub gateway {
    my ($redis, %more) = @_;

    return nginx(upstream => $upstream, redis => $redis,
        set => { %set, %more });
}

# nothing happens for so long: that is what is tried

sub idles {
    select undef, undef, undef, $QUIET;
    return;
}

sub sends {
    my ($gateway, $key) = @_;

    my $c = $gateway->connect;

    $c->send_request($gateway->create_request(key => $key));

    return $c;
}

sub lines {
    my ($gateway, $pattern) = @_;

    return scalar(() = $gateway->error_log =~ /$pattern/g);
}


my $MANY = '20 recorded, 21 sent, 1 doubt, 0 of the breaker, 0 errors';

# The whole of it: again and again, over a long path.

my $front = Segments::RedisFront->start(redis_server());

$front->path($TIMEOUT / 20_000);        # seconds; a tenth of the deadline

for my $failure (qw(reject pass)) {
    my $gateway = gateway($front, segments_redis_failure => $failure);
    my $sent = $upstream->count;

    is($gateway->create(key => "$failure-0")->summary, '201 recorded',
        "$failure, connected");

    for my $n (1, 2) {
        idles();
        $front->forget;

        is($gateway->create(key => "$failure-$n")->summary, '201 recorded',
            "$failure, forgotten, $n");
        is($gateway->create(key => "$failure-$n")->summary,
            '201 replayed marked', "$failure, replayed, $n");
    }

    is($upstream->count - $sent, 3, "$failure, each sent once");
    is(lines($gateway, $SILENT), 2, "$failure, a line for each");
    is(lines($gateway, qr/breaker/), 0, "$failure, the breaker sees none");
    is(lines($gateway, qr/\[(?:error|crit|alert)\]/), 0,
        "$failure, nor is it an error");

    $gateway->stop;

    # twenty at once; if the machine was late, they had less time than they need

    my ($found, $late, $round) = ('', 0, 0);

    do {
        ($found, $late) = neighbours($failure, ++$round);
    } while ($found ne $MANY && $late > $TIMEOUT / 8 && $round < 3);

    is($found, $MANY, "$failure, many at once");
}


# and how late the machine was meanwhile, in milliseconds

sub neighbours {
    my ($failure, $round) = @_;

    my $gateway = gateway($front, segments_redis_failure => $failure);
    my $sent = $upstream->count;

    $gateway->create(key => "$failure-before-$round");
    idles();
    $front->forget;

    my $late = lateness();
    my @answers = parallel(map {
        [$gateway, $gateway->create_request(key => "$failure-$round-$_")]
    } 1 .. 20);

    my $found = sprintf '%d recorded, %d sent, %d doubt, %d of the breaker,'
        . ' %d errors',
        scalar(grep { $_ && $_->summary eq '201 recorded' } @answers),
        $upstream->count - $sent, map { lines($gateway, $_) } $SILENT,
        qr/breaker/, qr/\[(?:error|crit|alert)\]/;

    $late = lateness() - $late;
    $gateway->stop;

    return ($found, $late);
}


# without a command nothing is wrong with an idle connection

my $gateway = gateway(fake_redis(
    hello,
    says(claim => 'a'),
    [SEND => ['mismatch']],
    says(claim => 'b'),
    [SEND => ['mismatch']],
));

is($gateway->create(key => 'a')->status, 422, 'idle, before');
idles();
is($gateway->create(key => 'b')->status, 422, 'idle, after');
is(lines($gateway, $SILENT), 0, 'idle, on the same connection');


# the new connection answers first: the same claim, with the same token; what
# the old one says afterwards answers nobody

my $TOKEN = bind_word('token');

my $fake = fake_redis(
    hello,
    says(claim => 'a'),
    [SEND => ['mismatch']],
    says(claim => 'b', $TOKEN),
    hello('second'),
    says(claim => 'b', $TOKEN),
    [SEND => ['mismatch']],
    [ON => 'first'],
    ['CLOSED'],
    [ON => 'second'],
    says(claim => 'c'),
    [SEND => ['mismatch']],
);

$gateway = gateway($fake);
is($gateway->create(key => 'a')->status, 422, 'before');
idles();
my $start = time;
is($gateway->create(key => 'b')->status, 422, 'the new one answers');
cmp_ok(1000 * (time - $start), '>=', $TIMEOUT / 2 - 10,
    'after half of the deadline');
is($gateway->create(key => 'c')->status, 422, 'and is used from then on');
ok($fake->played, 'the old one is closed');


# the old one speaks while the new one is being made: it was slow, no more

$fake = fake_redis(
    hello,
    says(claim => 'a'),
    [SEND => ['mismatch']],
    says(claim => 'b'),
    [ACCEPT => 'second'],
    [EXPECT => 'PING'],
    [ON => 'first'],
    [SEND => ['mismatch']],
    [ON => 'second'],
    ['CLOSED'],
    [ON => 'first'],
    says(claim => 'c'),
    [SEND => ['mismatch']],
);

$gateway = gateway($fake);
is($gateway->create(key => 'a')->status, 422, 'slow, before');
idles();
is($gateway->create(key => 'b')->status, 422, 'slow, answered');
is($gateway->create(key => 'c')->status, 422, 'slow, the next');
ok($fake->played, 'slow, the new one goes');
is(lines($gateway, $SILENT), 0, 'slow, not in the log');


# the old one speaks first when both were asked: its reply is taken, and the
# other one's dropped

for my $again (1, 0) {
    $fake = fake_redis(
        hello,
        says(claim => 'a'),
        [SEND => ['mismatch']],
        says(claim => 'b', $TOKEN),
        says(claim => 'c'),
        hello('second'),
        says(claim => 'b', $TOKEN),
        says(claim => 'c'),
        [ON => 'first'],
        [BEGIN => 45, ['replay', '200', '', 'OK']],
        ['REST'],
        ($again ? [SEND => ['mismatch']] : ()),
        [ON => 'second'],
        [WAIT => 'answered'],
        ($again ? says(claim => 'd') : ()),
        [SEND => ['mismatch'], ['in_progress', ':5000'],
            $again ? ['mismatch'] : ()],
        [ON => 'first'],
        ['CLOSED'],
    );

    $gateway = gateway($fake);
    is($gateway->create(key => 'a')->status, 422, 'both, before');
    idles();

    my @clients = map { sends($gateway, $_) } qw(b c);

    is($clients[0]->read_response->status, 200, 'both, the old one was first');
    $fake->go('answered');
    is($clients[1]->read_response->status, $again ? 422 : 409,
        'both, its neighbour gets ' . ($again ? 'its, too' : 'the other'));

    if ($again) {
        is($gateway->create(key => 'd')->status, 422,
            'both, the next gets its own');
    }

    ok($fake->played, 'both, dialogue');
}


# an error that comes late says nothing of the new connection; what the old one
# says in the end is no reply

$fake = fake_redis(
    hello,
    says(claim => 'a'),
    [SEND => ['mismatch']],
    says(claim => 'b', $TOKEN),
    says(claim => 'c'),
    hello('second'),
    says(claim => 'b', $TOKEN),
    says(claim => 'c'),
    [ON => 'first'],
    [SEND => "-READONLY You can't write against a read only replica.",
        '-NOSCRIPT No matching script. Please use EVAL.'],
    [ON => 'second'],
    [SEND => ['mismatch'], ['mismatch']],
    says(claim => 'd'),
    [SEND => ['mismatch']],
);

$gateway = gateway($fake);
is($gateway->create(key => 'a')->status, 422, 'error, before');
idles();

my @clients = map { sends($gateway, $_) } qw(b c);

is($_->read_response->status, 422, 'error, not taken') for @clients;
is($gateway->create(key => 'd')->status, 422, 'error, the next');
ok($fake->played, 'error, dialogue');


# the client leaves when both were asked: given back by the new one; the claim
# that is abandoned by its deadline, likewise

for my $how (qw(leaves waits)) {
    $fake = fake_redis(
        hello,
        says(claim => 'a'),
        [SEND => ['mismatch']],
        says(claim => 'b', $TOKEN),
        hello('second'),
        ['REFUSE'],                     # a third, where all takes long
        says(claim => 'b', $TOKEN),
        says(give_back => 'b', $TOKEN),
        [ON => 'first'],
        ['CLOSED'],
        [ON => 'second'],
        [SEND => ['ok'], ['ok']],
        says(claim => 'c'),
        [SEND => ['mismatch']],
    );

    $gateway = gateway($fake, segments_redis_breaker => 'off');
    is($gateway->create(key => 'a')->status, 422, "$how, before");
    idles();

    my $c = sends($gateway, 'b');

    $fake->wait_step(11);
    $how eq 'leaves' ? $c->close
        : is($c->read_response->status, 503, "$how, timed out");

    $fake->wait_step(14);
    is($gateway->create(key => 'c')->status, 422, "$how, the next");
    ok($fake->played, "$how, dialogue");
}


# what had come of a value, and of its length, was the old connection's

$fake = fake_redis(
    hello,
    says(claim => 'a'),
    [SEND => ['mismatch']],
    says(claim => 'b', $TOKEN),
    [BEGIN => 38, ['replay', '200', '', 'OK']],     # "$3", of "$3" CR LF
    hello('second'),
    says(claim => 'b', $TOKEN),
    [SEND => ['mismatch']],
    says(claim => 'c'),
    [SEND => ['mismatch']],
);

$gateway = gateway($fake, segments_redis_timeout => slow_ms(4000));
is($gateway->create(key => 'a')->status, 422, 'cut, before');
is($gateway->create(key => 'b')->status, 422, 'cut, the new one answers');
is($gateway->create(key => 'c')->status, 422, 'cut, the next');
ok($fake->played, 'cut, dialogue');
is(lines($gateway, qr/\[error\]/), 0, 'cut, nothing was mixed up');


# a connection that cannot be made in time changes nothing

$fake = fake_redis(
    hello,
    says(claim => 'a'),
    [SEND => ['mismatch']],
    says(claim => 'b', $TOKEN),
    [ACCEPT => 'second'],
    [EXPECT => 'PING'],
    ['CLOSE'],
    [ON => 'first'],
    [WAIT => 'failed'],
    [SEND => ['mismatch']],
    says(claim => 'c'),
    [SEND => ['mismatch']],
);

$gateway = gateway($fake);
is($gateway->create(key => 'a')->status, 422, 'refused, before');
idles();

my $c = sends($gateway, 'b');

$gateway->wait_log(qr/redis closed the connection while greeting/);
$fake->go('failed');
is($c->read_response->status, 422, 'refused, answered');
is($gateway->create(key => 'c')->status, 422, 'refused, the next');
ok($fake->played, 'refused, on the old one');


# one that is ready too late is there for the next command

$fake = fake_redis(
    hello,
    says(claim => 'a'),
    [SEND => ['mismatch']],
    says(claim => 'b', $TOKEN),
    [ACCEPT => 'second'],
    [EXPECT => 'PING'],
    [ON => 'first'],
    says(give_back => 'b', $TOKEN),
    [ON => 'second'],
    [WAIT => 'late'],
    [SEND => '+PONG'],
    says(give_back => 'b', $TOKEN),
    [SEND => ['stale']],
    says(claim => 'c'),
    [SEND => ['mismatch']],
);

$gateway = gateway($fake, segments_redis_breaker => 'off',
    segments_redis_connect_timeout => slow_ms(10_000));
is($gateway->create(key => 'a')->status, 422, 'late, before');
idles();
is($gateway->create(key => 'b')->status, 503, 'late, given up');
$fake->go('late');
$gateway->wait_log($SILENT);
$fake->wait_step(15);
is($gateway->create(key => 'c')->status, 422, 'late, the next finds it');
ok($fake->played, 'late, dialogue');


# replicas: both are sent again, and nothing is expected of the old one

my $WAIT = $TIMEOUT / 4;

$fake = fake_redis(
    hello,
    says(claim => 'a'),
    [EXPECT => 'WAIT', 1, $WAIT],
    [SEND => ['mismatch'], ':1'],
    says(claim => 'b', $TOKEN),
    [EXPECT => 'WAIT', 1, $WAIT],
    hello('second'),
    says(claim => 'b', $TOKEN),
    [EXPECT => 'WAIT', 1, $WAIT],
    [ON => 'first'],
    ['CLOSED'],
    [ON => 'second'],
    [SEND => ['mismatch'], ':1'],
);

$gateway = gateway($fake,
    segments_redis_wait => "replicas=1 timeout=${WAIT}ms");
is($gateway->create(key => 'a')->status, 422, 'replicas, before');
idles();
is($gateway->create(key => 'b')->status, 422, 'replicas, the new one counts');
ok($fake->played, 'replicas, dialogue');


# a worker that ends has both

$fake = fake_redis(
    hello,
    says(claim => 'a'),
    [SEND => ['mismatch']],
    says(claim => 'b', $TOKEN),
    hello('second'),
    says(claim => 'b', $TOKEN),
    [WAIT => 'leaving'],
    [SEND => ['mismatch']],
    ['CLOSED'],
    [ON => 'first'],
    ['CLOSED'],
);

$gateway = gateway($fake);
is($gateway->create(key => 'a')->status, 422, 'reload, before');
idles();

my ($old) = $gateway->worker_pids;

$c = sends($gateway, 'b');
$fake->wait_step(10);
$gateway->reload;
$fake->go('leaving');
is($c->read_response->status, 422, 'reload, answered');
wait_for { !kill 0, $old } 20, 'the worker to end';
ok($fake->played, 'reload, both are closed');
is(lines($gateway, qr/open socket|\[alert\]/), 0, 'reload, nothing is left');


# probes keep idle connections from being forgotten

SKIP: {
    my $redis = redis_server();

    $gateway = gateway('redis://127.0.0.1:' . $redis->port);
    is($gateway->create(key => 'probes')->status, 201, 'probes, connected');

    skip 'no /proc/net/tcp', 1 if !-r '/proc/net/tcp';

    my $to = sprintf ':%04X 01 \S+ 02:([0-9A-F]+) ', $redis->port;

    ok(wait_for { grep { hex $_ <= 1000 } slurp('/proc/net/tcp') =~ /$to/g } 10,
        'probes, within ten seconds');
}

done_testing();
