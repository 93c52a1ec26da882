#!/usr/bin/perl

# Query strings: the two documented parameters of a list, and no others.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $INVALID = '400 request/invalid_data';
my $LIMIT = 'Must be an integer from 1 to 100';
my $ID = 'Must be a segment id';
my $REPEATED = 'Must not be repeated';
my $UNKNOWN = 'Unknown parameter';

my $upstream = upstream();
my $nginx = nginx(upstream => $upstream,
    set => { segments_operations => 'all' });
my $pass = nginx(upstream => $upstream,
    set => { segments_operations => 'all', segments_unknown_fields => 'pass' });

my $body = { name => 'Premium users' };

# passed on as they came

for my $query ('', qw(limit=1 limit=20 limit=100 starting_after=premium-users
    limit=5&starting_after=a starting_after=Az09._-&limit=99 &limit=5&),
    'starting_after=' . 'x' x 256)
{
    my $name = substr "list ?$query", 0, 40;

    is($nginx->request('GET', "/v4/segments?$query")->status, 200, $name);

    my $uri = '/v4/segments' . ($query eq '' ? '' : "?$query");
    is(($upstream->requests)[-1]->uri, $uri, "$name upstream");
}

my $forwarded = $upstream->count;

# refused, each with what is wrong

for (
    ['limit=0', [limit => $LIMIT]],
    ['limit=101', [limit => $LIMIT]],
    ['limit=1000', [limit => $LIMIT]],
    ['limit=18446744073709551617', [limit => $LIMIT]],
    ['limit=-1', [limit => $LIMIT]],
    ['limit=+5', [limit => $LIMIT]],
    ['limit=05', [limit => $LIMIT]],
    ['limit=5.0', [limit => $LIMIT]],
    ['limit=1e1', [limit => $LIMIT]],
    ['limit=0x10', [limit => $LIMIT]],
    ['limit=%35', [limit => $LIMIT]],
    ['limit=five', [limit => $LIMIT]],
    ['limit=', [limit => $LIMIT]],
    ['limit', [limit => $LIMIT]],
    ['limit=5=5', [limit => $LIMIT]],
    ['limit=5;limit=6', [limit => $LIMIT]],
    ['starting_after=', [starting_after => $ID]],
    ['starting_after=a/b', [starting_after => $ID]],
    ['starting_after=a%2fb', [starting_after => $ID]],
    ['starting_after=..', [starting_after => $ID]],
    ['starting_after=' . 'x' x 257, [starting_after => $ID]],
    ['limit=5&limit=5', [limit => $REPEATED]],
    ['starting_after=a&starting_after=b', [starting_after => $REPEATED]],
    ['Limit=5', [Limit => $UNKNOWN]],
    ['page=2', [page => $UNKNOWN]],
    ['=5', ['' => $UNKNOWN]],
    ['limit[]=5', ['limit[]' => $UNKNOWN]],
    ['limit=0&page=2&starting_after=&limit=7', [limit => $LIMIT],
        [page => $UNKNOWN], [starting_after => $ID], [limit => $REPEATED]],
) {
    my ($query, @expected) = @$_;

    my $answer = $nginx->request('GET', "/v4/segments?$query");
    my $name = substr "list ?$query", 0, 40;

    is(envelope($answer), $INVALID, $name);
    is_deeply([map { [$_->{field}, $_->{message}] }
        @{ $answer->json->{error}{details} }], \@expected, "$name: what");
}

# the other operations know none

for (
    ['GET', '/system'], ['GET', '/a'], ['POST', ''], ['PUT', '/a'],
    ['DELETE', '/a'],
) {
    my ($method, $suffix) = @$_;

    for my $query (qw(limit=5 starting_after=a x=1)) {
        is(envelope($nginx->request($method, "/v4/segments$suffix?$query",
            $method =~ /^P/ ? (body => $body) : ())),
            $INVALID, "$method $suffix?$query");
    }
}

is(envelope($pass->request('GET', '/v4/segments?limit=0&x=1')), $INVALID,
    'unknown pass: documented are still checked');
is(envelope($pass->request('GET', '/v4/segments?limit=1&x=1&limit=2')),
    $INVALID, 'unknown pass: and not repeated');

is($upstream->count, $forwarded, 'nothing of that went upstream');

# let through where unknown members are

for (
    ['GET', '?limit=5&x=%20%26&x=2'], ['GET', '/system?limit=0'],
    ['GET', '/a?expand=conditions'], ['POST', '?dry_run'], ['PUT', '/a?x=1'],
    ['DELETE', '/a?force=1'],
) {
    my ($method, $suffix) = @$_;

    like($pass->request($method, "/v4/segments$suffix",
        $method =~ /^P/ ? (body => $body) : ())->status, qr/^2/,
        "unknown pass: $method $suffix");
    is(($upstream->requests)[-1]->uri, "/v4/segments$suffix",
        "unknown pass: $method $suffix upstream");
}

done_testing();
