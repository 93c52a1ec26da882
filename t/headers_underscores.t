#!/usr/bin/perl

# With "underscores_in_headers on" a name with "_" is the one with "-": it is
# judged as that, and never stands beside it upstream.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();
my $body = { name => 'Premium users' };

my %args = (upstream => $upstream, redis => $redis,
    server => 'underscores_in_headers on;');
my %set = (
    segments_operations => 'all',
    segments_idempotency_headers => 'X-Kept',
    proxy_set_header => ['Connection ""', 'X-Forwarded-For $remote_addr',
        'X_Own own', 'X-Shown $http_x_shown'],
);

my $nginx = nginx(%args, set => { %set });
my $off = nginx(%args, set => { %set, segments_idempotency => 'off' });
my $n = 0;

# what the upstream has of a name, in whatever spelling

sub found {
    my ($name) = @_;

    my ($request) = reverse $upstream->requests;

    return map { "$_->[0]: $_->[1]" }
        grep { lc($_->[0] =~ tr/_/-/r) eq lc $name } @{ $request->{headers} };
}


# as Segments::HTTP adds a Content-Type to what has none

sub create {
    my ($server, @headers) = @_;

    my $c = $server->connect;
    my $json = '{"name":"n","conditions":[{"metric":"renewable",'
        . '"comparator":"eq","value":"1","negate":false}]}';

    $c->send("POST /v4/segments HTTP/1.1\r\nHost: localhost\r\n"
        . join('', map { "$_\r\n" } @headers)
        . 'Content-Length: ' . length($json) . "\r\n\r\n$json");

    return $c->read_response(undef, 'POST');
}


my $TYPE = 'Content-Type: application/json';

# the key

my $first = create($nginx, $TYPE, 'Idempotency_Key: one');
my @upstream_key = found('Idempotency-Key');

is($first->summary, '201 recorded', 'Idempotency_Key is a key');
is(scalar @upstream_key, 1, 'one of them upstream');
like($upstream_key[0], qr/^Idempotency-Key: (?!one$)/, 'the upstream\'s own');
is(create($nginx, $TYPE, 'Idempotency-Key: one')->summary,
    '201 replayed marked', 'the same key in both spellings');

my $count = $upstream->count;

is(envelope(create($nginx, $TYPE, 'Idempotency_Key: one',
    'Idempotency-Key: two')), '400 request/idempotency_key_invalid',
    'both at once: two keys');

is(create($off, $TYPE, 'Idempotency_Key: three')->status, 201,
    'where keys are not honoured');
is_deeply([found('Idempotency-Key')], ['Idempotency-Key: three'],
    'it goes upstream under its name');

# what was judged

is(create($nginx, 'Content_Type: application/json')->status, 201,
    'Content_Type is a type');
is_deeply([found('Content-Type')], [$TYPE], 'under its name upstream');
$count = $upstream->count;

for (
    ['two types', $TYPE, 'Content_Type: text/plain'],
    ['two types, the other one first', 'Content_Type: text/plain', $TYPE],
    ['another type', 'content_type: text/plain'],
    ['a coding', $TYPE, 'Content_Encoding: gzip'],
) {
    my ($name, @headers) = @$_;

    is(create($nginx, @headers)->status, 415, "$name: refused");
}

is($upstream->count, $count, 'none of them goes upstream');

is(create($nginx, $TYPE, 'Content_Encoding: identity')->status, 201,
    'no coding');
is_deeply([found('Content-Encoding')], ['Content-Encoding: identity'],
    'under its name');

is(create($nginx, $TYPE, 'Content_Length: 7', 'Transfer_Encoding: chunked')
    ->status, 201, 'another length');
is(scalar(my @length = found('Content-Length')), 1, 'one length upstream');
like($length[0], qr/^Content-Length: /, 'the true one');
is_deeply([found('Transfer-Encoding')], [], 'no coding of transfer');

# what Connection nominates

is(create($nginx, $TYPE, 'Connection: X_Nominated, content_type',
    'X-Nominated: 1')->status, 201, 'nominated by the other name');
is_deeply([found('X-Nominated')], [], 'not upstream');
is_deeply([found('Content-Type')], [$TYPE], 'but for the type');

# what the operator sets

is(create($nginx, $TYPE, 'X_Forwarded_For: 10.0.0.1', 'X-Own: client',
    'x_forwarded-for: 10.0.0.2', 'X_Shown: seen', 'X_Other: stays')->status,
    201, 'names of proxy_set_header');
is_deeply([found('X-Forwarded-For')], ['X-Forwarded-For: 127.0.0.1'],
    'only what is set');
is_deeply([found('X-Own')], ['X_Own: own'], 'in whatever spelling');
is_deeply([found('X-Shown')], ['X-Shown: seen'],
    'and it may be what the client sent');
is_deeply([found('X-Other')], ['X_Other: stays'], 'others pass as they are');

for my $name (qw(Authorization Idempotency_Key Content_Type content_length
    Content_Encoding Transfer_Encoding Accept_Encoding)) {

    my ($code, $said) = check_config(%args,
        set => { proxy_set_header => "$name x" });

    isnt($code, 0, "proxy_set_header $name");
    like($said, qr/"proxy_set_header $name" cannot be used/, 'says why');
}

# answers

$upstream->next(join ';', map { "header=$_" } 'X_Accel_Redirect:/x',
    'Idempotent_Replayed:true', 'Idempotency_Status:replayed',
    'Proxy_Authenticate:Basic', 'X_Kept:kept', 'X_Other:other');

my @answers = map { create($nginx, $TYPE, 'Idempotency-Key: answer') } 1 .. 2;

is_deeply([map { $_->summary } @answers], ['201 recorded',
    '201 replayed marked'], 'an answer and its replay');

for my $answer (@answers) {
    is_deeply([grep { /_/ } map { $_->[0] } $answer->fields],
        $answer == $answers[0] ? ['X_Kept', 'X_Other'] : ['X_Kept'],
        'dropped, or kept, as with dashes');
}

my ($code, $said) = check_config(%args,
    set => { segments_idempotency_headers => 'Set_Cookie' });

isnt($code, 0, 'Set_Cookie cannot be stored');

done_testing();
