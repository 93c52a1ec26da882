#!/usr/bin/perl

# A replay has the header fields that belong to the answer, and none that
# belonged to the first exchange.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

use IO::Uncompress::Gunzip qw(gunzip);


my $upstream = upstream();
my $redis = redis_server();


# stored, in the order in which they come; each may come again

my @KEPT = (
    ['Content-Language', 'en'],
    ['Location', '/v4/segments/premium-users'],
    ['ETag', '"v1"'],
    ['Last-Modified', 'Thu, 15 Jan 2026 10:30:00 GMT'],
    ['Link', '</v4/segments>; rel="collection"'],
    ['Link', '</v4/segments/premium-users>; rel="self"'],
    ['Cache-Control', 'private'],
    ['Cache-Control', 'max-age=60'],
    ['X-Version', '1'],
    ['X-Version', '2'],
);

my @DROPPED = (
    ['Set-Cookie', 'session=1; Path=/'],
    ['Set-Cookie', 'other=2'],
    ['WWW-Authenticate', 'Bearer'],
    ['X-Trace', 'abc'],
    ['X-Version-Other', '3'],
    ['RateLimit', '"default";r=1;t=1'],
    ['RateLimit-Policy', '"default";q=9;w=9'],
    ['Retry-After', '9'],
    ['Vary', 'Accept'],
    ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['Server', 'theirs'],
    ['Age', '3'],
    ['Expires', 'Thu, 01 Jan 2036 00:00:00 GMT'],
);

# never leaves, not even the first time

my @SWALLOWED = (
    ['X-Accel-Expires', '3600'],
    ['X-Accel-Redirect', '/elsewhere'],
    ['X-Accel-Limit-Rate', '1'],
    ['X-Accel-Charset', 'koi8-r'],
    ['Idempotent-Replayed', 'true'],
    ['Idempotency-Status', 'replayed'],
    ['Keep-Alive', 'timeout=5'],
);

my $mock = join '; ', 'type=application/json%3B charset=utf-8',
    map { "header=$_->[0]: " . $_->[1] =~ s/;/%3B/gr }
    @KEPT, @DROPPED, @SWALLOWED;

my %args = (upstream => $upstream, redis => $redis);
my %set = (%Segments::Nginx::PATIENT,
    segments_idempotency_headers => 'X-Version x-unused');

my $nginx = nginx(%args, set => { %set,
    proxy_pass_header => [qw(Date Server)],
    add_header        => ['X-Added "here $request_id" always',
                          'X-Status $status'],
});

my $first = $nginx->create(key => 'k1', mock => $mock);
my $again = $nginx->create(key => 'k1');

is($first->summary, '201 recorded', 'first answer');
is($again->summary, '201 replayed marked', 'replay');

my %seen;

for my $name (grep { !$seen{$_}++ } map { $_->[0] } @KEPT) {
    my @values = map { $_->[1] } grep { $_->[0] eq $name } @KEPT;

    is_deeply([$first->headers($name)], \@values, "$name at first");
    is_deeply([$again->headers($name)], \@values, "$name replayed");
}

for my $answer ($first, $again) {
    is_deeply([$answer->headers('Content-Type')],
        ['application/json; charset=utf-8'], 'type with its charset');
    is_deeply([$answer->headers('Content-Length')], [length $first->body],
        'length');
    is($answer->header('X-Status'), 201, 'add_header');
    is_deeply([$answer->headers('Connection')], ['close'], 'Connection');
}

isnt($again->header('X-Added'), $first->header('X-Added'), 'add_header anew');

for my $name (grep { !$seen{$_}++ } map { $_->[0] } @DROPPED) {
    my ($value) = map { $_->[1] } grep { $_->[0] eq $name } @DROPPED;

    is($first->header($name), $value, "$name at first");
    isnt($again->header($name) // '', $value, "$name not replayed");
}

isnt($first->header('X-Request-Id'), undef, 'request id at first');
is($again->header('X-Request-Id'), undef, 'request id not replayed');
isnt($again->header('Date'), undef, 'a date of its own');

for my $name (map { $_->[0] } @SWALLOWED) {
    my ($value) = map { $_->[1] } grep { $_->[0] eq $name } @SWALLOWED;

    isnt($_->header($name) // '', $value, "$name kept away")
        for $first, $name eq 'Idempotent-Replayed'
            || $name eq 'Idempotency-Status' ? () : $again;
}

my @known = map { lc $_->[0] } @KEPT;
push @known, qw(content-type content-length connection date server x-added
    x-status idempotent-replayed idempotency-status);

my @unknown = grep { my $field = lc $_->[0]; !grep { $_ eq $field } @known }
    $again->fields;

is_deeply(\@unknown, [], 'nothing else in a replay');

is(($upstream->requests)[0]->header('Accept-Encoding'), 'identity',
    'no coding asked for');

# a replay answers the create, whatever else the client already has; nginx
# has an eye on conditions where the status is 200

my $made = $nginx->create(key => 'made',
    mock => 'status=200; ' . $mock =~ s/\A.*?; //r);

for (['If-None-Match', '"v1"'], ['If-None-Match', '*'],
    ['If-Modified-Since', 'Thu, 15 Jan 2026 10:30:00 GMT'],
    ['If-Match', '"other"'], ['Range', 'bytes=0-3'],
    ['If-Unmodified-Since', 'Thu, 01 Jan 1970 00:00:01 GMT'])
{
    for my $first ($first, $made) {
        my $answer = $nginx->create(headers => [@$_],
            key => $first == $made ? 'made' : 'k1');

        is($answer->summary, $first->status . ' replayed marked',
            "with $_->[0]");
        is($answer->body, $first->body, 'whole body');
    }
}

# a Location of the upstream's own address is rewritten once

my $moved = $nginx->create(key => 'k2',
    mock => 'header=Location: ' . $upstream->url . '/v4/segments/s');
is($nginx->create(key => 'k2')->header('Location'),
    $moved->header('Location'), 'the same Location');
unlike($moved->header('Location'), qr/:${\ $upstream->port}\b/,
    'without the address of the upstream');

# gzip comes behind the record; it leaves a 201 alone

my $gzip = nginx(%args, http => 'gzip on; gzip_types application/json; '
    . 'gzip_min_length 1; gzip_http_version 1.0;', set => { %set,
    segments_redis_prefix => 'gzip:' });

my @gzip = (headers => ['Accept-Encoding' => 'gzip']);
my $long = 'a' x 2000;

my $packed = $gzip->create(key => 'k1', @gzip,
    mock => "status=200; text=$long; header=ETag: \"v1\"");
my $packed_again = $gzip->create(key => 'k1', @gzip);
my $unpacked = $gzip->create(key => 'k1');

is($packed->summary, '200 recorded', 'to a client that takes gzip');
is($packed_again->summary, '200 replayed marked', 'replayed');

for my $answer ($packed, $packed_again) {
    gunzip(\$answer->body, \my $text);

    is_deeply([$answer->headers('Content-Encoding')], ['gzip'], 'coding');
    is($text, $long, 'body');
    is($answer->header('ETag'), 'W/"v1"', 'ETag weakened');
}

is($unpacked->summary, '200 replayed marked', 'replayed to one that does not');
is($unpacked->header('Content-Encoding'), undef, 'no coding');
is($unpacked->header('ETag'), '"v1"', 'ETag as it is');
is($unpacked->header('Content-Length'), 2000, 'its own length');
is($unpacked->body, $long, 'body');

is(($upstream->requests)[-1]->header('Accept-Encoding'), 'identity',
    'no coding asked for');

# an upstream that sends one all the same

my $coded = $gzip->create(key => 'k3', mock => "gzip; status=200; text=$long");

is($coded->summary, '200 recorded', 'unasked coding');

for my $answer ($coded, $gzip->create(key => 'k3', @gzip),
    $gzip->create(key => 'k3'))
{
    is_deeply([$answer->headers('Content-Encoding')], ['gzip'], 'named');
    is($answer->body, $coded->body, 'and not coded twice');
}

# nginx's own charset

my $charset = nginx(%args, set => { %set, segments_redis_prefix => 'charset:',
    charset => 'utf-8', charset_types => 'application/json' });

for my $try ('201 recorded', '201 replayed marked') {
    my $answer = $charset->create(key => 'k1');

    is($answer->summary, $try, 'with charset');
    is($answer->header('Content-Type'), 'application/json; charset=utf-8',
        'type');
}

done_testing();
