#!/usr/bin/perl

# The straight way: native commands where the server can, what they do not
# settle, and servers that refuse writes, or say what they should not.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Dialogue qw(hello says);
use Segments::FakeRedis qw(bind_word bulk);
use Segments::Test;
use Segments::Value;


$Segments::FakeRedis::Player::INFO = 1;

my $TTL = 86_400_000;
my $LEASE = 60_000;
my $AGAIN = '201 replayed marked';
my $BUSY = '409 in-progress idempotency_in_progress';
my $STORAGE = '503 internal/storage_error';

my $upstream = upstream();


# what a server says of itself is asked before the first create, which does not
# wait for it and is asked by a script

sub knows {
    my ($info) = @_;

    return hello, [EXPECT => 'INFO'], says(claim => 'first'),
        [SEND => bulk("# Server\r\n$info\r\n"), ['mismatch']];
}


sub name { return "segments:{live::$_[0]}:create" }


sub claims {
    my ($key) = @_;

    return [EXPECT => 'SET', name($key), bind_word("claim $key"), 'NX', 'GET',
        'PX', $TTL];
}


sub answers {
    my ($key) = @_;

    return [EXPECT => 'SET', name($key), qr/\A1a\0-/, 'IFEQ',
        bind_word("claim $key"), 'PX', $TTL];
}


# a value of the record, with the fingerprint of who has claimed it

sub stands {
    my ($key, %record) = @_;

    return sub {
        my (%bound) = @_;

        return bulk(Segments::Value::encode($record{name} // name($key),
            fp => unpack('H*', substr $bound{"claim $key"}, 12, 32),
            token => 'ee' x 16, ttl => $TTL, term => $LEASE,
            from => 'absent', status => 201,
            headers => "Content-Type: application/json\n", body => '{}',
            %record));
    };
}


sub gateway {
    my ($fake, %set) = @_;

    my $gateway = nginx(upstream => $upstream, redis => $fake, set => {
        segments_redis_timeout         => slow_ms(3000),
        segments_redis_connect_timeout => slow_ms(2000),
        segments_idempotency_wait      => 'off',
        segments_idempotency_lease     => $LEASE . 'ms',
        %set,
    });

    is($gateway->create(key => 'first')->status, 422, 'the first');

    return $gateway;
}


# who can what

for my $row (
    ['redis_version:7.0.15', 1, 0],
    ['redis_version:8.3.9', 1, 0],
    ['redis_version:8.4.0', 1, 1],
    ['redis_version:10.0.0', 1, 1],
    ["redis_version:7.2.4\r\nvalkey_version:8.0.9", 1, 0],
    ["redis_version:7.2.4\r\nvalkey_version:8.1.0", 1, 1],
    ["redis_version:7.2.4\r\nvalkey_version:9.1.2", 1, 1],
    ['redis_version:6.3.4', 0, 0],
    ['redis_version:5.0.3', 0, 0],
    ['redis_version:new', 0, 0],
    ['redis_version:7', 0, 0],
    ['something', 0, 0],
) {
    my ($info, $claim, $answer) = @$row;
    my $what = $info =~ s/\r\n/, /r;

    my $fake = fake_redis(knows($info),
        $claim ? (claims('k'), [SEND => undef])
            : (says(claim => 'k'), [SEND => ['won']]),
        $answer ? (answers('k'), [SEND => '+OK'])
            : (says(complete => 'k'), [SEND => ['ok']]));


    my $gateway = gateway($fake);

    is($gateway->create(key => 'k')->summary, '201 recorded', $what);
    ok($fake->played, "$what: dialogue");
    $gateway->stop;
}

my $BOTH = 'redis_version:8.4.0';


# what is not settled so is asked of the script, and what is no syntax to the
# server not tried again

{
    my $fake = fake_redis(knows($BOTH),
        claims('a'), [SEND => undef], answers('a'), [SEND => undef],
        says(complete => 'a'), [SEND => ['ok']],

        claims('b'), [SEND => undef], answers('b'),
        [SEND => '-ERR syntax error'],
        says(complete => 'b'), [SEND => ['stale']],

        claims('c'), [SEND => stands('c', state => 'unknown')],
        says(claim => 'c'), [SEND => ['ok']],
        says(complete => 'c'), [SEND => ['ok']],

        claims('d'), [SEND => '-ERR syntax error'],
        says(claim => 'd'), [SEND => ['won']],
        says(complete => 'd'), [SEND => ['ok']],

        says(claim => 'e'), [SEND => ['mismatch']]);
    my $gateway = gateway($fake);

    is($gateway->create(key => 'a')->summary, '201 recorded', 'IFEQ, a null');
    is($gateway->create(key => 'b')->summary, '201 unstored', 'and a stranger');
    is($gateway->create(key => 'c')->summary, '201 recorded', 'taken over');
    is($gateway->create(key => 'd')->summary, '201 recorded', 'no NX with GET');
    is($gateway->create(key => 'e')->status, 422, 'remembered');
    ok($fake->played, 'asked of the script');
    $gateway->stop;
}


# what a value says by itself

{
    my $fake = fake_redis(knows($BOTH),
        claims('a'), [SEND => stands('a', state => 'answered')],
        claims('b'), [SEND => stands('b', state => 'tombstone')],
        claims('c'), [SEND => stands('c', state => 'unknown', fp => '00' x 32)],
        claims('d'), [SEND => stands('d', state => 'unknown')],
        claims('e'), [SEND => bulk('no record')],
        claims('f'), [SEND => '-WRONGTYPE no string'],
        claims('g'), [SEND => stands('g', state => 'claimed')],
        says(claim => 'g'), [SEND => ['in_progress', ':5000']]);
    my $gateway = gateway($fake, segments_idempotency_unknown => 'hold');

    is($gateway->create(key => 'a')->summary, $AGAIN, 'answered');
    is($gateway->create(key => 'b')->summary,
        '409 replayed marked idempotency_answer_not_kept', 'a tombstone');
    is($gateway->create(key => 'c')->summary,
        '422 mismatch idempotency_key_reused', 'another body');
    is($gateway->create(key => 'd')->summary,
        '504 held idempotency_outcome_unknown', 'unknown, under hold');
    is(envelope($gateway->create(key => 'e')), $STORAGE, 'no record');
    is(envelope($gateway->create(key => 'f')), $STORAGE, 'no string');
    is($gateway->create(key => 'g')->summary, $BUSY, 'in progress');
    ok($fake->played, 'by itself, dialogue');
    $gateway->stop;
}


# who refuses writes still replays

for my $word (qw(OOM READONLY MISCONF NOREPLICAS)) {
    my @refused = ([SEND => "-$word not now"]);
    my @read = map { my $key = $_; (claims($key), @refused,
        [EXPECT => 'GET', name($key)]) } qw(a);

    my $fake = fake_redis(knows($BOTH), (map {
        my ($key, $reply, @more) = @$_;

        (claims($key), @refused, [EXPECT => 'GET', name($key)],
            [SEND => $reply], @more)
    } ['a', stands('a', state => 'answered')],
      ['b', stands('b', state => 'tombstone')],
      ['c', stands('c', state => 'answered', fp => '00' x 32)],
      ['d', undef],
      ['e', stands('e', state => 'unknown')],
      ['f', stands('f', state => 'claimed'),
        [EXPECT => 'PTTL', name('f')], [SEND => ':' . ($TTL - 5000)]],
      ['g', stands('g', state => 'claimed'),
        [EXPECT => 'PTTL', name('g')], [SEND => ':' . ($TTL - $LEASE)]],
      ['h', stands('h', state => 'claimed'),
        [EXPECT => 'PTTL', name('h')], [SEND => ':-1']],
      ['i', '-LOADING not yet']));

    my $gateway = gateway($fake);
    my $sent = $upstream->count;

    is(join(' | ', map { $gateway->create(key => $_)->summary } qw(a b c)),
        "$AGAIN | 409 replayed marked idempotency_answer_not_kept"
        . ' | 422 mismatch idempotency_key_reused', "$word: what is known");
    is(envelope($gateway->create(key => 'd')), $STORAGE, "$word: nothing");
    is(envelope($gateway->create(key => 'e')), $STORAGE, "$word: unknown");
    is($gateway->create(key => 'f')->summary, $BUSY, "$word: it runs");
    is(envelope($gateway->create(key => 'g')), $STORAGE, "$word: it is over");
    is($gateway->create(key => 'h')->summary, $BUSY, "$word: no expiry");
    is(envelope($gateway->create(key => 'i')), $STORAGE, "$word: nor read");

    ok($fake->played, "$word: dialogue");
    is($upstream->count, $sent, "$word: nothing is sent");
    like($gateway->error_log, qr/refused a record command with "$word not now"/,
        "$word: log");
    $gateway->stop;
}


# and holds what it would hold: that Redis is full lets nothing pass

{
    my $fake = fake_redis(knows($BOTH),
        claims('a'), [SEND => '-OOM not now'],
        [EXPECT => 'GET', name('a')],
        [SEND => stands('a', state => 'claimed')],
        [EXPECT => 'PTTL', name('a')], [SEND => ':' . ($TTL - $LEASE)]);
    my $gateway = gateway($fake, segments_idempotency_unknown => 'hold',
        segments_redis_failure => 'pass');
    my $sent = $upstream->count;

    is($gateway->create(key => 'a')->summary,
        '504 held idempotency_outcome_unknown', 'over, under hold');
    ok($fake->played, 'over, under hold, dialogue');
    is($upstream->count, $sent, 'over, under hold: nothing is sent');
    $gateway->stop;
}


# a value of another record is not given out: another connection, once

{
    my $other = stands('k', state => 'answered', name => 'other');
    my $fake = fake_redis(knows($BOTH),
        claims('k'), [SEND => $other], ['CLOSED'],
        hello('second'), [EXPECT => 'INFO'], says(claim => 'k'),
        [SEND => bulk($BOTH),
            sub { my (%bound) = @_; ['found', $other->(%bound)] }],
        claims('l'), [SEND => stands('l', state => 'answered')]);
    my $gateway = gateway($fake);

    is(envelope($gateway->create(key => 'k')), $STORAGE, 'another record');
    is($gateway->create(key => 'l')->summary, $AGAIN, 'the next');
    ok($fake->played, 'another record, dialogue');
    like($gateway->error_log, qr/cannot be to its command/, 'closed');
    like($gateway->error_log, qr/its "name" is not understood/, 'and said');
    $gateway->stop;
}


# a connection that is lost: what was sent goes as the script

{
    my $fake = fake_redis(knows($BOTH),
        claims('k'), ['CLOSE'],
        hello('second'), [EXPECT => 'INFO'], says(claim => 'k'),
        [SEND => bulk($BOTH), ['ok']],
        says(complete => 'k'), [SEND => ['ok']]);
    my $gateway = gateway($fake);

    is($gateway->create(key => 'k')->summary, '201 recorded', 'sent again');
    ok($fake->played, 'sent again, as the script');
}


# whose duplicate waits here, and has left a channel with the record, has
# another value there than was made: no IFEQ

{
    my $runs = ['in_progress', ':600000'];
    my $fake = fake_redis(knows($BOTH),
        claims('k'), [SEND => undef],
        [EXPECT => 'SET', name('k'), qr/\A1c\0a/, 'NX', 'GET', 'PX', $TTL],
        [SEND => stands('k', state => 'claimed')],
        says(claim => 'k'), [SEND => $runs],
        [ACCEPT => 'channel'], [EXPECT => 'PING'],
        [EXPECT => 'SUBSCRIBE', bind_word('channel')],
        [SEND => '+PONG', sub { my (%bound) = @_;
            ['subscribe', $bound{channel}, ':1'] }],
        [ON => 'first'], says(claim => 'k'), [SEND => $runs],
        says(complete => 'k'), [SEND => ['ok']],
        [ON => 'channel'], [SEND => sub { my (%bound) = @_;
            ['message', $bound{channel}, name('k')] }],
        [ON => 'first'], says(claim => 'k'),
        [SEND => ['replay', '201', "Content-Type: text/plain\n", 'an answer']]);
    my $gateway = gateway($fake, segments_idempotency_wait => '60s');
    my ($first, $waits) = ($gateway->connect, $gateway->connect);

    $first->send_request($gateway->create_request(key => 'k',
        mock => 'hold=k'));
    $upstream->wait_held('k');
    $waits->send_request($gateway->create_request(key => 'k'));
    $fake->wait_step(18);
    $upstream->release('k');

    is($first->read_response->summary, '201 recorded', 'a duplicate waits');
    is($waits->read_response->summary, $AGAIN, 'and has the answer');
    ok($fake->played, 'no IFEQ');
    $gateway->stop;
}

done_testing();
