#!/usr/bin/perl

# Browsers may attach a key to a POST by themselves, a string of RFC 8941 made
# of a number or a UUID: it is a key like any other, and when the browser sends
# the request again it gets the answer.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();
my %args = (upstream => $upstream, redis => $redis);
my $nginx = nginx(%args, listen => 'http2', set => {
    %Segments::Nginx::PATIENT,
    segments_idempotency      => 'required',
    segments_idempotency_wait => 'off',
});
my $plain = nginx(%args, set => {
    %Segments::Nginx::PATIENT,
    segments_idempotency_upstream_key => 'original',
});

my $UUID = '8e03978e-40d5-43dd-bc93-6894a57f9324';

my @KEYS = (
    qq("$UUID"), qq("\U$UUID"), qq("{$UUID}"), qq("{\U$UUID\E}"),
    qq("urn:uuid:$UUID"), '"16452300954322083441"', '"0"',
    '"9GkrTj3cR0qVJ1pY7uX4Lw=="', '"d41d8cd98f00b204e9800998ecf8427e"',
    '"1737030000000-0.7319253"', '":c2VnbWVudHM=:"', '"?1"',
);

# as a browser does it: over HTTP/2, with what it sends besides

my @browser = (
    'User-Agent'      => 'Mozilla/5.0 (X11; Linux x86_64; rv:135.0)'
                         . ' Gecko/20100101 Firefox/135.0',
    'Accept'          => '*/*',
    'Accept-Language' => 'en-US,en;q=0.5',
    'Accept-Encoding' => 'gzip, deflate, br, zstd',
    'Content-Type'    => 'application/json',
    'Origin'          => 'https://app.example',
    'Sec-Fetch-Mode'  => 'cors',
    'Sec-Fetch-Site'  => 'cross-site',
    'Priority'        => 'u=0',
);

my $browser = h2($nginx);

for my $key (@KEYS) {
    my $count = $upstream->count;
    my @request = $nginx->create_request(headers =>
        [@browser, 'Idempotency-Key' => $key]);

    is($browser->request(@request)->summary, '201 recorded', "key $key");
    is($browser->request(@request)->summary, '201 replayed marked',
        'sent again');
    is($upstream->count, $count + 1, 'one upstream request');
}

# upper and lower case are two keys, quoted and bare are one

for my $bare ($UUID, "\U$UUID", "{$UUID}") {
    is($browser->request($nginx->create_request(key => $bare))->summary,
        '201 replayed marked', "bare $bare");
}

is(scalar(my @records = $redis->keys), @KEYS, 'a record for each');

# a connection that breaks before the answer: the browser tries on another one

my $c = $plain->connect;
my @request = $plain->create_request(headers =>
    [@browser, 'Idempotency-Key' => '"16452300954322083442"',
     'X-Mock' => 'hold=b']);

$c->send_request(@request);
$upstream->wait_held('b');
$c->reset;
is($plain->request(@request)->summary,
    '409 in-progress idempotency_in_progress', 'while the first one runs');
$upstream->release('b');
wait_for { my $again = $plain->request(@request);
    $again->summary eq '201 replayed marked' } 10, 'the answer to the first';
is((grep { $_->header('Idempotency-Key') eq '16452300954322083442' }
    $upstream->requests), 1, 'one upstream request, with the bare key');

done_testing();
