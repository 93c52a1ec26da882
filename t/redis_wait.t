#!/usr/bin/perl

# "segments_redis_wait": a claim counts when replicas have it.  Where too few
# acknowledge in time, Redis is unusable and the claim is given back.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Machine qw(lateness);
use Segments::Test;
use Segments::Dialogue;

use Time::HiRes qw(time);


my $WAIT = slow(400);                   # milliseconds

my %set = (
    segments_redis_timeout         => slow_ms(2000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_redis_wait            => "replicas=1 timeout=${WAIT}ms",
    segments_idempotency_lease     => '60s',
);

my $upstream = upstream();


# a replica that is there, that stops, and that goes on

my $master = redis_server(options => { 'repl-diskless-sync-delay' => 0 });
my $replica = redis_server(options => {
    replicaof => '127.0.0.1 ' . $master->port });

# WAIT counts a replica as soon as its copy has been sent; the stream begins
# with its next sign of life, up to a second later.  So something has to be
# written after it was counted, and be acknowledged.

wait_for {
    $master->cmd('WAIT', 1, 100) == 1
        && defined $master->cmd('PUBLISH', 'probe', '')
        && $master->cmd('WAIT', 1, 100) == 1;
} 20, 'the replica';

my $gateway = nginx(upstream => $upstream, redis => $master, set => \%set);

is($gateway->create(key => 'a')->summary, '201 recorded', 'acknowledged');

my $waits = $master->commands->{wait};

is($gateway->create(key => 'z')->summary, '201 recorded', 'script known');
is($master->commands->{wait}, $waits + 1, 'one WAIT, for the claim');
is($gateway->create(key => 'a')->summary, '201 replayed marked', 'replayed');

my @many = parallel(map { [$gateway, $gateway->create_request(key => "m$_")] }
    1 .. 50);
is(scalar(grep { $_ && $_->status == 201 } @many), 50, 'many at once');
cmp_ok($master->commands->{wait}, '<', 45, 'they share their WAITs');

my $sent = $upstream->count;

$replica->pause;

my $start = time;
my $answer = $gateway->create(key => 'b');

is(envelope($answer), '503 internal/storage_error', 'not acknowledged');
cmp_ok(1000 * (time - $start), '>=', $WAIT - 10, 'not acknowledged, waited');
like($gateway->error_log, qr/\[error\] .* 0 of 1 replicas acknowledged/,
    'not acknowledged, log');
is($upstream->count, $sent, 'not acknowledged, not sent');
wait_for { !grep { /:b\}:create\z/ } $master->keys } 10,
    'the claim to be given back';

is($gateway->create(key => 'a')->summary, '201 replayed marked',
    'what is an answer needs no acknowledgement');
is($gateway->create(key => 'a', body => { name => 'x' })->status, 422,
    'nor does a refusal');

# two at most stand between a claim and its own WAIT

my $late = lateness();
$start = time;
@many = parallel(map { [$gateway, $gateway->create_request(key => "n$_")] }
    1 .. 20);
my $took = 1000 * (time - $start);
is(scalar(grep { $_ && $_->status == 503 } @many), 20, 'none of many');
cmp_ok($took - (lateness() - $late), '<', 4 * $WAIT, 'no queue is formed');

my $pass = nginx(upstream => $upstream, redis => $master,
    set => { %set, segments_redis_failure => 'pass' });

is($pass->create(key => 'p')->summary, '201 bypassed', 'pass, goes on');

my $off = nginx(upstream => $upstream, redis => $master,
    set => { %set, segments_redis_wait => 'off' });

is($off->create(key => 'c')->summary, '201 recorded', 'off, does not wait');

$replica->resume;
wait_for { $gateway->create(key => 'b')->summary eq '201 recorded' } 20,
    'the replica';


# the dialogue: WAIT follows its claim in the same pipeline; a connection that
# is lost between the two has the claim sent again, with the same token

my $fake = fake_redis(
    hello,
    says(claim => 'k', bind_word('token')),
    [EXPECT => 'WAIT', 1, $WAIT],
    [SEND => ['ok']],
    ['CLOSE'],
    hello('second'),
    says(claim => 'k', bind_word('token')),
    [EXPECT => 'WAIT', 1, $WAIT],
    [SEND => ['ok'], ':1'],
    says(complete => 'k', bind_word('token')),
    [SEND => ['ok']],
);

$gateway = nginx(upstream => $upstream, redis => $fake, set => \%set,
    log_level => 'notice');
is($gateway->create(key => 'k')->summary, '201 recorded', 'sent again');
ok($fake->played, 'dialogue');
like($gateway->error_log, qr/\[notice\] .* asked to WAIT when it closed the/,
    'why it may have been closed');

# WAIT that is refused or not answered at all

for my $reply ('-NOPERM no', '-ERR unknown command') {
    $fake = fake_redis(
        hello,
        says(claim => 'k', bind_word('token')),
        [EXPECT => 'WAIT', 1, $WAIT],
        [SEND => ['ok'], $reply],
        says(give_back => 'k', bind_word('token')),
        [SEND => ['ok']],
    );
    $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);
    is($gateway->create(key => 'k')->status, 503, $reply);
    ok($fake->played, 'given back');

    my ($code) = $reply =~ /(\w+)/;

    like($gateway->error_log, qr/\[error\] .* redis refused WAIT with "$code"/,
        'refused, log');
}

# what cannot be the reply to WAIT: nothing of the connection is believed

for my $reply (undef, '+OK', bare(['ok'])) {
    $fake = fake_redis(
        hello,
        says(claim => 'k', bind_word('token')),
        [EXPECT => 'WAIT', 1, $WAIT],
        [SEND => ['ok'], $reply],
        ['CLOSED'],
        hello('second'),
        says(claim => 'k', bind_word('token')),
        [EXPECT => 'WAIT', 1, $WAIT],
        [SEND => ['mismatch'], ':0'],
    );
    $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);
    is($gateway->create(key => 'k')->status, 422,
        'WAIT, ' . (ref $reply ? 'an array' : $reply // 'a null'));
    ok($fake->played, 'sent again');
}

$fake = fake_redis(
    hello,
    says(claim => 'k', bind_word('token')),
    [EXPECT => 'WAIT', 1, $WAIT],
    [SEND => ['ok']],
    says(give_back => 'k', bind_word('token')),
    [SEND => ':1', ['ok']],
    says(claim => 'l'),
    [EXPECT => 'WAIT', 1, $WAIT],
    [SEND => ['mismatch'], ':0'],
);
$gateway = nginx(upstream => $upstream, redis => $fake, set => { %set,
    segments_redis_timeout => 3 * $WAIT . 'ms' });
is($gateway->create(key => 'k')->status, 503, 'no answer to WAIT');
is($gateway->create(key => 'l')->status, 422, 'late, and dropped');
ok($fake->played, 'late, dialogue');


# nginx -t

for my $row (
    ['replicas=1', qr/needs "replicas=" and "timeout="/],
    ['timeout=50ms', qr/needs "replicas=" and "timeout="/],
    ['replicas=0 timeout=50ms', qr/invalid number in "replicas=0"/],
    ['replicas=1 timeout=0', qr/invalid time in "timeout=0"/],
    ['replicas=1 replicas=2', qr/duplicate "replicas="/],
    ['on', qr/invalid value "on"/],
    ['replicas=1 timeout=51ms', qr/must be at most three quarters of/],
    ['replicas=1 timeout=99ms', qr/must be at most three quarters of/],
) {
    my ($words, $sentence) = @$row;
    my ($code, $output) = check_config(
        set => { segments_redis_wait => $words });

    isnt($code, 0, $words);
    like($output, qr/\[emerg\] .*$sentence/, "$words, why");
}

is((check_config(set => { segments_redis_wait => 'replicas=1 timeout=50ms' }))
    [0], 0, 'accepted');


# what is accepted holds: Redis ends a WAIT with its next tick

my $tight = nginx(upstream => $upstream, redis => $master, set => { %set,
    segments_redis_timeout => slow_ms(1200),
    segments_redis_wait    => 'replicas=1 timeout=' . (slow(900) - 100) . 'ms',
});

$replica->pause;
$start = time;
is($tight->create(key => 'tight')->status, 503, 'the longest WAIT');
like($tight->error_log, qr/0 of 1 replicas acknowledged/,
    'is answered within the time-out');
$replica->resume;

done_testing();
