#!/usr/bin/perl

# The upstream's errors are the client's to read, but for those that say that
# the gateway itself is at fault.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $UNAUTHORIZED = '502 internal/upstream_unauthorized';

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis,
    set => { segments_operations => 'all' });

my $body = { name => 'a' };
my $n = 0;

my @requests = (
    ['create with a key', sub { $nginx->create_request(key => 'key-' . ++$n) }],
    ['create', sub { $nginx->create_request }],
    ['list', sub { ('GET', '/v4/segments') }],
    ['get', sub { ('GET', '/v4/segments/a') }],
    ['update', sub { ('PUT', '/v4/segments/a', body => $body) }],
    ['delete', sub { ('DELETE', '/v4/segments/a') }],
);

# some clients stop all traffic after one of these: they never see them

for my $status (401, 402, 403, 418) {
    my $mark = length $nginx->error_log;

    for my $more ('', ';chunked', ';empty', ';no-length;body=20000') {
        for (@requests) {
            my ($operation, $request) = @$_;
            my $name = "$status$more, $operation";

            my $answer = $nginx->request($request->(), mock =>
                "status=$status$more;header=WWW-Authenticate:Bearer;"
                . 'header=Retry-After:5;header=ETag:"x"');

            is(envelope($answer), $UNAUTHORIZED, $name);
            is(scalar(my @fields = grep { $_->[0] =~
                /^(?:WWW-Authenticate|Retry-After|ETag|X-Request-Id)$/i }
                $answer->fields), 0, "$name: nothing of the answer");
            is($answer->header('Content-Length'), length $answer->body,
                "$name: length");
        }
    }

    is(scalar(my @lines = $nginx->error_log($mark)
        =~ /\[error\].* status $status\b.*, client: /g), 1,
        "$status: error log");
    wait_for { $nginx->told(qr/\[error\].* status $status\b/, $mark)
        == 4 * @requests } 20, 'all of them to be counted';
}

is(scalar(my @stored = grep { exists $redis->record($_)->{body} }
    $redis->keys), 0, 'nothing of it is remembered');

# once the key is mended, the retry runs

for my $status (401, 402, 403, 418) {
    my @request = $nginx->create_request(key => "mended-$status");

    $upstream->next("status=$status");
    is($nginx->request(@request)->header('Idempotency-Status'), 'unstored',
        "$status: not stored");
    is($nginx->request(@request)->header('Idempotency-Status'), 'recorded',
        "$status: retried");
}

# all others, byte for byte

my $text = qq({"error":{"type":"request", "code" : "x","message":"\xc3\xa4"}});

for my $status (400, 404 .. 406, 409 .. 412, 415, 417, 422 .. 424, 429, 451,
    500, 501, 503, 505, 507, 511, 599)
{
    for (@requests[0 .. 3]) {
        my ($operation, $request) = @$_;
        my $name = "$status, $operation";

        my $answer = $nginx->request($request->(), mock =>
            "status=$status;reason=Its Reason;text=$text;"
            . 'type=application/problem+json;header=Retry-After:7;'
            . 'header=X-Other:1;header=Link:</a>;header=Link:</b>');

        is($answer->status, $status, $name);
        is($answer->body, $text, "$name: body");
        is($answer->header('Content-Type'), 'application/problem+json',
            "$name: type");
        is($answer->header('Retry-After'), 7, "$name: Retry-After");
        is($answer->header('X-Other'), 1, "$name: other fields");
        is_deeply([$answer->headers('Link')], ['</a>', '</b>'],
            "$name: repeated fields");
    }
}

for my $status (502, 504) {
    for (@requests) {
        my ($operation, $request) = @$_;

        my $answer = $nginx->request($request->(),
            mock => "status=$status;text=$text");

        is($answer->status, $status, "$status, $operation");
        is($answer->body, $text, "$status, $operation: body");
    }
}

# pages that are no envelope, and no page at all

for my $words ('text=<html>;type=text/html', 'empty', 'chunked;text=x',
    'body=20000', 'no-length;text=x')
{
    my $answer = $nginx->request('GET', '/v4/segments/a',
        mock => "status=404;$words");

    is($answer->status, 404, $words);
    is($answer->body, $words =~ /text=([^;]+)/ ? $1
        : substr('0123456789abcdef' x 1250, 0, $words eq 'empty' ? 0 : 20_000),
        "$words: body");
}

# nginx has no second try for what it might have sent

my $second = upstream();
my $both = nginx(redis => $redis, upstream => 'http://both',
    http => 'upstream both { server 127.0.0.1:' . $upstream->port
        . ' max_fails=0; server 127.0.0.1:' . $second->port
        . ' max_fails=0; }',
    set  => { proxy_next_upstream => 'error timeout invalid_header http_500'
        . ' http_502 http_503 http_504 http_403 http_404 http_429',
        segments_idempotency_scope => 'both' });

for my $mock (qw(close=after-read rst garbage status=500 status=503 status=404
    status=403 status=429))
{
    for my $key (undef, "next $mock" =~ tr/a-z0-9/-/cr) {
        my $before = $upstream->count + $second->count;
        my $answer = $both->create(mock => $mock, $key ? (key => $key) : ());

        is($upstream->count + $second->count, $before + 1,
            "$mock" . ($key ? ', with a key' : '') . ': one request');
        is($answer->status, $mock =~ /=([0-9]+)/ && $1 != 403 ? $1 : 502,
            "$mock: its status");
    }
}

done_testing();
