#!/usr/bin/perl

# segments-record and a whole scope: what it lists, as text and as JSON, what it
# purges, and what it leaves.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use MIME::Base64 qw(decode_base64 encode_base64);

use Segments::RecordCommand qw(record record_on_terminal);
use Segments::Seal qw(hidden_key hidden_scope);
use Segments::Test;
use Segments::Value;

# what a pattern would take for its own
my $PREFIX = 'p*[x]?\\^:';

my $HOUR = 3_600_000;
my %ANY = (fp => 'ab' x 32, token => 'cd' x 16);

my $redis = redis_server();

listed();
as_json();
one_as_json();
bounded();
purged();
changed_meanwhile();
on_a_terminal();
rights();
hidden_names();
usage();

done_testing();


sub name { return "$PREFIX\{live:$_[0]:$_[1]}:create" }


# of each kind one in the scope, and what is near it

sub fill {
    my ($scope) = @_;

    my %records = (
        answered  => { state => 'answered', status => 201, body => '{}',
            headers => "A: b\n" },
        tombstone => { state => 'tombstone', status => 201 },
        unknown   => { state => 'unknown' },
        running   => { state => 'claimed', from => 'absent', ttl => $HOUR,
            term => $HOUR },
        abandoned => { state => 'claimed', from => 'absent', ttl => 4 * $HOUR,
            term => $HOUR },
    );

    $redis->cmd('FLUSHALL');

    for my $key (sort keys %records) {
        my $name = name($scope, $key);

        $redis->set_record($name, %ANY, %{ $records{$key} });
        $redis->cmd('PEXPIRE', $name, $HOUR);
    }

    $redis->set_record(name($scope, 'newer'), %ANY, state => 'unknown');
    $redis->set_value(name($scope, 'newer'), sub { s/^1/2/ });
    $redis->cmd('RPUSH', name($scope, 'list'), 'x');

    my @near = (name("${scope}b", 'k'), name("$scope%3Ab", 'k'),
        name($scope, 'k') =~ s/live/sandbox/r, name('z', 'k'),
        name($scope, 'k') =~ s/\Q$PREFIX\E/pZxZ^:/r,
        name($scope, 'k') =~ s/create/limit/r, "$PREFIX\{live:$scope}:create",
        name($scope, '{'), 'x' . name($scope, 'k'));

    $redis->cmd('SET', $_, 'near') for @near;

    return @near;
}


sub scope {
    my ($scope, @words) = @_;

    my %with = ref $words[0] ? %{ shift @words } : ();

    return record(\%with, '--redis', $with{redis} // $redis->url, '--prefix',
        $PREFIX, '--scope', $scope, @words);
}


sub listed {
    for my $scope ('a', '', '-h', 'caf%C3%A9%2A') {
        fill($scope);

        my $as_sent = $scope =~ s/%(..)/chr hex $1/ger;
        my ($code, $out, $err) = scope($as_sent);

        is($code, 0, "the scope \"$scope\"");
        is($err, '', 'nothing beside the list');

        my %states = map { /^(\w+).*:(\w+)\}:create$/ ? ($2 => $1) : () }
            split /\n/, $out;

        is_deeply(\%states, {
            answered  => 'answered',
            tombstone => 'tombstone',
            unknown   => 'unknown',
            running   => 'claimed',
            abandoned => 'abandoned',
            newer     => 'unreadable',
            list      => 'unreadable',
        }, 'its records, and no others') or diag $out;

        like($out, qr/^answered \s+ 201 \s+ (?:59\ min\ \d+\ s|1\ h\ 0\ min)
            \s+ 77 \s\s \Q@{[ name($scope, 'answered') ]}\E$/mx, 'a line');
        like($out, qr/\n\n7 records of the .*scope.* of live\n\z/, 'their sum');
    }

    my ($code, $out) = scope('nobody');

    is($code, 1, 'no records: exit status');
    is($out, "0 records of the scope \"nobody\" of live\n", 'and said');

    is((scope('a', '-e', 'sandbox'))[0], 1, 'another environment');

    return;
}


sub as_json {
    fill('a');

    my ($code, $out) = scope('a', '--json');
    my $list = decode_json($out);
    my %records = map { $_->{key} => $_ } @{ $list->{records} };

    is($code, 0, 'as JSON');
    is_deeply([@$list{qw(environment scope complete)}, scalar keys %records],
        ['live', 'a', JSON::PP::true, 7], 'what it is a list of');
    is_deeply([@{ $records{answered} }{qw(record state status bytes)}],
        [name('a', 'answered'), 'answered', 201, 77], 'an answer');
    is_deeply([map { $_->{running} } @records{qw(running abandoned)}],
        [JSON::PP::true, JSON::PP::false], 'claims');
    cmp_ok($records{abandoned}{lease_left_ms}, '<', 0, 'a lease that is over');
    like($records{newer}{reason}, qr/version "2"/, 'what is not understood');
    like($out, qr/\A[\x20-\x7e]+\n\z/, 'one line of ASCII');

    ($code, $out) = scope('nobody', '--json');
    is($code, 1, 'no records');
    is_deeply(decode_json($out)->{records}, [], 'an empty list');

    return;
}


sub one_as_json {
    my $name = name('a', 'answered');
    my %with = (redis => $redis->url);

    my $show = sub {
        my ($code, $out) = record('-r', $redis->url, '--json', $name);

        is($code, 0, 'one record as JSON');
        like($out, qr/\A[\x20-\x7e]+\n\z/, 'one line of ASCII');
        return decode_json($out);
    };

    my $item = \&Segments::Value::item;

    $redis->set_record($name, body => qq({"\xc3\xa9":"\\\xf0\x9f\x98\x80\e"}),
        headers => "A: b: c\nE:  \xff\n", items => $item->(1, 'here')
            . $item->(77, "\xff"));

    my $record = $show->();

    is($record->{body}, qq({"\x{e9}":"\\\x{1f600}\e"}), 'body');
    is_deeply($record->{headers}, [{ name => 'A', value => 'b: c' },
        { name => 'E', value_base64 => 'IP8=' }], 'headers');
    is_deeply($record->{waiting}, [{ channel => 'here' }], 'who waits');
    is_deeply($record->{other_items}, [{ type => 77, value_base64 => '/w==' }],
        'items that are not known');
    is_deeply([@$record{qw(environment scope key state status fingerprint)}],
        ['live', 'a', 'answered', 'answered', 201, 'ab' x 32], 'the rest');
    cmp_ok($record->{expires_ms}, '>', 0, 'expiry');

    for my $n (0 .. 3) {
        my $body = "\xff" . 'x' x (100 + $n);

        $redis->set_record($name, body => $body);
        is(decode_base64($show->()->{body_base64}), $body,
            length($body) . ' bytes that are no text');
    }

    # for gateways with its key

    $redis->set_record($name, body => 'canary', headers => "A: canary\n",
        items => $item->(2, 'x' x 40));
    $redis->set_value($name, sub { substr $_, 2, 1, "\1" });

    $record = $show->();
    is($record->{sealed}, JSON::PP::true, 'sealed');
    is_deeply([grep { /body|headers/ } keys %$record], [], 'no body');

    my ($code, $out) = record('-r', $redis->url, $name);
    like($out, qr/^sealed: .*\n\z/m, 'sealed, as text');
    unlike($out, qr/canary/, 'nothing of it');
    like((scope('a'))[1], qr/^answered +201 /m, 'sealed, in a list');

    $name = name('a', 'running');
    is($show->()->{running}, JSON::PP::true, 'a claim');

    return;
}


sub bounded {
    fill('a');

    my ($code, $out, $err) = scope('a', '--limit', 6);

    is($code, 3, 'more than the limit');
    like($out, qr/^6 records/m, 'as many as the limit are listed');
    like($err, qr/more than 6 records: see "--limit"/, 'and it is said');

    ($code, $out) = scope('a', '--limit', 6, '--json');
    is($code, 3, 'as JSON, too');
    is(decode_json($out)->{complete}, JSON::PP::false, 'and said');

    my $before = $redis->cmd('DBSIZE');

    ($code, $out, $err) = scope('a', '--limit', 6, '--purge', '--yes');
    is($code, 3, 'and purged is nothing');
    like($err, qr/none was purged/, 'and said');
    is($redis->cmd('DBSIZE'), $before, 'nothing is gone');

    is((scope('a', '--limit', 7))[0], 0, 'just the limit');

    # many names: in steps

    $redis->cmd('FLUSHALL');
    $redis->cmd('EVAL', <<'LUA', 0, $PREFIX);
for i = 1, 6000 do
    redis.call('SET', 'other' .. i, '')
    redis.call('SET', ARGV[1] .. '{live:many:' .. i .. '}:create', 'x')
end
LUA
    $redis->cmd('CONFIG', 'RESETSTAT');

    ($code, $out) = scope('many');
    like($out, qr/^6000 records/m, 'many records');

    my ($calls) = $redis->cmd('INFO', 'commandstats')
        =~ /cmdstat_scan:calls=([0-9]+)/;
    cmp_ok($calls, '>=', 6, 'in steps');

    ($code, $out) = scope('many', '--limit', 5);
    like($out, qr/^5 records/m, 'few of many');

    return;
}


sub purged {
    my @near = fill('a');

    my ($code, $out, $err) = scope('a', { input => "y\n" }, '--purge');

    is($code, 3, 'no terminal, and not said before');
    like($err, qr/on a terminal, or with "--yes"/, 'said what is missing');
    is($redis->cmd('EXISTS', name('a', 'answered')), 1, 'nothing is gone');

    ($code, $out) = scope('a', '--purge', '--yes');

    is($code, 3, 'something stays');
    is($out, "7 records of the scope \"a\" of live\npurged 4 records, there"
        . " stay: 1 in flight, 2 unreadable\n", 'how many of each');
    is_deeply([sort $redis->keys], [sort @near, map { name('a', $_) }
        qw(running newer list)], 'what stays');

    $redis->cmd('DEL', map { name('a', $_) } qw(running newer list));
    $redis->set_record(name('a', $_), %ANY, state => 'unknown') for 1 .. 250;

    ($code, $out) = scope('a', '--purge', '--yes', '--json');
    is($code, 0, 'all are purged');
    is_deeply(decode_json($out), { environment => 'live', scope => 'a',
        found => 250, purged => 250, in_flight => 0, changed => 0,
        unreadable => 0 }, 'as JSON');
    is_deeply([sort $redis->keys], [sort @near], 'and nothing else');

    is((scope('a', '--purge', '--yes'))[0], 1, 'nothing is left');

    # one alone

    $redis->set_record(name('a', 'k'), %ANY, state => 'unknown');
    ($code, $out) = record('-r', $redis->url, '--purge', '--yes', '--json',
        name('a', 'k'));
    is_deeply(decode_json($out), { record => name('a', 'k'),
        purged => JSON::PP::true }, 'one record, as JSON');

    return;
}


# between the look and the answer to the question

sub changed_meanwhile {
    my $set = sub { $redis->set_record(name('a', $_[0]), %ANY, @_[1 .. $#_]) };
    my @claim = (state => 'claimed', from => 'absent', ttl => 2 * $HOUR,
        term => $HOUR / 2);

    $redis->cmd('FLUSHALL');
    $set->($_, state => 'unknown') for qw(ended taken prolonged same);
    $set->('renewed', @claim);

    my ($code, $shown) = record_on_terminal([sub {
        $redis->cmd('DEL', name('a', 'ended'));
        $set->('taken', @claim);
        $redis->set_value(name('a', 'prolonged'), sub { $_ .= 'x' });
        $redis->cmd('PEXPIRE', name('a', 'renewed'), 2 * $HOUR);
        $set->('new', state => 'unknown');
    }, "y\n"], '-r', $redis->url, '--prefix', $PREFIX, '--scope', 'a',
        '--purge');

    is($code, 3, 'changed meanwhile');
    like($shown, qr/Purge 5 records\?/, 'before') or diag $shown;
    like($shown, qr/purged 1 record, there stay: 1 in flight, 3 changed$/m,
        'what has changed stays') or diag $shown;
    is_deeply([$redis->keys], [sort map { name('a', $_) }
        qw(taken prolonged renewed new)], 'and is there');

    return;
}


sub on_a_terminal {
    my @words = ('-r', $redis->url, '--prefix', $PREFIX, '--scope', 'a');

    my @near = fill('a');
    my ($code, $shown) = record_on_terminal('', @words);

    is($code, 0, 'listed on a terminal');
    like($shown, qr/\r\e\[Knode 1 of 1, about 1000 names seen, 7 found\r\e\[K/,
        'with progress');

    ($code, $shown) = record_on_terminal("n\n", @words, '--purge');

    is($code, 3, 'not confirmed');
    like($shown, qr/7 records of the scope "a" of live$/m, 'how many');
    like($shown, qr/^1 of them in flight, which stay$/m, 'in flight');
    like($shown, qr/^2 of them not understood, which stay$/m, 'unreadable');
    like($shown, qr/Purge 4 records\? \[y\/N\] /, 'and asked');
    like($shown, qr/not purged/, 'and said');
    is(scalar($redis->keys), @near + 7, 'nothing is gone');

    ($code, $shown) = record_on_terminal("y\n", @words, '--purge');

    is($code, 3, 'confirmed, and something stays');
    like($shown, qr/purged 4 records, there stay: 1 in flight, 2 unreadable/,
        'how many of each');
    is(scalar($redis->keys), @near + 3, 'they are gone');

    return;
}


# the least that the page says is enough, and no more is needed

sub rights {
    my $page = (record('--help'))[1];
    my ($show) = $page =~ /ACL SETUSER support (.*?)\n\n/s;
    my ($purge) = $page =~ /also\s+purges\s+needs\s+(\+[^.]*)\./;
    my ($list) = $page =~ /also\s+lists\s+needs\s+(\+[^.]*)\./;
    my %rights = (list => [grep { $_ !~ /select|get\z/ }
            $show =~ /\+(\S+)/g, $list =~ /\+(\w+)/g],
        purge => ['get', $purge =~ /\+(\w+)/g]);

    push @{ $rights{list} }, 'getrange';

    my $user = "redis://support\@127.0.0.1:" . $redis->port
        . ' password_file=' . spew(tempdir() . '/password', "canary\n");

    my $allow = sub {
        $redis->cmd('FLUSHALL');
        $redis->set_record(name('r', 'k'), %ANY, state => 'unknown');
        $redis->cmd('ACL', 'DELUSER', 'support');
        is($redis->cmd('ACL', 'SETUSER', 'support', 'on', '>canary',
            "~$PREFIX*" =~ s/([\\?\[\]^])/\\$1/gr, '-@all',
            map { "+$_" } @_), 'OK', "rights: @_");
    };

    $allow->(@{ $rights{list} });
    is((scope('r', { redis => $user }))[0], 0, 'listed');
    is((scope('r', { redis => $user }, '--purge', '-y'))[0], 4, 'not purged');

    my @all = map { @$_ } @rights{qw(list purge)};

    $allow->(@all);
    is((scope('r', { redis => $user }, '--purge', '-y'))[0], 0, 'purged');

    for my $less (@all) {
        $allow->(grep { $_ ne $less } @all);

        my ($code, $out, $err) = scope('r', { redis => $user }, '--purge',
            '-y');

        is($code, 4, "without $less");
        like($err, qr/NOPERM|can't run this command|no permissions/,
            "without $less: by Redis");
        like($err, qr/; for certain purged: 0 records$/m, 'and how many were')
            if $less eq 'eval';
        unlike($out . $err, qr/canary/, 'no password');
    }

    return;
}


# names that the gateway has made of scope and key

sub hidden_names {
    my $secret = pack 'C*', 200 .. 231;
    my $dir = tempdir();
    my $hex = spew("$dir/hex", uc(unpack 'H*', $secret) . "\n");
    my $base64 = encode_base64($secret, '');
    my %file = (
        hex      => $hex,
        base64   => spew("$dir/base64", "$base64\r\n"),
        unpadded => spew("$dir/unpadded", $base64 =~ tr{+/=}{-_}dr),
    );

    my $nginx = nginx(upstream => upstream(), redis => $redis, set => {
        %Segments::Nginx::PATIENT,
        segments_idempotency_scope      => '$http_x_user',
        segments_idempotency_encryption => 'key_file='
            . spew("$dir/seal", '17' x 32) . " names_key_file=$hex",
    });

    my %keys = (alice => ['k', 'x' x 200, 'a:{b}'], bob => ['k'], '' => ['k']);

    $redis->cmd('FLUSHALL');

    for my $scope (sort keys %keys) {
        is($nginx->create(key => $_, headers => ['X-User' => $scope])->summary,
            '201 recorded', "hidden: a create of \"$scope\"")
            for @{ $keys{$scope} };
    }

    my $name = sub {
        my ($scope, $key) = @_;

        return 'segments:{live:' . hidden_scope($secret, $scope) . ':'
            . hidden_key($secret, $scope, $key) . '}:create';
    };

    for my $kind (sort keys %file) {
        my @words = ('-r', $redis->url, '--names-key-file', $file{$kind});

        for my $scope (sort keys %keys) {
            my ($code, $out) = record(@words, '--scope', $scope);

            is($code, 0, "hidden: the scope \"$scope\", $kind");
            is_deeply([sort $out =~ /^answered .* (\S+)$/mg],
                [sort map { $name->($scope, $_) } @{ $keys{$scope} }],
                "hidden: its records, $kind") or diag $out;
        }

        my ($code, $out) = record(@words, 'alice', 'a:{b}');

        is($code, 0, "hidden: by scope and key, $kind");
        like($out, qr/^record +\Q@{[ $name->('alice', 'a:{b}') ]}\E$/m,
            "hidden: its name, $kind");
        is((record(@words, 'bob', 'a:{b}'))[0], 1,
            "hidden: of another scope there is none, $kind");
    }

    my @words = ('-r', $redis->url, '--names-key-file', $hex);

    is((record('-r', $redis->url, '--scope', 'alice'))[0], 1,
        'hidden: not found without the key');
    is((record('-r', $redis->url, '--names-key-file', "$dir/seal", '--scope',
        'alice'))[0], 1, 'hidden: nor with another');

    my ($code, $out) = record(@words, '--purge', '--yes', '--scope', 'alice');

    is($code, 0, 'hidden: purged') or diag $out;
    is_deeply([sort $redis->keys], [sort map { $name->($_, 'k') } 'bob', ''],
        'hidden: and no other scope');

    ($code) = record(@words, '--purge', '--yes', 'bob', 'k');

    is($code, 0, 'hidden: one is purged');
    is_deeply([$redis->keys], [$name->('', 'k')], 'hidden: and no other');

    for my $text ('', 'short', "$base64$base64", ('g' x 64), "1$base64") {
        my ($code, $out, $err) = record('--names-key-file',
            spew("$dir/bad", $text), 'a', 'k');

        is($code, 2, 'hidden: not a key');
        like($err, qr/must hold 32 bytes/, 'hidden: which is said');
    }

    is((record('--names-key-file', "$dir/none", 'a', 'k'))[0], 2,
        'hidden: no file');

    return;
}


sub usage {
    for my $words (['k'], ['--limit', 0], ['--limit', 'x'],
        ['--limit', 1_000_001], ['--json', '--purge'], ['-y'])
    {
        is((scope('a', @$words))[0], 2, "usage: --scope a @$words");
    }

    is((record('--limit', 5, 'a', 'k'))[0], 2, 'a limit without a scope');

    return;
}
