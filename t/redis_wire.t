#!/usr/bin/perl

# What Redis says in whatever pieces, and what no Redis should say.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;


my %set = (
    segments_redis_timeout         => slow_ms(2000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_wait      => 'off',
    segments_idempotency_lease     => '300s',
);

my $upstream = upstream();

sub gateway {
    my ($fake, %more) = @_;

    return nginx(upstream => $upstream, redis => $fake,
        set => { %set, %more });
}


# byte by byte, the greeting, too

my $fake = fake_redis(
    [EXPECT => 'PING'],
    [DRIBBLE => '+PONG'],
    says(claim => 'a'),
    [DRIBBLE => ['replay', '200', "Content-Type: text/plain\nETag: \"1\"\n",
        "one\r\ntwo\n"]],
    says(claim => 'b'),
    [DRIBBLE => ['in_progress', ':61001']],
);
my $gateway = gateway($fake);
my $answer = $gateway->create(key => 'a');

is($answer->summary, '200 replayed marked', 'byte by byte');
is($answer->body, "one\r\ntwo\n", 'byte by byte, body');
is($answer->header('Content-Type'), 'text/plain', 'byte by byte, type');
is($answer->header('ETag'), '"1"', 'byte by byte, a field');
is($gateway->create(key => 'b')->summary,
    '409 in-progress idempotency_in_progress', 'byte by byte, a lease');
ok($fake->played, 'byte by byte, dialogue');

$fake = fake_redis(
    hello,
    [EXPECT => 'EVALSHA', '...'],
    [DRIBBLE => ['limited', ['refused', ':0', ':61001']]],
);
$gateway = gateway($fake, segments_rate_limit => 'rate=1r/d');

is($gateway->create(key => 'c')->header('Retry-After'), 61001,
    'byte by byte, a number');
ok($fake->played, 'byte by byte, dialogue of a limit');


# several replies in one packet, or cut between any two bytes, or larger than
# a read

my @keys = map { "key$_" } 1 .. 5;
my $large = join '', map { "$_\r\n" } 1 .. 20_000;
my @replies = (['replay', '200', '', 'first'], ['mismatch'],
    ['replay', '201', '', $large], ['in_progress', ':1'],
    ['tombstone', '201']);

for my $cut (undef, 1, 6, 9, 20, 33, 47, 60, 80, 120, 16_384, 149_000) {
    my @said;
    my $name = $cut ? "cut after $cut" : 'at once';

    $fake = fake_redis(
        hello,
        (map { says(claim => $_) } @keys),
        $cut ? ([BEGIN => $cut, @replies], [WAIT => 'rest'], ['REST'])
             : [SEND => @replies],
    );
    $gateway = gateway($fake);

    my @clients = map { $gateway->connect } @keys;

    for my $i (0 .. $#keys) {
        $clients[$i]->send_request($gateway->create_request(
            key => $keys[$i]));
        $fake->wait_step(4 + $i);
    }

    $fake->go('rest');

    push @said, $_->read_response for @clients;
    is_deeply([map { $_ ? $_->status : 'none' } @said],
        [200, 422, 201, 409, 409], $name);
    is($said[0]->body, 'first', "$name, first body");
    ok($said[2]->body eq $large, "$name, large body");
    ok($fake->played, "$name, dialogue");
}


# What cannot be read may stand for a record: refused, not run, and the
# connection can be used.

my %ODD = (
    'nothing but a proof'   => [],
    'another word'          => ['okay'],
    'a word in upper case'  => ['OK'],
    'a longer word'         => ["ok\0"],
    'a status as the word'  => ['+ok'],
    'a null as the word'    => [undef],
    'a number as the word'  => [':1'],
    'an array as the word'  => [['ok']],
    'too many elements'     => ['ok', 'ok'],
    'too few elements'      => ['found'],
    'nothing found'         => ['found', undef],
    'a number found'        => ['found', ':1'],
    'no record found'       => ['found', 'x'],
    'nothing at all found'  => ['found', ''],
    'half a record found'   => ['found', "1a\0-12345678"],
    'a status out of range' => ['replay', '999', '', ''],
    'an interim status'     => ['replay', '100', '', ''],
    'headers without an end' => ['replay', '201', 'ETag: 1', ''],
    'headers with a CR'     => ['replay', '201', "ETag: 1\r\nX: 1\n", ''],
    'no number'             => ['in_progress', 'soon'],
    'a number in a string'  => ['in_progress', '5000'],
    'a number of 0'         => ['in_progress', ':0'],
    'a negative number'     => ['in_progress', ':-1'],
    'a word of changes'     => ['stale'],
    'an unreadable record'  => ['unreadable', 'v'],
    'an unreadable record, and no word' => ['unreadable', ':1'],
    'a limit\'s refusal'    => ['limited'],
    'a refusal by a limit that there is not' =>
                               ['limited', ['refused', ':0', ':1']],
);

my @odd = sort keys %ODD;

for my $failure (qw(reject pass)) {
    $fake = fake_redis(
        hello,
        map { (says('claim', 'odd'), [SEND => $ODD{$_}]) } @odd,
    );
    $gateway = gateway($fake, segments_redis_failure => $failure);

    is(envelope($gateway->create(key => 'odd')), '503 internal/storage_error',
        "$failure, $_") for @odd;
    ok($fake->played, "$failure, one connection and no other command");
}


# the same of a limit

my %ODD_LIMITS = (
    'nothing behind a refusal' => ['limited'],
    'no limit'               => ['ok', ['spent']],
    'an empty array'         => ['ok', []],
    'half of a limit'        => ['ok', ['spent', ':1']],
    'nine limits'            => ['ok', ['spent', (':1', ':0') x 9]],
    'another word'           => ['ok', ['lost', ':1', ':0']],
    'a number as the word'   => ['ok', [':1', ':1', ':0']],
    'a negative number'      => ['ok', ['spent', ':-1', ':0']],
    'a number of 16 digits'  => ['ok', ['spent', ':1', ':1000000000000000']],
    'a number in a string'   => ['ok', ['spent', '1', ':0']],
    'a refusal that is none' => ['limited', ['spent', ':0', ':1']],
    'a refusal by none'      => ['limited', ['refused', ':1', ':1']],
    'a refusal by two'       => ['limited', ['refused', (':0', ':1') x 2]],
    'a refusal for no time'  => ['limited', ['refused', ':0', ':0']],
);

my @odd_limits = sort keys %ODD_LIMITS;

$fake = fake_redis(
    hello,
    (map { ([EXPECT => 'EVALSHA', qr/./, 2, qr/:odd\}:create\z/, qr/:limit:/,
        'claim', '...'], [SEND => $ODD_LIMITS{$_}]) } @odd_limits),
);
$gateway = gateway($fake, segments_rate_limit => 'rate=1r/m');

is(envelope($gateway->create(key => 'odd')), '503 internal/storage_error',
    "limits, $_") for @odd_limits;
ok($fake->played, 'limits, one connection and no other command');


# a refusal is a refusal, and the log has what Redis says, without what may be
# an argument of ours

my %ERRORS = map { $_ => ["$_ what else it says"] }
    qw(ERR OOM LOADING READONLY NOAUTH NOPERM MISCONF BUSY MASTERDOWN
       CLUSTERDOWN EXECABORT);

$ERRORS{'an empty error'} = [''];
$ERRORS{'an odd error'} = ["\x01\xff%s%n", '*'];
$ERRORS{MOVED} = ['MOVED 7 10.0.0.1:6379', 'MOVED * *'];
$ERRORS{ASK} = ['ASK 7 10.0.0.1:6379', 'ASK * *'];
$ERRORS{TRYAGAIN} = ['TRYAGAIN Multiple keys request during rehashing of slot'];
$ERRORS{'in a script'} = ['ERR ACL failure in script: User gateway has no '
    . "permissions to run the 'pexpire' command script: 3c5a, on "
    . '@user_script:12.', 'ERR ACL failure in script: User gateway has no '
    . "permissions to run the 'pexpire' command script: * on *"];
$ERRORS{'a long one'} = ['ERR' . ' word' x 40, 'ERR' . ' word' x 23];
$ERRORS{'a long word'} = ['ERR ' . 'word' x 10 . ' there', 'ERR * there'];
$ERRORS{'arguments'} = ["ERR unknown command 'EVALSHA', with args beginning "
    . "with: 'Premium' 'users'", "ERR unknown command 'EVALSHA',"];
$ERRORS{'a text in quotes'} = ['ERR no "Premium users" here', 'ERR no'];
$ERRORS{'a key'} = [sub { my %bound = @_; "ERR no $bound{key} here" },
    'ERR no * here'];
$ERRORS{'a token'} = [sub { my %bound = @_;
    "ERR no '" . unpack('H*', $bound{token}) . "'" },
    'ERR no *'];

for my $name (sort keys %ERRORS) {
    my ($said, $shown) = @{ $ERRORS{$name} };

    $shown //= $said;
    $fake = fake_redis(
        hello,
        [EXPECT => 'EVALSHA', qr/./, 1, bind_word('key'), 'claim',
            bind_word('token'), '...'],
        [SEND => sub { '-' . (ref $said ? $said->(@_) : $said) }],
        says(claim => 'f'),
        [SEND => ['mismatch']],
    );
    $gateway = gateway($fake);

    is(envelope($gateway->create(key => 'e')), '503 internal/storage_error',
        $name);
    is($gateway->create(key => 'f')->status, 422, "$name, the next");
    ok($fake->played, "$name, on the same connection");

    my $log = $gateway->error_log;

    like($log, qr/\[error\] .* refused a record command with "\Q$shown\E"$/m,
        "$name, log");
}


# garbage, and ends in the middle: another connection, the same command

my @BROKEN = (
    [garbage            => [GARBAGE => "\x00\xff no Redis\r\n"]],
    ['HTTP'             => [GARBAGE => "HTTP/1.1 400 Bad Request\r\n\r\n"]],
    ['a bad length'     => [SEND => \"\$-5\r\n"]],
    ['no length'        => [SEND => \"\$x\r\n"]],
    ['too deep'         => [SEND => \("*1\r\n" x 100)]],
    ['half a reply'     => [SEND => \"*1\r\n\$2\r\no"], ['CLOSE']],
    ['half a number'    => [SEND => \"*2\r\n\$11\r\nin_progress\r\n:50"],
                           ['RESET']],
    ['half a string'    => [SEND => \"\$100\r\nok"], ['CLOSE']],
    ['a huge string'    => [SEND => \"*1\r\n\$2000000000\r\nok"]],
);

for my $row (@BROKEN) {
    my ($name, @steps) = @$row;

    push @steps, ['CLOSED'] if @steps == 1;

    $fake = fake_redis(
        hello,
        says(claim => 'g', bind_word('token')),
        @steps,
        hello('second'),
        says(claim => 'g', bind_word('token')),
        [SEND => ['mismatch']],
    );
    $gateway = gateway($fake);

    is($gateway->create(key => 'g')->status, 422, $name);
    ok($fake->played, "$name, asked again");
    like($gateway->error_log,
        qr/redis (?:sent an invalid reply|closed the connection)|recv\(\) fail/,
        "$name, log");
    unlike($gateway->error_log, qr/no Redis|Bad Request/,
        "$name, not in the log");
}


# What cannot be the reply to a script: the connection is out of step, and its
# command is sent again, once.

my $claim = sub { my %bound = @_; 'claim' . substr $bound{token}, 0, 8 };

my %STRAY = (
    'a null'            => undef,
    'a number'          => ':1',
    'a status'          => '+OK',
    'a string'          => 'ok',
    'an empty array'    => bare([]),
    'a null array'      => \"*-1\r\n",
    'no proof'          => bare(['ok']),
    'an array first'    => bare([['ok'], 'ok']),
    'another\'s proof'  => bare(['claim00000000', 'ok']),
    'a proof of another command' =>
        sub { bare(['renew' . substr($claim->(@_), 5), 'ok']) },
    'half of a proof'   => sub { bare([substr($claim->(@_), 0, 12), 'ok']) },
    'more than a proof' => sub { bare([$claim->(@_) . '0', 'ok']) },
    'a proof in a status' => sub { bare(['+' . $claim->(@_), 'ok']) },
    'a proof behind'    => sub { bare(['ok', $claim->(@_)]) },
    'a proof alone'     => sub { $claim->(@_) },
);

my $STRAY = qr/redis sent a reply that cannot be to its command/;

for my $name (sort keys %STRAY) {
    my @again = (says(claim => 's', bind_word('token')),
        [SEND => $STRAY{$name}], ['CLOSED']);

    $fake = fake_redis(hello, @again, hello('second'),
        says(claim => 's', bind_word('token')), [SEND => ['mismatch']]);
    $gateway = gateway($fake);

    is($gateway->create(key => 's')->status, 422, $name);
    ok($fake->played, "$name, sent again");
    like($gateway->error_log, $STRAY, "$name, log");

    # but not for ever

    $fake = fake_redis(hello, @again, hello('second'), @again, hello('third'),
        says(give_back => 's', bind_word('token')), [SEND => ['ok']]);
    $gateway = gateway($fake, segments_redis_failure => 'reject');

    is(envelope($gateway->create(key => 's')), '503 internal/storage_error',
        "$name, twice");
    ok($fake->played, "$name, once");
}


# the same of an answer, to which the proof alone says that it was taken

my $taken = sub { my %bound = @_; 'a' . substr $bound{token}, 0, 8 };

my %STRAY_ANSWER = (
    'a status'          => '+OK',
    'a word'            => 'ok',
    'an empty array'    => bare([]),
    'another\'s proof'  => 'a00000000',
    'a claim\'s proof'  => $claim,
    'a tombstone\'s'    => sub { 't' . substr $taken->(@_), 1 },
    'half of a proof'   => sub { substr $taken->(@_), 0, 5 },
    'more than a proof' => sub { $taken->(@_) . '0' },
    'a proof in a status' => sub { '+' . $taken->(@_) },
    'a proof behind'    => sub { bare(['found', $taken->(@_)]) },
);

for my $name (sort keys %STRAY_ANSWER) {
    $fake = fake_redis(hello,
        says(claim => 's', bind_word('token')), [SEND => ['ok']],
        says(complete => 's', bind_word('token')),
        [SEND => $STRAY_ANSWER{$name}], ['CLOSED'],
        hello('second'),
        says(complete => 's', bind_word('token')), [SEND => ['ok']]);
    $gateway = gateway($fake);

    is($gateway->create(key => 's')->summary, '201 recorded', "answer, $name");
    ok($fake->played, "answer, $name, sent again");
    like($gateway->error_log, $STRAY, "answer, $name, log");
}


# each command of the connection is sent again, and only those that were not
# replied to; no reply behind the first that is wrong is believed

@keys = qw(one two three);

$fake = fake_redis(
    hello,
    says(claim => 'one', bind_word('one')),
    says(claim => 'two', bind_word('two')),
    says(claim => 'three', bind_word('three')),
    [SEND => ['mismatch'], sub {
        my %bound = @_;

        return bare(['claim' . substr($bound{three}, 0, 8), 'ok']);
    }, ['ok']],
    ['CLOSED'],
    hello('second'),
    says(claim => 'two', bind_word('two')),
    says(claim => 'three', bind_word('three')),
    [SEND => ['replay', '200', '', 'its own'], ['held']],
);
$gateway = gateway($fake);

my @clients = map { $gateway->connect } @keys;

for my $i (0 .. $#keys) {
    $clients[$i]->send_request($gateway->create_request(key => $keys[$i]));
    $fake->wait_step(4 + $i);
}

my @said = map { $_->read_response } @clients;

is_deeply([map { $_ ? $_->status : 'none' } @said], [422, 200, 504],
    'neighbours');
is($said[1]->body, 'its own', 'neighbours, each its own');
ok($fake->played, 'neighbours, dialogue');


# a command that nobody waits for any more has a place, and a reply of its own;
# given up before a connection would be made beside one that is silent for 1 s

$fake = fake_redis(
    hello,
    says(claim => 'late', bind_word('token')),
    says(give_back => 'late', bind_word('token')),
    [SEND => ['ok']],
    [SEND => sub { my %bound = @_; bare([$claim->(%bound), 'ok']) }],
    ['CLOSED'],
    hello('second'),
    says(give_back => 'late', bind_word('token')),
    [SEND => ['ok']],
);
$gateway = gateway($fake, segments_redis_timeout => '800ms');

is($gateway->create(key => 'late')->status, 503, 'late');
ok($fake->played, 'late, a reply too many');

$fake = fake_redis(
    hello,
    says(claim => 'late', bind_word('token')),
    says(give_back => 'late', bind_word('token')),
    [SEND => '+OK'],
    ['CLOSED'],
    hello('second'),
    says(give_back => 'late', bind_word('token')),
    [SEND => ['ok']],
);
$gateway = gateway($fake, segments_redis_timeout => '800ms');

is($gateway->create(key => 'late')->status, 503, 'abandoned');
ok($fake->played, 'abandoned, a reply that is not its own');


# a reply to nothing: nobody knows what the next ones belong to

$fake = fake_redis(
    hello,
    says(claim => 'n'),
    [SEND => ['mismatch'], bare(['ok'])],
    ['CLOSED'],
    hello('second'),
    says(claim => 'm'),
    [SEND => ['in_progress', ':5000']],
);
$gateway = gateway($fake);

is($gateway->create(key => 'n')->status, 422, 'a reply too many');
$gateway->wait_log(qr/redis sent a reply to no command/);
is($gateway->create(key => 'm')->status, 409, 'another connection');
ok($fake->played, 'dialogue');

is($upstream->count, scalar keys %STRAY_ANSWER, 'only what was won was sent');

done_testing();
