#!/usr/bin/perl

# What an Idempotency-Key looks like.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $INVALID = '400 request/idempotency_key_invalid';

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
    segments_operations               => 'all',
    segments_idempotency_upstream_key => 'original',
});

# refused before Redis is asked

my @refused = (
    ['empty', ''],
    ['spaces', '   '],
    ['256 characters', 'k' x 256],
    ['quoted 256 characters', '"' . 'k' x 256 . '"'],
    ['4000 characters', 'k' x 4000],
    ['empty string', '""'],
    ['list', 'a, b'],
    ['list without space', 'a,b'],
    ['list of strings', '"a", "b"'],
    ['parameter', '"a";p=1'],
    ['parameter of a bare key', 'a;p=1'],
    ['space', 'a b'],
    ['tab', "a\tb"],
    ['quote inside', 'a"b'],
    ['quote behind', 'a"'],
    ['quote before', '"a'],
    ['one quote', '"'],
    ['backslash', 'a\\b'],
    ['other escape', '"a\\b"'],
    ['escape at the end', '"a\\"'],
    ['two strings', '"a""b"'],
    ['text behind a string', '"a"b'],
    ['DEL', "a\x7fb"],
    ['control character', "a\x01b"],
    ['quoted control character', "\"a\x1fb\""],
    ['quoted tab', "\"a\tb\""],
    ['not ASCII', "caf\xc3\xa9"],
    ['quoted, not ASCII', "\"caf\xc3\xa9\""],
);

for (@refused) {
    my ($name, $value) = @$_;

    is(envelope($nginx->create(headers => ['Idempotency-Key' => $value])),
        $INVALID, $name);
}

for (['a', 'a'], ['a', 'b'], ['', 'a'], ['a', '']) {
    is(envelope($nginx->create(headers => ['Idempotency-Key' => $_->[0],
        'idempotency-key' => $_->[1]])), $INVALID,
        "two lines, '$_->[0]' and '$_->[1]'");
}

my $refused = $nginx->create(headers => ['Idempotency-Key' => 'a b']);

is($refused->header('Idempotency-Status'), undef, 'no status of a key');
is($upstream->connections, 0, 'no upstream connection');
is_deeply($redis->commands, {}, 'no Redis command');

# one key, however it is written; the upstream gets it bare

for (
    ['letters', 'abc', '"abc"'],
    ['one character', '-', '"-"'],
    ['255 characters', 'k' x 255, '"' . 'k' x 255 . '"'],
    ['UUID', '8E03978E-40D5-43DD-BC93-6894A57F9324',
        '"8E03978E-40D5-43DD-BC93-6894A57F9324"'],
    ['visible ASCII', q(!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~),
        q("!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~")],
    ['space around', '  padded', "\"padded\"\t"],
    ['base64', 'abc/+==', '"abc/+=="'],
    ['item of Redis', 'a:b::{c}*', '"a:b::{c}*"'],
) {
    my ($name, $bare, $quoted) = @$_;

    my $first = $nginx->create(headers => ['Idempotency-Key' => $bare]);
    my $again = $nginx->create(headers => ['Idempotency-Key' => $quoted]);

    is($first->header('Idempotency-Status'), 'recorded', "$name, bare");
    is($again->header('Idempotency-Status'), 'replayed', "$name, quoted");
    is(($upstream->requests)[-1]->header('Idempotency-Key'),
        $bare =~ s/^ +//r, "$name upstream");
}

for (
    ['escaped quote', '"a\\"b"', 'a"b'],
    ['escaped backslash', '"a\\\\b"', 'a\\b'],
    ['comma', '"a,b"', 'a,b'],
    ['spaces', '" a ; b "', ' a ; b '],
    ['255 escaped characters', '"' . '\\"' x 255 . '"', '"' x 255],
) {
    my ($name, $quoted, $key) = @$_;

    for my $status (qw(recorded replayed)) {
        is($nginx->create(headers => ['Idempotency-Key' => $quoted])
            ->header('Idempotency-Status'), $status, "quoted $name $status");
    }

    my ($line) = ($upstream->requests)[-1]{head}
        =~ /^Idempotency-Key: ([^\r]*)\r/m;

    is($line, $key, "quoted $name upstream");
}

# nothing in a key makes it another's

is(scalar(my @keys = $redis->keys), 13, 'a record for each');

my $before = $upstream->count;

is($nginx->create(key => "abc$_")->header('Idempotency-Status'), 'recorded',
    "'abc$_' is not 'abc'") for qw(-response :lock . A);
is($nginx->create(key => 'ABC')->header('Idempotency-Status'), 'recorded',
    'case matters');
is($upstream->count, $before + 5, 'each went upstream');

# without one

is($nginx->create->header('Idempotency-Status'), undef, 'no key, no status');

my $required = nginx(upstream => $upstream, redis => $redis, set => {
    segments_operations  => 'all',
    segments_idempotency => 'required',
});

$before = $upstream->count;

is(envelope($required->create), '400 request/idempotency_key_required',
    'required');
is(envelope($required->create(headers => ['Idempotency-Key' => ''])), $INVALID,
    'required, empty');
is($upstream->count, $before, 'not forwarded');
is($required->create(key => 'r')->status, 201, 'required and there');
is($required->request('PUT', '/v4/segments/a', body => { name => 'a' })
    ->status, 200, 'not required of an update');

# where no key is honoured, the header is the upstream's to judge

my $off = nginx(upstream => $upstream, redis => undef, set => {
    segments_operations  => 'all',
    segments_idempotency => 'off',
    segments_redis       => undef,
});

for my $value ('abc', '"abc"', 'a, b', 'k' x 300) {
    my $answer = $off->create(headers => ['Idempotency-Key' => $value]);
    my $name = substr $value, 0, 8;

    is($answer->status, 201, "off: $name passes");
    is($answer->header('Idempotency-Status'), undef, "off: $name, no status");
    is(($upstream->requests)[-1]->header('Idempotency-Key'), $value,
        "off: $name untouched");

    is($nginx->request('PUT', '/v4/segments/a', body => { name => 'a' },
        headers => ['Idempotency-Key' => $value])->status, 200,
        "update: $name passes");
    is(($upstream->requests)[-1]->header('Idempotency-Key'), $value,
        "update: $name untouched");
}

done_testing();
