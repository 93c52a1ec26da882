#!/usr/bin/perl

# The scripts and the native commands in a real Redis against the model: the
# same commands, the same verdicts, the same record.  Time does not pass by
# waiting: an expiry is brought near or taken away, a key is deleted, in both.
#
# SEED and ROUNDS in the environment repeat or prolong a run.

use strict;
use warnings;

use FindBin;
use Test::More;
use Time::HiRes;

use lib "$FindBin::Bin/lib";

use Segments::RecordModel;
use Segments::Redis;
use Segments::RedisServer;
use Segments::Util qw(slurp source);
use Segments::Value;


my $SEED = $ENV{SEED} // 1;
my $ROUNDS = $ENV{ROUNDS} // 4000;
my $EVENTS = 14;

# milliseconds that may pass between a command and its check; the values below
# differ by more
my $SLACK = 30_000;

my @LEASES = (60_000, 200_000);
my @TTLS = (300_000, 3_000_000);
my $NEAR = 40_000;

my %FP = (fp => '11' x 32, another => '22' x 32);
my %TOKEN = map { $_ => unpack 'H*', substr "$_-------------------", 0, 16 }
    qw(mine other second third fourth fifth);

# every verb
my @COMMANDS = (['claim', 'other', 'fp', 60_000, 300_000, 'retry'],
                ['claim', 'other', 'another', 60_000, 300_000, 'retry'],
                ['renew', 'mine', 'fp', 60_000, 300_000],
                ['complete', 'mine', 'fp', 300_000, 201, 'h', 'b'],
                ['bury', 'mine', 'fp', 300_000, 201],
                ['give_back', 'mine', 300_000, 'fp'],
                ['unknown', 'mine', 300_000, 'fp']);

my $redis = Segments::Redis->new();

my %SCRIPT = (claim => [qw(free claim)], limited => [qw(limit claim)],
              renew => ['renew'], complete => ['settle'], bury => ['settle'],
              give_back => ['drop'], unknown => ['drop']);
my %sha = map { $_ => $redis->command('SCRIPT', 'LOAD', script($_)) }
    keys %SCRIPT;

my $version = $redis->command('INFO', 'server');
my $NX_GET = $version =~ /^redis_version:(?:[7-9]|[1-9][0-9])\./m;
my $IFEQ = $version =~ /^valkey_version:(?:8\.[1-9]|9|[1-9][0-9])/m
    || $version !~ /^valkey_version/m
       && $version =~ /^redis_version:(?:8\.[4-9]|9|[1-9][0-9])/m;

sequences();
refused();
ignored();
expiry();
lease();
told();
bytes();
rights();

for my $key (@{$redis->command('KEYS', '*')}) {
    my $left = $redis->command('PTTL', $key);

    # -2: it is gone since, as it had one

    fail("expiry of $key: $left") if $left < 1 && $left != -2;
}

done_testing();


sub script {
    my ($verb) = @_;
    return join '', map { slurp(source("$_.lua")) } @{$SCRIPT{$verb}};
}


# Random sequences.

sub sequences {
    my %seen;

    srand $SEED;

    $redis->command('SET', 'full', '9' x 16 . ' 0', 'PX', 3_600_000);

    for my $round (1 .. $ROUNDS) {
        my @history;
        my $key;

        for (1 .. $EVENTS) {
            my $event = random_event($key);
            my $wrong;

            push @history, join ' ', @$event;
            ($key, $wrong) = play("round:$round", $key, $event, \%seen);

            next if !$wrong;

            fail("the scripts follow the model, SEED=$SEED, round $round");
            diag(join "\n", @history, $wrong);
            return;
        }

        # whose expiry was taken away, and which nobody has touched since
        $redis->command('DEL', "round:$round")
            if $key && !defined $key->{expires};
    }

    pass("the scripts follow the model: $ROUNDS sequences of $EVENTS events");

    is(join(' ', grep { ($seen{$_} // 0) < 20 } expected()), '',
       'every verdict was seen often');
}


sub expected {
    my @settling = map { my $verb = $_; map { "$verb:$_" } qw(ok stale) }
                   qw(renew complete bury give_back unknown);

    my @found = qw(ok replay tombstone in_progress mismatch held);

    return (@settling, map({ "claim:$_" } @found),
            map({ "limited:$_" } @found, 'limited'),
            $NX_GET ? map { "set:$_" } qw(ok replay tombstone mismatch held
                                          more) : (),
            $IFEQ ? map { ("ifeq:$_", "ifeq_bury:$_") } qw(ok more) : ());
}


sub any {
    return $_[rand @_];
}


sub random_event {
    my ($key) = @_;

    my $dice = rand;

    if ($key && $dice < 0.15) {
        return ['LEASE OVER'] if $dice < 0.08;
        return ['NEAR EXPIRY'] if $dice < 0.10;
        return ['EXPIRED'] if $dice < 0.12;
        return ['NO EXPIRY'] if $dice < 0.135;
        return ['LONG EXPIRY'];
    }

    my $token = any('mine', 'mine', 'other', 'second');
    my $fp = any('fp', 'fp', 'fp', 'another');
    my ($lease, $ttl) = (any(@LEASES), any(@TTLS));

    return [any('claim', 'claim', 'limited', $NX_GET ? ('set') : ()), $token,
            $fp, $lease, $ttl, any('retry', 'hold'),
            any([], ['channel-1'], ['channel-2'])->@*]
        if $dice < 0.55;

    # an owner's ttl is that of its claim

    return ['renew', $token, $fp, $lease, $key && $key->{fields}{ttl} || $ttl]
        if $dice < 0.65;

    # whole claims are compared: with the lease and the ttl that it has

    if ($IFEQ && $dice < 0.73 && $key && $key->{fields}{state} eq 'claimed') {
        my ($its_lease, $its_ttl) = @{$key->{fields}}{qw(lease ttl)};

        return ['ifeq', $token, $fp, $its_ttl, 201, "a: b\n", 'x', $its_lease]
            if $dice < 0.69;
        return ['ifeq_bury', $token, $fp, $its_ttl, 201, $its_lease];
    }

    return ['complete', $token, $fp, $ttl, any(201, 404), "a: b\r\n", 'answer']
        if $dice < 0.78;
    return ['bury', $token, $fp, $ttl, 201] if $dice < 0.82;
    return ['give_back', $token, $ttl, $fp] if $dice < 0.91;
    return ['unknown', $token, $ttl, $fp];
}


# one event in both worlds: the model's key, and what differs
sub play {
    my ($name, $key, $event, $seen) = @_;

    if ($event->[0] =~ /[A-Z]/) {
        $key = fate($name, $key, @$event);
        return $key, compare_key($name, $key, $redis->pipeline(
                                     ['GET', $name], ['PTTL', $name]));
    }

    my ($verdict, $after) = Segments::RecordModel::apply($key,
        model_of($key, @$event));
    my ($reply, $value, $left) = $redis->pipeline(
        [words_of($name, @$event)], ['GET', $name], ['PTTL', $name]);

    $seen->{"$event->[0]:$verdict->[0]"}++;

    return $after, compare_verdict($verdict, meaning($name, $reply, @$event))
                   // compare_key($name, $after, $value, $left);
}


# the scripts renew and end only what has the same body, as an owner's always
# has: to the model, another is a stranger
sub model_of {
    my ($key, $verb, @args) = @_;

    my %fp = (renew => 1, give_back => 2, unknown => 2);
    my $fp = defined $fp{$verb} ? $args[$fp{$verb}] : undef;

    $args[0] = 'nobody' if defined $fp && $key && $key->{fields}{fp} ne $fp;

    return [$verb, @args];
}


# the words of a command

sub words_of {
    my ($name, $verb, $token, @args) = @_;

    return native($name, $verb, $token, @args) if $verb =~ /set|ifeq/;

    my @keys = ($name, $verb eq 'limited' ? 'full' : ());
    my @words = ($verb eq 'limited' ? 'claim' : $verb,
                 pack 'H*', $TOKEN{$token});

    if ($verb =~ /claim|limited/) {
        my ($fp, $lease, $ttl, $policy, $channel) = @args;

        push @words, claimed($name, $token, $fp, $lease, $ttl), $ttl, $policy,
            defined $channel ? Segments::Value::item(1, $channel) : '';
        push @words, 'spend', 1, 3_600_000_000, 1 if $verb eq 'limited';

    } elsif ($verb eq 'renew') {
        push @words, claimed($name, $token, @args), $args[2];

    } elsif ($verb =~ /complete|bury/) {
        @words = (answered($name, $verb, $token, @args), $args[1]);

    } else {
        push @words, Segments::Value::encode($name, state => 'unknown',
            fp => $FP{$args[1]}), $args[0];
    }

    return ('EVALSHA', $sha{$verb}, scalar @keys, @keys, @words);
}


sub native {
    my ($name, $verb, $token, $fp, @args) = @_;

    if ($verb eq 'set') {
        my ($lease, $ttl) = @args;

        return ('SET', $name, claimed($name, $token, $fp, $lease, $ttl),
                'NX', 'GET', 'PX', $ttl);
    }

    my ($ttl, $lease) = @args[0, -1];

    return ('SET', $name, answered($name, $verb =~ s/ifeq_//r, $token, $fp,
                                   @args[0 .. $#args - 1]),
            'IFEQ', claimed($name, $token, $fp, $lease, $ttl), 'PX', $ttl);
}


sub claimed {
    my ($name, $token, $fp, $lease, $ttl) = @_;

    return Segments::Value::encode($name, state => 'claimed', from => 'absent',
        fp => $FP{$fp}, token => $TOKEN{$token}, ttl => $ttl, term => $lease);
}


sub answered {
    my ($name, $verb, $token, $fp, $ttl, $status, $headers, $body) = @_;

    return Segments::Value::encode($name,
        state => $verb eq 'bury' ? 'tombstone' : 'answered', fp => $FP{$fp},
        token => $TOKEN{$token}, status => $status, headers => $headers,
        body => $body);
}


# what the gateway makes of a reply, as docs/record.md and the heads of the
# scripts say

sub meaning {
    my ($name, $reply, $verb, $token, @args) = @_;

    my $policy = $verb =~ /claim|limited|set/ ? $args[3] : '';
    my $word = $verb eq 'limited' ? 'claim' : $verb;

    if ($verb eq 'set') {
        return ["error: $reply"] if ref $reply;
        return !defined $reply ? ['ok']
            : found($name, $reply, $verb, $args[0], $policy);
    }

    if ($verb =~ /ifeq/) {
        return !defined $reply ? ['more'] : "$reply" eq 'OK' ? ['ok']
                               : ["error: $reply"];
    }

    my $settles = $word =~ /complete|bury/;

    return ["error: $reply"] if ref $reply ? ref $reply ne 'ARRAY' : !$settles;

    my ($proof, @said) = ref $reply ? @$reply : ($reply, 'ok');

    return ["another proof: $proof"]
        if $proof ne ($settles ? $word eq 'bury' ? 't' : 'a' : $word)
            . substr pack('H*', $TOKEN{$token}), 0, 8;

    # the state of the limits, which is for another test
    pop @said if ref $said[-1];

    return ['ok'] if $said[0] =~ /\A(?:won|ok)\z/;
    return found($name, $said[1], $verb, $args[0], $policy)
        if $said[0] eq 'found';
    return \@said;
}


sub found {
    my ($name, $value, $verb, $fp, $policy) = @_;

    return ['stale'] if !defined $value;

    my $record = Segments::Value::decode($value, $name)
        or return ['unreadable'];

    return ['stale'] if $verb !~ /claim|limited|set/;
    return ['mismatch'] if $record->{fp} ne $FP{$fp};
    return ['tombstone', $record->{status}] if $record->{state} eq 'tombstone';
    return ['replay', @$record{qw(status headers body)}]
        if $record->{state} eq 'answered';
    return ['held'] if $record->{state} eq 'unknown' && $policy eq 'hold';
    return ['more'];
}


# what happens to a record without a command
sub fate {
    my ($name, $key, $what) = @_;

    if ($what eq 'EXPIRED') {
        $redis->command('DEL', $name);
        return undef;
    }

    if ($what eq 'NO EXPIRY') {
        $redis->command('PERSIST', $name);
        return { %$key, expires => undef };
    }

    my $left = $what eq 'NEAR EXPIRY' || !$key->{fields}{ttl} ? $NEAR
        : $what eq 'LONG EXPIRY' ? $key->{fields}{ttl} + 1_000_000
        : $key->{fields}{ttl} - $key->{fields}{lease} - 1000;

    $redis->command('PEXPIRE', $name, $left);
    return { %$key, expires => $left };
}


sub compare_verdict {
    my ($verdict, $real) = @_;

    my @model = @$verdict;
    my @script = @$real;

    # the model's clock stands still
    if ($model[0] eq 'in_progress' && $script[0] eq 'in_progress') {
        my ($left, $real) = ($model[1], $script[1]);
        return undef if $real > 0 && about($left, $real);
    }

    return undef if "@model" eq "@script" && @model == @script;
    return "verdict: model '@model', script '@script'";
}


sub compare_key {
    my ($name, $key, $value, $left) = @_;

    my %real = defined $value
        ? %{Segments::Value::decode($value, $name) // { value => $value }} : ();
    my %model = $key ? %{$key->{fields}} : ();

    delete @real{qw(v items)};
    $model{term} = delete $model{lease} if exists $model{lease};
    $model{fp} = $FP{$model{fp}} if exists $model{fp};
    $model{token} = $TOKEN{$model{token}} if exists $model{token};

    my ($one, $other) = map { text(%$_) } \%model, \%real;

    return "record: model $one, script $other" if $one ne $other;

    my $expires = $key ? $key->{expires} // -1 : -2;

    return undef if $expires < 0 && $left == $expires;
    return undef if $expires > 0 && $left > 0 && about($expires, $left);
    return "expiry: model $expires, script $left";
}


# a clock's millisecond may round the other way
sub about {
    my ($expected, $found) = @_;
    return $found <= $expected + 2 && $found > $expected - $SLACK;
}


sub text {
    my (%fields) = @_;
    return join ',', map { "$_=$fields{$_}" } sort keys %fields;
}


# One by one.

sub words {
    my ($name, @event) = @_;

    my $reply = $redis->command(words_of($name, @event));
    return join ' ', @{meaning($name, $reply, @event)};
}


sub stands {
    my ($name) = @_;
    return $redis->command('GET', $name) // '';
}


sub record {
    my ($name) = @_;
    return Segments::Value::decode(stands($name), $name) // {};
}


sub claim {
    my ($name, $token, %other) = @_;

    return words($name, 'claim', $token, $other{fp} // 'fp',
                 $other{lease} // 60_000, $other{ttl} // 300_000,
                 $other{policy} // 'retry',
                 $other{channel} // ());
}


sub change {
    my ($name, $change) = @_;

    local $_ = stands($name);
    $change->();
    $redis->command('SET', $name, $_, 'KEEPTTL');
}


sub is_left {
    my ($name, $expected, $what) = @_;

    my $left = $redis->command('PTTL', $name);
    ok($left > 0 && about($expected, $left), $what) or diag("left: $left");
}


# what no gateway of this version can use is neither run over nor changed

sub refused {
    my @bad = (['another version', sub { s/^1/2/ }],
               ['another state', sub { substr $_, 1, 1, 'x' }],
               ['a flag', sub { substr $_, 2, 1, "\1" }],
               ['another record', sub { substr $_, 4, 1, 'x' }],
               ['cut', sub { $_ = substr $_, 0, 71 }],
               ['of others', sub { $_ = 'x' }],
               ['empty', sub { $_ = '' }]);

    # what a claim would keep, or go by

    my @claims = (['from nowhere', sub { substr $_, 3, 1, '-' }],
                  ['without a ttl', sub { substr $_, 60, 6, "\0" x 6 }],
                  ['without a lease', sub { substr $_, 66, 6, "\0" x 6 }],
                  ['with half an item', sub { $_ .= "\1\0" }],
                  ['with an item that is cut', sub { $_ .= "\1\0\2x" }]);

    for (@bad, @claims) {
        my ($what, $change) = @$_;
        my $name = "refused:$what";

        my $claims = grep { $_->[0] eq $what } @claims;

        claim($name, 'mine');
        change($name, $change);
        $redis->command('PEXPIRE', $name, $NEAR);

        my $before = stands($name);
        my @commands = $claims ? $COMMANDS[0] : @COMMANDS;
        my @verdicts = map { words($name, @$_) } @commands;

        is(join(', ', @verdicts), join(', ', ('unreadable') x @commands),
           "$what: refused");
        is(stands($name), $before, "$what: left as it is");
        is_left($name, $NEAR, "$what: its expiry is left as it is");
    }

    $redis->command('RPUSH', 'wrong', 'x');
    $redis->command('PEXPIRE', 'wrong', $NEAR);

    for my $command (@COMMANDS) {
        like(words('wrong', @$command), qr/error: .*WRONGTYPE/,
             "$command->[0], no string: an error");
    }

    is_deeply($redis->command('LRANGE', 'wrong', 0, -1), ['x'],
              'no string: left as it is');
}


sub ignored {
    my $later = Segments::Value::item(99, "\0x");

    claim('extra', 'mine');
    change('extra', sub { $_ .= $later });

    like(claim('extra', 'other'), qr/\Ain_progress \d+\z/,
         'an item of a later version: read');
    is(words('extra', 'renew', 'mine', 'fp', 60_000, 300_000), 'ok',
       'an item of a later version: renewed');
    $redis->command('PEXPIRE', 'extra', 200_000);
    is(claim('extra', 'second'), 'ok',
       'an item of a later version: taken over');
    is(record('extra')->{items}, $later, 'an item of a later version: kept');
    is(words('extra', 'complete', 'second', 'fp', 300_000, 201, 'h', 'b'), 'ok',
       'an item of a later version: completed');
    is(record('extra')->{items}, undef, 'an item of a later version: dropped');
}


sub expiry {
    my $name = 'expiry';

    claim($name, 'mine');
    is_left($name, 300_000, 'a claim sets the ttl');

    $redis->command('PEXPIRE', $name, $NEAR);
    words($name, 'renew', 'mine', 'fp', 60_000, 300_000);
    is_left($name, 300_000, 'a renewal sets it anew');

    words($name, 'unknown', 'mine', 300_000, 'fp');
    is_left($name, 300_000, 'an unknown outcome, too');

    claim($name, 'other', ttl => 3_000_000);
    is_left($name, 3_000_000, 'a take-over sets the ttl');

    $redis->command('PEXPIRE', $name, $NEAR);
    words($name, 'give_back', 'other', 300_000, 'fp');
    is(record($name)->{state}, 'unknown', 'a take-over given back');
    is_left($name, 300_000, 'giving back sets it anew');

    claim($name, 'mine');
    words($name, 'complete', 'mine', 'fp', 3_000_000, 201, 'h', 'b');
    is_left($name, 3_000_000, 'a completion sets the ttl');

    words($name, 'complete', 'mine', 'fp', 300_000, 500, 'x', 'y');
    is_left($name, 3_000_000, 'a completion sent again leaves it');
    is(claim($name, 'other'), 'replay 201 h b',
       'a completion sent again changes nothing');

    words('lost', 'complete', 'mine', 'fp', 300_000, 201, 'h', 'b');
    is_left('lost', 300_000, 'a completion after a loss sets the ttl');

    claim('first', 'mine');
    words('first', 'give_back', 'mine', 300_000, 'fp');
    is($redis->command('EXISTS', 'first'), 0, 'a first claim given back');

    claim('never', 'mine', lease => 1);
    $redis->command('PERSIST', 'never');
    is(claim('never', 'other'), 'in_progress 1', 'no expiry: not run out');
    is_left('never', 300_000, 'no expiry: it gets one');

    claim('long', 'mine', lease => 60_000);
    $redis->command('PEXPIRE', 'long', 9_000_000);
    is(claim('long', 'other'), 'in_progress 60000', 'a long one: not run out');
    is_left('long', 300_000, 'a long one: cut');
}


# the only test that lets time pass: one millisecond of Redis' own
sub lease {
    claim('lease', 'mine', lease => 1);

    my $end = Time::HiRes::time() + 10;
    my $verdict;

    do {
        $verdict = claim('lease', 'other');
    } while ($verdict =~ /in_progress/ && Time::HiRes::time() < $end);

    is($verdict, 'ok', 'a lease ends by itself');
    like(claim('lease', 'third'), qr/\Ain_progress (?:60000|59\d\d\d)\z/,
         'what is left of a lease');
}


# Each channel that a claim left is told once, when the owner is done.
sub told {
    my $listener = Segments::RedisServer::Client->new($redis->{path});

    $listener->command('SUBSCRIBE', $_) for qw(one other);

    my %ends = (completed => ['complete', 'mine', 'fp', 300_000, 201, '', ''],
                buried    => ['bury', 'mine', 'fp', 300_000, 201],
                'given back' => ['give_back', 'mine', 300_000, 'fp'],
                unknown   => ['unknown', 'mine', 300_000, 'fp']);

    for my $how (sort keys %ends) {
        my $name = "told:$how";

        claim($name, 'mine');
        claim($name, 'second', channel => 'one');
        claim($name, 'third', channel => 'one');
        claim($name, 'fourth', channel => 'other');
        claim($name, 'fifth', channel => 'one', fp => 'another');

        is(record($name)->{awaited}, '{one}{other}', "$how: awaited");

        words($name, 'give_back', 'second', 300_000, 'fp');
        ok(record($name)->{awaited}, "$how: not by another's command");

        words($name, @{$ends{$how}});
        ok(!record($name)->{awaited}, "$how: not awaited any more");
        words($name, @{$ends{$how}});

        is_deeply([map { $listener->reply() } 1, 2],
                  [map { ['message', $_, $name] } qw(one other)],
                  "$how: told");
    }

    # who takes over is awaited by the same

    claim('over', 'mine');
    claim('over', 'second', channel => 'one');
    $redis->command('PEXPIRE', 'over', 200_000);
    is(claim('over', 'third', channel => 'other'), 'ok', 'taken over');
    words('over', 'complete', 'third', 'fp', 300_000, 201, '', '');
    is_deeply($listener->reply(), ['message', 'one', 'over'],
              'taken over: told');

    # as many as one record can hold

    claim('many', 'mine');

    for my $n (1 .. 100) {
        claim('many', 'second', channel => sprintf '%098d', $n);
    }

    is(length record('many')->{items}, 40 * 101, 'no endless list of channels');

    # nothing else depends on it

    $redis->command('ACL', 'SETUSER', 'deaf', 'on', 'nopass', '~*', '+@all',
                    '-publish', 'resetchannels');
    my $deaf = Segments::RedisServer::Client->new($redis->{path});
    $deaf->command('AUTH', 'deaf', '');

    claim('deaf', 'mine');
    claim('deaf', 'second', channel => 'one');
    my @end = ('complete', 'mine', 'fp', 300_000, 201, '', '');
    is_deeply(meaning('deaf', $deaf->command(words_of('deaf', @end)), @end),
              ['ok'], 'completed without the right to publish');

    $redis->command('PUBLISH', 'one', 'end');
    is_deeply($listener->reply(), ['message', 'one', 'end'],
              'nobody was told anything else');
}


sub bytes {
    my $headers = join '', map { chr } 0 .. 255;
    my $body = "\r\n\0*1\$" . $headers x 250;

    claim('bytes', 'mine');
    words('bytes', 'complete', 'mine', 'fp', 300_000, 201, $headers, $body);

    is(claim('bytes', 'other', policy => 'hold'), "replay 201 $headers $body",
       'an answer of any bytes');
}


# A user who may do only a part of what a command needs changes nothing: each
# right is left out in turn, of each command, in each state of the record, with
# limits and without.
sub rights {
    my @rights = qw(get set del pexpire pttl time);
    my %without = map { $_ => half_user($_) } @rights;

    my $spend = $redis->command('SCRIPT', 'LOAD', join '',
        map { slurp(source("$_.lua")) } qw(limit spend));

    my @limits = ('spend', (1, 3_600_000_000, 10) x 2);
    my %before = (
        none     => sub { },
        claimed  => sub { claim(@_, 'mine') },
        over     => sub { claim(@_, 'other');
                          $redis->command('PEXPIRE', @_, 200_000) },
        unknown  => sub { claim(@_, 'other');
                          words(@_, 'unknown', 'other', 300_000, 'fp') },
    );
    my (@wrong, %denied);

    for my $right (@rights) {
        for my $state (sort keys %before) {
            for my $command (@COMMANDS, ['claim', 'limits'], ['spend']) {
                my $name = 'half';
                my @keys = ($name, 'half-limit', 'half-limit2');

                next if "@$command" eq 'spend' && $state ne 'none';

                $redis->command('DEL', @keys);
                $before{$state}->($name);

                my @words = words_of($name, @{$COMMANDS[0]});

                @words = "@$command" eq 'claim limits'
                    ? ('EVALSHA', $sha{limited}, 3, @keys, @words[4 .. $#words],
                       @limits)
                    : "@$command" eq 'spend'
                    ? ('EVALSHA', $spend, 3, @keys, 'spend', 'mine', 1000,
                       @limits)
                    : words_of($name, @$command);

                my $stood = standing(@keys);
                my $said = $without{$right}->command(@words);

                next if !ref $said || ref $said eq 'ARRAY';

                my $what = "$right, $state, @$command";

                $denied{$right}++;
                push @wrong, "$what: $said" if standing(@keys) ne $stood;
                push @wrong, "$what: $said" if $said !~ /permission|can't/;
            }
        }
    }

    is_deeply(\@wrong, [], 'all or nothing, without any of its rights');
    is(join(' ', grep { $denied{$_} } @rights), "@rights",
       'each right was needed');

    $redis->command('DEL', 'half', 'half-limit', 'half-limit2');
}


sub half_user {
    my ($right) = @_;

    $redis->command('ACL', 'SETUSER', "without-$right", 'on', 'nopass', '~*',
                    '&*', '+@all', "-$right");
    my $client = Segments::RedisServer::Client->new($redis->{path});
    $client->command('AUTH', "without-$right", '');

    return $client;
}


# what these keys hold, and for how long: what is left is not compared to the
# millisecond
sub standing {
    return join '; ', map {
        my $left = $redis->command('PTTL', $_);

        join ' ', $_, $left < 0 ? $left : int(($left + 5000) / 10_000),
            stands($_);
    } @_;
}
