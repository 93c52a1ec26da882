#!/usr/bin/perl

# Whose key it is, and which key it is: no two of them ever meet.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream(honour_keys => 1);
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    segments_idempotency_scope => '$http_x_client',
});


sub create {
    my ($client, $key, @more) = @_;

    return $nginx->create(headers => ['X-Client' => $client],
        defined $key ? (key => $key) : (), @more);
}


sub keys_upstream {
    return map { $_->header('Idempotency-Key') } $upstream->requests;
}


# two clients with one key

my $a = create('a', 'same');
my $b = create('b', 'same');

is($a->summary, '201 recorded', 'first client');
is($b->summary, '201 recorded', 'second client, same key and body');
isnt($b->body, $a->body, 'a segment of its own');
is(create('a', 'same')->body, $a->body, 'first client, replayed its own');
is(create('b', 'same')->body, $b->body, 'second client, replayed its own');

my @keys = keys_upstream();
isnt($keys[0], $keys[1], 'their keys do not meet upstream');

is(create('b', 'other', body => { name => 'b' })->summary, '201 recorded',
    'a key of the second client');
is(create('a', 'other', body => { name => 'a' })->summary, '201 recorded',
    'is no mismatch to the first');

# names made of the delimiters and patterns of names: each is its own

my @names = ('abc', 'abc-response', 'abc:', ':abc', 'abc::', '::abc', 'a:bc',
    'ab:c', '{abc}', '{}abc', 'abc{}', 'ABC', 'abc*', '*', '?', '[a]bc',
    'abc%3A', '%61bc', "'abc'", 'abc/def', '../abc', 'x' x 255,
    'x' x 254 . 'y');

my $count = $upstream->count;
my %bodies;

for my $name (@names) {
    my $answer = create('names', $name);

    is($answer->summary, '201 recorded', "key $name");
    $bodies{$name} = $answer->body;
}

is($upstream->count, $count + @names, 'each sent');

for my $name (@names) {
    my $answer = create('names', $name);

    is($answer->summary, '201 replayed marked', "key $name again");
    is($answer->body, $bodies{$name}, 'its own answer');
}

# what moves between scope and key

my @pairs = (['a:b', 'c'], ['a', 'b:c'], ['a}:create:', 'c'],
    ['a', '}:create:c'],
    ['', 'a:c'], ['a', ':c'], ['x%3A', 'y'], ['x:', 'y'], ["\xc3\xbc", 'k'],
    ['%C3%BC', 'k'], ['live:a', 'c'], ['{a}', 'c'], ['a b', 'c'], ['a+b', 'c']);

$count = $upstream->count;

for (@pairs) {
    my ($client, $key) = @$_;
    is(create($client, $key)->summary, '201 recorded',
        "key $key of client $client");
}

is($upstream->count, $count + @pairs, 'each sent');

my @all = keys_upstream();
my %different = map { $_ => 1 } @all;
is(scalar keys %different, scalar @all, 'every upstream key is another one');

# a quoted key is what it quotes

is(create('q', '"a \\"b\\" \\\\"')->summary, '201 recorded', 'quoted key');
is(create('q', '"a \\"b\\" \\\\"')->summary, '201 replayed marked',
    'quoted key again');
is(create('q', '"plain"')->summary, '201 recorded', 'quoted token');
is(create('q', 'plain')->summary, '201 replayed marked', 'the same bare');

# names of keys do not depend on the Secret Key

my @before = $redis->keys;

$nginx->configure(secret => 'sk_another0123456789another');
$nginx->reload;

is(create('a', 'same')->summary, '201 replayed marked',
    'replayed under another Secret Key');
is(create('a', 'same')->body, $a->body, 'same answer');
is_deeply([$redis->keys], \@before, 'no new record');

create('a', 'fresh');
is(($upstream->requests)[-1]->header('Authorization'),
    'Bearer sk_another0123456789another', 'the new Secret Key is in use');

my @records = $redis->keys;
is(scalar(grep { /sk_|another0123/ } @records), 0, 'no Secret Key in a name');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

# anonymous clients are one scope, and the authenticated user is the default

my $default = nginx(upstream => $upstream, redis => $redis,
    set => { %Segments::Nginx::PATIENT,
             segments_redis_prefix => 'default:' },
    location => "auth_basic closed;\n"
        . "auth_basic_user_file %%DIR%%/users;\n");

spew($default->dir . '/users', "ann:{PLAIN}x\nbob:{PLAIN}y\n");

my ($ann, $bob) = map { ['Authorization', "Basic $_"] }
    qw(YW5uOng= Ym9iOnk=);

is($default->create(key => 'k', headers => $ann)->summary, '201 recorded',
    'user');
is($default->create(key => 'k', headers => $bob)->summary, '201 recorded',
    'another user, same key');
is($default->create(key => 'k', headers => $ann)->summary,
    '201 replayed marked', 'user again');

done_testing();
