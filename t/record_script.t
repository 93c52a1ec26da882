#!/usr/bin/perl

# The script in a real Redis against the model: the same commands, the same
# verdicts, the same record.  Time does not pass by waiting: a lease is set to
# the past, an expiry is brought near, a key is deleted, in both.
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


my $SEED = $ENV{SEED} // 1;
my $ROUNDS = $ENV{ROUNDS} // 4000;
my $EVENTS = 14;

# any; leases of the model are counted from here
my $NOW = 1_000_000_000_000;

# milliseconds that may pass between a command and its check; the values below
# differ by more
my $SLACK = 30_000;

my @LEASES = (60_000, 600_000);
my @TTLS = (300_000, 3_000_000);
my $NEAR = 120_000;

# what may stand in a field and must not be believed
my %ODD = (v => ['', '0', '2', '1.0', 'x'],
           state => ['', 'done', 'CLAIMED'],
           fp => [undef],
           since => [undef, '', 'x', '-1', '1e3', '1' x 16],
           token => [undef],
           lease => [undef, '', 'soon', '-1', '1.5', '1e3', '0x10', 'nan',
                     'inf', ' 1', "1\n", '1' x 16],
           from => [undef, '', 'claimed'],
           status => [undef, '', '20', '2000', 'abc'],
           headers => [undef],
           body => [undef]);

# every verb
my @COMMANDS = (['claim', 'other', 'fp', 60_000, 300_000, 'retry'],
                ['claim', 'other', 'another', 60_000, 300_000, 'retry'],
                ['renew', 'mine', 60_000],
                ['complete', 'mine', 'fp', 300_000, 201, 'h', 'b'],
                ['bury', 'mine', 'fp', 300_000, 201],
                ['give_back', 'mine'],
                ['unknown', 'mine']);

my $redis = Segments::Redis->new();
my $sha = $redis->command('SCRIPT', 'LOAD', script());

sequences();
refused();
ignored();
durations();
expiry();
lease();
told();
bytes();
halves();

for my $key (@{$redis->command('KEYS', '*')}) {
    my $left = $redis->command('PTTL', $key);
    fail("expiry of $key: $left") if $left < 1;
}

done_testing();


sub script {
    return join '', map { slurp(source("$_.lua")) }
        qw(limit record);
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

            push @history, join ' ', map { $_ // '(removed)' } @$event;
            ($key, $wrong) = play("round:$round", $key, $event, \%seen);

            next if !$wrong;

            fail("the script follows the model, SEED=$SEED, round $round");
            diag(join "\n", @history, $wrong);
            return;
        }
    }

    pass("the script follows the model: $ROUNDS sequences of $EVENTS events");

    is(join(' ', grep { ($seen{$_} // 0) < 20 } expected()), '',
       'every verdict was seen often');
}


sub expected {
    my @settling = map { my $verb = $_; map { "$verb:$_" }
                         qw(ok stale unreadable) }
                   qw(renew complete bury give_back unknown);

    my @found = qw(ok replay tombstone in_progress mismatch held unreadable);

    return (@settling, map({ "claim:$_" } @found),
            map { "limited:$_" } @found, 'limited');
}


sub any {
    return $_[rand @_];
}


sub random_event {
    my ($key) = @_;

    my $dice = rand;

    if ($key && $dice < 0.15) {
        my $field = any(keys %ODD);

        return ['LEASE OVER'] if $dice < 0.08;
        return ['NEAR EXPIRY'] if $dice < 0.10;
        return ['EXPIRED'] if $dice < 0.12;
        return ['EXTRA FIELD'] if $dice < 0.13;
        return ['LONG AGO'] if $dice < 0.135;
        return ['ODD FIELD', $field, any(@{$ODD{$field}})];
    }

    my $token = any('token-1', 'token-1', 'token-2', 'token-3');
    my $fp = any('body-1', 'body-1', 'body-1', 'body-2');
    my ($lease, $ttl) = (any(@LEASES), any(@TTLS));

    return [any('claim', 'claim', 'claim', 'limited'), $token, $fp, $lease,
            $ttl, any('retry', 'hold'),
            any([], ['channel-1'], ['channel-2'])->@*]
        if $dice < 0.55;
    return ['renew', $token, $lease] if $dice < 0.65;
    return ['complete', $token, $fp, $ttl, any(201, 404), "a: b\r\n", 'answer']
        if $dice < 0.73;
    return ['bury', $token, $fp, $ttl, 201] if $dice < 0.80;
    return ['give_back', $token] if $dice < 0.90;
    return ['unknown', $token];
}


# one event in both worlds: the model's key, and what differs
sub play {
    my ($name, $key, $event, $seen) = @_;

    if ($event->[0] =~ /[A-Z]/) {
        $key = fate($name, $key, @$event);
        return $key, compare_key($key, $redis->pipeline(
                                     ['HGETALL', $name], ['PTTL', $name]));
    }

    my ($verdict, $after)
        = Segments::RecordModel::apply($key, $event, $NOW);

    my @words = words_of($name, @$event);
    my ($reply, $fields, $left) = $redis->pipeline(['EVALSHA', $sha, @words],
        ['HGETALL', $name], ['PTTL', $name]);

    $reply = proven($reply, @words[1 + $words[0] .. $#words]);

    $seen->{"$event->[0]:$verdict->[0]"}++;

    # the state of the limits, which is for another test
    pop @$reply if ref $reply && ref $reply->[-1];

    return $after, compare_verdict($verdict, $reply)
                   // compare_key($after, $fields, $left);
}


# the reply behind its proof, which is that of these arguments
sub proven {
    my ($reply, $verb, $token) = @_;

    return $reply if ref $reply ne 'ARRAY';

    my $proof = shift @$reply;
    return $proof eq $verb . substr($token, 0, 8) ? $reply
                                                  : ["another proof: $proof"];
}


# keys and arguments; "full" is the key of a limit of which nothing is left
sub words_of {
    my ($name, $verb, @args) = @_;

    return (1, $name, $verb, @args) if $verb ne 'limited';
    return (2, $name, 'full', 'claim', @args, 'spend', 1, 3_600_000_000, 1);
}


# what happens to a record without a command
sub fate {
    my ($name, $key, $what, $field, $value) = @_;

    if ($what eq 'EXPIRED') {
        $redis->command('DEL', $name);
        return undef;
    }

    if ($what eq 'NEAR EXPIRY') {
        $redis->command('PEXPIRE', $name, $NEAR);
        return { %$key, expires => $NEAR };
    }

    ($field, $value) = ('lease', 1) if $what eq 'LEASE OVER';
    ($field, $value) = ('since', 1) if $what eq 'LONG AGO';
    ($field, $value) = ('later', 'x') if $what eq 'EXTRA FIELD';

    # these would be an odd field where the record has none
    return $key if $what ne 'EXTRA FIELD' && !exists $key->{fields}{$field};

    $redis->command(defined $value ? ('HSET', $name, $field, $value)
                                   : ('HDEL', $name, $field));

    return Segments::RecordModel::changed($key, { $field => $value },
                                          $key->{expires});
}


sub compare_verdict {
    my ($verdict, $reply) = @_;

    my @model = @$verdict;
    my @script = ref $reply eq 'ARRAY' ? @$reply : ("error: $reply");

    # the model's clock stands still
    if ($model[0] eq 'in_progress' && $script[0] eq 'in_progress') {
        my ($left, $real) = ($model[1], $script[1]);
        return undef if $real > 0 && about($left, $real);
    }

    return undef if "@model" eq "@script" && @model == @script;
    return "verdict: model '@model', script '@script'";
}


sub compare_key {
    my ($key, $list, $left) = @_;

    my %real = @$list;
    my %model = $key ? %{$key->{fields}} : ();
    my $now = int(Time::HiRes::time() * 1000);

    for my $field ('since', 'lease') {
        my ($time, $stands) = ($model{$field}, $real{$field});

        next if ($time // '') !~ /\A[0-9]{13}\z/;
        next if ($stands // '') !~ /\A[0-9]{13}\z/;

        $real{$field} = $time if about($time - $NOW, $stands - $now);
    }

    my ($one, $other) = map { text(%$_) } \%model, \%real;

    return "record: model $one, script $other" if $one ne $other;

    return undef if !$key && $left == -2;
    return undef if $key && $left > 0 && about($key->{expires}, $left);
    return "expiry: model " . ($key ? $key->{expires} : -2) . ", script $left";
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

sub run {
    my ($name, @args) = @_;
    return proven($redis->command('EVALSHA', $sha, 1, $name, @args), @args);
}


sub words {
    my $reply = run(@_);
    return ref $reply eq 'ARRAY' ? "@$reply" : "error: $reply";
}


sub stands {
    my ($name) = @_;
    return text(@{$redis->command('HGETALL', $name)});
}


sub claim {
    my ($name, $token, %other) = @_;

    return words($name, 'claim', $token, $other{fp} // 'fp',
                 $other{lease} // 60_000, $other{ttl} // 300_000,
                 $other{policy} // 'retry',
                 $other{channel} // ());
}


sub is_left {
    my ($name, $expected, $what) = @_;

    my $left = $redis->command('PTTL', $name);
    ok($left > 0 && about($expected, $left), $what) or diag("left: $left");
}


sub refused {
    my @bad = (['an unknown version', 'v', ['HSET', 'v', 2]],
               ['no version', 'v', ['HDEL', 'v']],
               ['an unknown state', 'state', ['HSET', 'state', 'done']],
               ['a claim without a lease', 'lease', ['HDEL', 'lease']],
               ['a lease that is no number', 'lease', ['HSET', 'lease', 'x']],
               ['a claim without an owner', 'token', ['HDEL', 'token']],
               ['no fingerprint', 'fp', ['HDEL', 'fp']]);

    for (@bad) {
        my ($what, $field, $change) = @$_;
        my ($verb, @args) = @$change;
        my $name = "refused:$what";

        claim($name, 'mine');
        $redis->command($verb, $name, @args);
        $redis->command('PEXPIRE', $name, $NEAR);

        my $before = stands($name);
        my @verdicts = map { words($name, @$_) } @COMMANDS;

        is(join(', ', @verdicts),
           join(', ', ("unreadable $field") x @COMMANDS), "$what: refused");
        is(stands($name), $before, "$what: left as it is");
        is_left($name, $NEAR, "$what: its expiry is left as it is");
    }

    $redis->command('HSET', 'foreign', 'x', 'y');
    is(claim('foreign', 'mine'), 'unreadable v', 'a hash of others: refused');
    $redis->command('DEL', 'foreign');

    $redis->command('SET', 'wrong', 'x', 'PX', $NEAR);
    like(claim('wrong', 'mine'), qr/error: .*WRONGTYPE/, 'no hash: an error');
    is($redis->command('GET', 'wrong'), 'x', 'no hash: left as it is');

    like(words('none', 'steal', 'mine'), qr/error: /, 'an unknown verb');
}


sub ignored {
    claim('extra', 'mine');
    $redis->command('HSET', 'extra', 'later', 'x');

    is(claim('extra', 'other', lease => 60_000) =~ /\Ain_progress \d+\z/, 1,
       'a field of a later version: read');
    is(words('extra', 'complete', 'mine', 'fp', 300_000, 201, 'h', 'b'), 'ok',
       'a field of a later version: completed');
    like(stands('extra'), qr/\blater=x\b/,
         'a field of a later version: kept');
}


# an error must not leave half a change, least of all a key without an expiry
sub durations {
    for my $bad ('', '0', '-1', '1.5', '1e3', 'x', '9' x 16) {
        like(claim('durations', 'mine', ttl => $bad), qr/error: /,
             "ttl '$bad': an error");
        like(claim('durations', 'mine', lease => $bad), qr/error: /,
             "lease '$bad': an error");
        like(words('durations', 'bury', 'mine', 'fp', $bad, 201), qr/error: /,
             "ttl '$bad' of an answer: an error");
    }

    is($redis->command('EXISTS', 'durations'), 0, 'nothing was written');
}


sub expiry {
    my $name = 'expiry';

    claim($name, 'mine');
    is_left($name, 300_000, 'a claim sets the ttl');

    words($name, 'renew', 'mine', 600_000);
    is_left($name, 600_000, 'a renewal raises it to a lease');

    words($name, 'renew', 'mine', 60_000);
    is_left($name, 600_000, 'a renewal does not lower it');

    words($name, 'unknown', 'mine');
    is_left($name, 600_000, 'an unknown outcome leaves it');

    claim($name, 'other', ttl => 3_000_000);
    is_left($name, 3_000_000, 'a take-over sets the ttl');

    $redis->command('PEXPIRE', $name, $NEAR);
    words($name, 'give_back', 'other');
    like(stands($name), qr/\bstate=unknown\b/, 'a take-over given back');
    is_left($name, $NEAR, 'giving back leaves it');

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
    words('first', 'give_back', 'mine');
    is($redis->command('EXISTS', 'first'), 0, 'a first claim given back');
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
                'given back' => ['give_back', 'mine'],
                unknown   => ['unknown', 'mine']);

    for my $how (sort keys %ends) {
        my $name = "told:$how";

        claim($name, 'mine');
        claim($name, 'second', channel => 'one');
        claim($name, 'third', channel => 'one');
        claim($name, 'fourth', channel => 'other');
        claim($name, 'fifth', channel => 'one', fp => 'another');

        like(stands($name), qr/\bawaited=\{one\}\{other\}/, "$how: awaited");

        words($name, 'give_back', 'second');
        like(stands($name), qr/\bawaited=/, "$how: not by another's command");

        words($name, @{$ends{$how}});
        unlike(stands($name), qr/\bawaited=/, "$how: not awaited any more");
        words($name, @{$ends{$how}});

        is_deeply([map { $listener->reply() } 1, 2],
                  [map { ['message', $_, $name] } qw(one other)],
                  "$how: told");
    }

    # who takes over is awaited by the same

    claim('over', 'mine', lease => 1);
    claim('over', 'second', channel => 'one', policy => 'hold');
    $redis->command('HSET', 'over', 'lease', 1,
                    'awaited', '{one}');
    is(claim('over', 'third', channel => 'other'), 'ok', 'taken over');
    words('over', 'complete', 'third', 'fp', 300_000, 201, '', '');
    is_deeply($listener->reply(), ['message', 'one', 'over'],
              'taken over: told');

    # as many as one record can hold

    claim('many', 'mine');

    for my $n (1 .. 100) {
        claim('many', 'second', channel => sprintf '%098d', $n);
    }

    is(length $redis->command('HGET', 'many', 'awaited'), 40 * 100,
       'no endless list of channels');

    # nothing else depends on it

    $redis->command('ACL', 'SETUSER', 'deaf', 'on', 'nopass', '~*', '+@all',
                    '-publish', 'resetchannels');
    my $deaf = Segments::RedisServer::Client->new($redis->{path});
    $deaf->command('AUTH', 'deaf', '');

    claim('deaf', 'mine');
    claim('deaf', 'second', channel => 'one');
    is_deeply($deaf->command('EVALSHA', $sha, 1, 'deaf', 'complete', 'mine',
                             'fp', 300_000, 201, '', ''),
              ['completemine', 'ok'],
              'completed without the right to publish');

    $redis->command('PUBLISH', 'one', 'end');
    is_deeply($listener->reply(), ['message', 'one', 'end'],
              'nobody was told anything else');
}


sub bytes {
    my $headers = join '', map { chr } 0 .. 255;
    my $body = "\r\n\0*1\$" . $headers x 250;

    claim('bytes', 'mine');
    run('bytes', 'complete', 'mine', 'fp', 300_000, 201, $headers, $body);

    my $reply = run('bytes', 'claim', 'other', 'fp', 60_000, 300_000, 'hold');

    ok($reply->[2] eq $headers && $reply->[3] eq $body,
       'an answer of any bytes');
}


# A user who may do only a part of what a command needs changes nothing: each
# right is left out in turn, of each command, in each state of the record, with
# limits and without.
sub halves {
    my @rights = qw(hset hdel pexpire set del);
    my %without = map { $_ => half_user($_) } @rights;
    my $old = script();

    # as on a server that cannot be asked, which can only clean up behind itself

    $old =~ s/local can = redis\.acl_check_cmd/local can/ or die;
    my $old_sha = $redis->command('SCRIPT', 'LOAD', $old);

    my $spend = $redis->command('SCRIPT', 'LOAD', join '',
        map { slurp(source("$_.lua")) } qw(limit spend));

    my @limits = ('spend', (1, 3_600_000_000, 10) x 2);
    my %before = (
        none     => sub { },
        claimed  => sub { claim(@_, 'mine') },
        over     => sub { claim(@_, 'other', lease => 1);
                          $redis->command('HSET', @_, 'lease', 1) },
        unknown  => sub { claim(@_, 'other');
                          words(@_, 'unknown', 'other') },
    );
    my (@wrong, %denied);

    for my $right (@rights) {
        for my $state (sort keys %before) {
            for my $command (@COMMANDS, ['claim', 'limits'], ['spend']) {
                my $name = 'half';
                my @keys = ($name, 'half-limit', 'half-limit2');

                $redis->command('DEL', @keys);
                $before{$state}->($name);
                $redis->command('PEXPIRE', $name, $NEAR);

                my @words = "@$command" eq 'claim limits'
                    ? ($sha, 3, @keys, @{$COMMANDS[0]}, @limits)
                    : "@$command" eq 'spend'
                    ? ($spend, 3, @keys, 'spend', 'mine', 1000, @limits)
                    : ($sha, 1, $name, @$command);
                my $what = "$right, $state, @$command";

                next if "@$command" eq 'spend' && $state ne 'none';

                my $stood = standing(@keys);
                my $said = $without{$right}->command('EVALSHA', @words);

                if (ref $said ne 'ARRAY') {
                    $denied{$right}++;
                    push @wrong, "$what: $said" if standing(@keys) ne $stood;
                    push @wrong, "$what: $said" if $said !~ /permission|can't/;
                }

                next if $words[0] ne $sha;

                $without{$right}->command('EVALSHA', $old_sha,
                    @words[1 .. $#words]);
                push @wrong, "$what, not asked: it stays for ever"
                    if grep { $redis->command('PTTL', $_) == -1 } @keys;
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
        my $type = $redis->command('TYPE', $_);

        join ' ', $_, $type, $left < 0 ? $left : int(($left + 5000) / 10_000),
            $type eq 'hash' ? stands($_) : $type eq 'string'
            ? $redis->command('GET', $_) : '';
    } @_;
}
