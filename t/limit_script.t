#!/usr/bin/perl

# The limits in a real Redis against a GCRA of the textbook: the same verdicts
# and the same header values, whatever is claimed, and whenever.
#
# Time does not pass by waiting: the scripts are told another one.  SEED and
# ROUNDS in the environment repeat or prolong a run.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";

use Digest::SHA qw(sha256 sha256_hex);

use Segments::LimitModel;
use Segments::Redis;
use Segments::Util qw(slurp source);
use Segments::Value;


my $SEED = $ENV{SEED} // 1;
my $ROUNDS = $ENV{ROUNDS} // 1000;
my $EVENTS = 25;
my $START = $Segments::LimitModel::ORIGIN;
my $LEASE = 10_000;

my @RATES = (1, 2, 3, 7, 60, 100, 999, 1000, 4999);
my @BURSTS = (0, 0, 1, 2, 5, 10, 99);

my $TTL = 10_000_000_000_000;

# $clock is what TIME says; SET keeps a key, and notes when it would expire, by
# which PTTL goes

my $STEERED = <<'END';
local real = redis
local redis = { error_reply = real.error_reply, pcall = real.pcall }

local function expires(key, expiry)
    real.call('HSET', 'expiries', key, expiry)
    real.call('HSET', 'since', key, real.call('GET', 'clock'))
end

function redis.call(name, ...)
    local key, value, _, expiry = ...

    if name == 'TIME' then
        local time = real.call('GET', 'clock')
        return { time:sub(1, -7), time:sub(-6) }
    end

    if name == 'SET' then
        expires(key, expiry)
        return real.call('SET', key, value)
    end

    if name == 'PEXPIRE' then
        expires(key, value)
        return 1
    end

    if name == 'PTTL' then
        local gone = real.call('GET', 'clock') - real.call('HGET', 'since', key)
        return real.call('HGET', 'expiries', key) - math.floor(gone / 1000)
    end

    return real.call(name, ...)
end
END

my $redis = Segments::Redis->new();
my %SCRIPT = (claim => [qw(limit claim)], complete => ['settle'],
    bury => ['settle'], unknown => ['drop'], spend => [qw(limit spend)]);
my %sha = map { $_ => script($STEERED, @{ $SCRIPT{$_} }) } keys %SCRIPT;
my %plain = map { $_ => script('', @{ $SCRIPT{$_} }) } keys %SCRIPT;
my $clock = $START;

schedules();
bounds();
expiry();
refusals();
changes();
unreadable();

done_testing();


sub script {
    my ($before, @names) = @_;

    my $sha = $redis->command('SCRIPT', 'LOAD', join '', $before,
        map { slurp(source("$_.lua")) } @names);

    ref $sha and die $sha;

    return $sha;
}


sub any {
    return $_[rand @_];
}


# Random schedules.

sub schedules {
    my %seen;

    srand $SEED;

    for my $round (1 .. $ROUNDS) {
        my $wrong = schedule(\%seen);

        next if !$wrong;

        fail("the script follows the model, SEED=$SEED, round $round");
        diag($wrong);
        return;
    }

    pass("the script follows the model: $ROUNDS schedules of $EVENTS events");

    is(join(' ', grep { ($seen{$_} // 0) < 20 } qw(ok/spent ok/refused
        limited/refused in_progress/read mismatch/read replay/read
        tombstone/read held/read ok/read), 'take-over', 'paid', 'used up'), '',
        'every verdict was seen often') or diag(explain(\%seen));

    return;
}


# what was wrong, or nothing

sub schedule {
    my ($seen) = @_;

    $redis->command('FLUSHDB');

    $clock = $START + int rand 1e9;

    my @limits = map { limit($_) } 1 .. any(1, 1, 2, 3);
    my (@history, @records, @receipts);

    for (1 .. $EVENTS) {
        pass_time(@limits);

        my ($words, $expected)
            = event(\@limits, \@records, \@receipts, $seen);
        my $reply = ask(@$words);
        my ($got, $wanted) = map { text($_) } $reply, $expected;

        push @history, "$clock @$words: $got";

        $seen->{ word($reply) }++;

        return join "\n", @history, "expected: $wanted" if $got ne $wanted;
    }

    return;
}


sub limit {
    my ($n) = @_;

    my $limit = Segments::LimitModel->new(key => "limit:$n",
        rate => any(@RATES), unit => any(qw(s s m h d)),
        burst => any(@BURSTS));

    $limit->{words} = [$limit->arguments(rand > 0.5)];

    return $limit;
}


# About as long as the limits need, by the microsecond.  A key that would be
# gone by now may be, or not.

sub pass_time {
    my (@limits) = @_;

    my $limit = any(@limits);
    my $interval = $limit->{interval} / $limit->{rate};

    $clock += any(0, 0, 1, int rand 1000, int rand 2 * $interval,
        int($interval), int($interval) + 1, int rand 10 * $interval,
        int(($limit->quota - 1) * $interval), int($limit->quota * $interval));

    my %expiries = @{ $redis->command('HGETALL', 'expiries') };

    for my $limit (@limits) {
        my $key = $limit->{key};
        my $expiry = $expiries{$key} // next;

        $limit->{set} //= 0;

        if ($clock >= $limit->{set} + 1000 * $expiry && rand > 0.5) {
            $redis->command('DEL', $key);
        }
    }

    return;
}


# a command, and what has to come of it

sub event {
    my ($limits, $records, $receipts, $seen) = @_;

    my $dice = rand;
    my $dry = rand > 0.85 ? 'dry_run' : 'spend';
    my $record = any(@$records);
    my $receipt = any(@$receipts);

    # another claim on a record

    if ($record && $dice < 0.4) {
        return reclaim($limits, $record, $dry, $seen);
    }

    if ($record && $dice < 0.5 && $record->{state} eq 'claimed') {
        $record->{state} = any(qw(replay tombstone unknown));

        my @words = $record->{state} eq 'replay'
            ? ('complete', $record->{token}, 'fp', 201, 'h', 'b')
            : $record->{state} eq 'tombstone'
            ? ('bury', $record->{token}, 'fp', 201)
            : ('unknown', $record->{token}, 'fp');

        return ['record', [$record->{key}], [@words]], ['ok'];
    }

    if ($receipt && $dice < 0.6) {
        $seen->{paid}++;

        return ['spend', [$receipt], [1000], $dry, $limits],
            ['ok', told('spent', $limits)];
    }

    if ($dice < 0.65) {
        return ['spend', ['none'], [1000], 'read', $limits],
            ['ok', told('read', $limits)];
    }

    my $name = $dice < 0.85 ? 'record' : 'spend';
    my $key = $name . (@$records + @$receipts);
    my ($ok, $done) = pay($limits, $dry, $seen);

    if ($name eq 'spend') {
        push @$receipts, $key if $ok;

        return ['spend', [$key], [1000], $dry, $limits],
            [$ok ? 'ok' : 'limited', told($done, $limits)];
    }

    my %new = (key => $key, token => "t$clock", state => 'claimed',
        claimed => $clock);

    push @$records, \%new if $ok;

    return ['record', [$key], [claim($new{token})], $dry, $limits],
        [$ok ? 'ok' : 'limited', told($done, $limits)];
}


sub claim {
    my ($token, %other) = @_;

    return ('claim', $token, $other{fp} // 'fp', $other{policy} // 'retry');
}


sub reclaim {
    my ($limits, $record, $dry, $seen) = @_;

    my $told = sub { told('read', $limits) };
    my $do = sub { ['record', [$record->{key}], [@_], $dry, $limits] };
    my $state = $record->{state};

    if (rand > 0.9) {
        return $do->(claim('other', fp => 'another')), ['mismatch', $told->()];
    }

    if ($state eq 'replay') {
        return $do->(claim('other')), ['replay', 201, 'h', 'b', $told->()];
    }

    if ($state eq 'tombstone') {
        return $do->(claim('other')), ['tombstone', 201, $told->()];
    }

    my $left = $LEASE - int(($clock - $record->{claimed}) / 1000);

    if ($state eq 'claimed' && rand > 0.5) {
        $record->{claimed} = $clock;

        return $do->(claim($record->{token})),
            ['ok', told('spent', $limits)];
    }

    if ($state eq 'claimed' && $left > 0) {
        return $do->(claim('other')), ['in_progress', $left, $told->()];
    }

    if (rand > 0.7) {
        return $do->(claim('other', policy => 'hold')), ['held', $told->()];
    }

    # a take-over

    my ($ok, $done) = pay($limits, $dry, $seen);
    my $token = "t$clock+" . int rand 1e9;

    if ($ok) {
        $seen->{'take-over'}++;
        @$record{qw(token claimed state)} = ($token, $clock, 'claimed');
    }

    return $do->(claim($token)),
        [$ok ? 'ok' : 'limited', told($done, $limits)];
}


# all or nothing

sub pay {
    my ($limits, $dry, $seen) = @_;

    if (grep { !$_->passes($clock) } @$limits) {
        $seen->{'used up'}++;
        return ($dry eq 'dry_run', 'refused');
    }

    for my $limit (@$limits) {
        $limit->spend($clock);
        $limit->{set} = $clock;
    }

    return (1, 'spent');
}


sub told {
    my ($done, $limits) = @_;

    return [$done, map { ($_->left($clock), $_->reset($clock)) } @$limits];
}


sub ask {
    my ($script, $keys, $args, $how, $limits) = @_;

    my @keys = (@$keys, map { $_->{key} } @{ $limits // [] });
    my ($name, @args) = own($script, $keys->[0], @$args);

    push @args, $how // (), map { @{ $_->{words} } } @{ $limits // [] };

    return proven(($redis->pipeline(['SET', 'clock', $clock],
        ['EVALSHA', $sha{$name}, scalar @keys, @keys, @args]))[1], $keys->[0],
        $args->[3] // '', @args);
}


# which script it is, and its arguments

sub own {
    my ($script, $key, @args) = @_;

    return ('spend', 'spend', 'token-of-its-own', @args) if $script eq 'spend';

    my ($verb, $token, $fp, @rest) = @args;

    my $value = sub {
        return Segments::Value::encode($key, state => $_[0], from => 'absent',
            fp => sha256_hex($fp), token => unpack('H*', token($token)),
            ttl => $TTL, term => $LEASE, status => $rest[0],
            headers => $rest[1], body => $rest[2]);
    };

    return ('claim', 'claim', token($token), $value->('claimed'), $TTL,
        $rest[0], '') if $verb eq 'claim';
    return ($verb, $value->('answered'), $TTL) if $verb eq 'complete';
    return ($verb, $value->('tombstone'), $TTL) if $verb eq 'bury';
    return ($verb, $verb, token($token), $value->('unknown'), $TTL);
}


sub token { return substr sha256($_[0]), 0, 16 }


# the reply behind its proof, which is that of these arguments; and what was
# found, by what it means

sub proven {
    my ($reply, $key, $policy, $verb, $token, $value) = @_;

    # of an answer, whose value has it, and who has it taken hears nothing else

    return $reply eq $1 . substr($verb, 44, 8)
        ? ['ok'] : "another proof: $reply"
        if !ref $reply && $verb =~ /\A1([at])\0/;

    return $reply if ref $reply ne 'ARRAY';

    my $proof = shift @$reply;

    return "another proof: $proof" if $proof ne $verb . substr $token, 0, 8;

    $reply->[0] = 'ok' if $reply->[0] eq 'won';

    return $reply if $reply->[0] ne 'found';

    my (undef, $found, @told) = @$reply;
    my $record = Segments::Value::decode($found, $key);

    return "no record: $found" if !$record;
    return ['mismatch', @told]
        if $record->{fp} ne unpack 'H*', substr $value, 12, 32;
    return ['replay', @$record{qw(status headers body)}, @told]
        if $record->{state} eq 'answered';
    return ['tombstone', $record->{status}, @told]
        if $record->{state} eq 'tombstone';
    return ['held', @told]
        if $record->{state} eq 'unknown' && $policy eq 'hold';

    return "found: $record->{state}";
}


sub text {
    my ($value) = @_;

    return ref $value eq 'ARRAY' ? '(' . join(' ', map { text($_) } @$value)
        . ')' : "$value";
}


sub word {
    my ($reply) = @_;

    return "$reply" if ref $reply ne 'ARRAY';

    my $told = $reply->[-1];

    return ref $told ? "$reply->[0]/$told->[0]" : $reply->[0];
}


# The largest numbers that a configuration may have.

sub bounds {
    for my $unit (qw(s m h d)) {
        for my $rate (1, 999_983, 1_000_000) {
            my $limit = Segments::LimitModel->new(key => 'large',
                rate => $rate, unit => $unit, burst => 100_000);
            my @wrong;

            $limit->{words} = [$limit->arguments(1)];
            $redis->command('DEL', 'large');
            $clock = $START;

            # near the end of the quota without spending all of it

            my $debt = $limit->{interval} * 99_999;
            my $part = $debt % $rate;
            my $whole = $START + ($debt - $part) / $rate;

            $part /= $rate / $limit->{words}[0];
            $limit->{arrival} = $debt;
            $redis->command('SET', 'large', "$whole $part");

            for my $n (1 .. 8) {
                my ($ok, $done) = pay([$limit], 'spend', {});
                my $wanted = [$ok ? 'ok' : 'limited', told($done, [$limit])];
                my $got = ask('spend', ["r$n$unit$rate"], [1000], 'spend',
                    [$limit]);

                push @wrong, text($got) . ' for ' . text($wanted)
                    if text($got) ne text($wanted);

                $clock += int rand 20;
            }

            is("@wrong", '', "rate=${rate}r/$unit burst=100000");
        }
    }

    return;
}


# One by one, by Redis' own time.

sub plain {
    my ($script, $keys, @args) = @_;

    # the first words are a verb's, the others are about limits

    my $n = $script eq 'spend' ? @args : $args[0] eq 'claim' ? 4 : 3;
    my @own = splice @args, 0, $n;
    my ($name, @words) = own($script, $keys->[0], @own);

    push @words, @args;

    return text(proven($redis->command('EVALSHA', $plain{$name},
        scalar @$keys, @$keys, @words), $keys->[0], $own[3] // '', @words));
}


sub spend {
    my ($receipt, $how, %limits) = @_;

    my @keys = sort keys %limits;

    return plain('spend', [$receipt, @keys], 1000, $how,
        map { @{ $limits{$_} } } @keys);
}


my ($minute, $hour);


sub expiry {
    ($minute, $hour) = ([1, 60_000_000, 1], [1, 3_600_000_000, 1]);

    $redis->command('FLUSHDB');

    spend('r1', 'spend', a => $minute, b => [1, 3_600_000_000, 3]);
    is(near($redis->command('PTTL', 'a'), 60_000), 1, 'expires when earned');
    is(near($redis->command('PTTL', 'b'), 3_600_000), 1, 'each by its own');
    is(near($redis->command('PTTL', 'r1'), 1000), 1, 'a receipt, too');

    spend('r2', 'spend', b => [1, 3_600_000_000, 3]);
    is(near($redis->command('PTTL', 'b'), 7_200_000), 1, 'later when more is');

    is(spend('r3', 'spend', c => [1_000_000, 1_000_000, 1]),
        '(ok (spent 0 1))', 'a microsecond');

    # the key may outlive its microsecond by one millisecond

    my $left = $redis->command('PTTL', 'c');
    ok($left == -2 || $left == 0 || $left == 1, 'expires') or diag($left);

    my $start = time;

    for my $n (1 .. 3) {
        my $reply;

        do {
            $reply = spend("s$n", 'spend', d => [10, 1_000_000, 1]);
        } while ($reply =~ /limited/ && time < $start + 10);

        is($reply, '(ok (spent 0 1))', "real time passes: $n");
    }

    return;
}


sub near {
    my ($got, $expected) = @_;

    return $got <= $expected && $got > $expected - 30_000 && $got > 0 ? 1
        : "$got for $expected";
}


sub refusals {
    $redis->command('FLUSHDB');

    spend('r1', 'spend', a => $minute);

    my $before = $redis->command('GET', 'a');

    like(spend('r2', 'spend', a => $minute, b => $hour),
        qr/\A\(limited \(refused 0 (?:60|59) 1 0\)\)\z/, 'one of two refuses');
    is($redis->command('EXISTS', 'b'), 0, 'the other is not spent');
    is($redis->command('GET', 'a'), $before, 'nor is the one');
    is($redis->command('EXISTS', 'r2'), 0, 'no receipt');

    like(plain('record', ['key', 'a'], claim('t'), 'spend', @$minute),
        qr/\A\(limited \(refused 0 (?:60|59)\)\)\z/, 'a claim is refused');
    is($redis->command('EXISTS', 'key'), 0, 'no record');

    # a take-over that is refused leaves the record as it was

    plain('record', ['old'], claim('t'));
    plain('record', ['old'], 'unknown', 't', 'fp');

    my $record = $redis->command('GET', 'old');
    is(substr($record, 1, 1), 'u', 'an unknown outcome');
    my $expiry = $redis->command('PEXPIRETIME', 'old');

    like(plain('record', ['old', 'a'], claim('u'), 'spend', @$minute),
        qr/\A\(limited /, 'a take-over is refused');
    is($redis->command('GET', 'old'), $record, 'the record stands');
    is($redis->command('PEXPIRETIME', 'old'), $expiry, 'and its expiry')
        if !ref $expiry;

    return;
}


# another rate, and another clock: no more is owed than can be

sub changes {
    $redis->command('FLUSHDB');

    is(spend("r$_", 'spend', a => [1, 86_400_000_000, 100]) =~ /\A\(ok/, 1,
        "of many: $_") for 1 .. 3;
    is(spend('r', 'read', a => [1, 1_000_000, 2]), '(ok (read 0 1))',
        'a higher rate, a lower burst');

    $redis->command('SET', 'b', '9' x 16 . ' 0');
    is(spend('r', 'read', b => [1, 1_000_000, 2]), '(ok (read 0 1))',
        'a clock that was set back');

    $redis->command('SET', 'c', '1 0');
    is(spend('r', 'read', c => $minute), '(ok (read 1 0))',
        'a clock that was set forward');

    my ($s, $us) = @{ $redis->command('TIME') };

    # a fraction of another rate is less than a microsecond

    $redis->command('SET', 'd', sprintf '%d%06d 999999', $s + 1000, $us);
    like(spend('r', 'read', d => $hour), qr/\A\(ok \(read 0 (?:1000|9..)\)\)\z/,
        'a fraction of another rate');

    return;
}


sub unreadable {
    $redis->command('FLUSHDB');

    for my $value ('', 'x', '1', '1 2 3', '-1 0', '1.5 0', '1 -1', '1e3 0',
        '0x10 0', ' 1 0', '1 0 ', "1 0\n", '1' x 40 . ' 0')
    {
        $redis->command('SET', 'a', $value);

        is(spend('r', 'spend', a => $minute), '(unreadable limit)',
            "value '$value'");
        is(plain('record', ['key', 'a'], claim('t'), 'spend', @$minute),
            '(unreadable limit)', "value '$value', a claim");
        is($redis->command('GET', 'a'), $value, "value '$value' stands");
    }

    $redis->command('DEL', 'a');
    $redis->command('HSET', 'a', 'x', 'y');
    like(spend('r', 'spend', a => $minute), qr/WRONGTYPE/, 'no string');
    like(plain('record', ['key', 'a'], claim('t'), 'spend', @$minute),
        qr/WRONGTYPE/, 'no string, a claim');
    $redis->command('DEL', 'a');

    for my $bad (['', 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0], [1, 1, -1],
        [1, 1, 1.5], [1, 1, '1e3'], [1, 'x', 1], [1, 1, '9' x 16], [1, 1])
    {
        like(spend('r', 'spend', a => $bad), qr/three positive numbers/,
            "arguments '@$bad'");
        like(plain('record', ['key', 'a'], claim('t'), 'spend', @$bad),
            qr/three positive numbers/, "arguments '@$bad', a claim");
    }

    is($redis->command('DBSIZE'), 0, 'nothing was written');

    return;
}
