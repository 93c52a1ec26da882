#!/usr/bin/perl

# segments_operations: a location lets through what it is told to, no more.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $body = { name => 'Premium users' };

my %requests = (
    create      => ['POST', ''],
    list        => ['GET', ''],
    list_system => ['GET', '/system'],
    get         => ['GET', '/a'],
    update      => ['PUT', '/a'],
    delete      => ['DELETE', '/a'],
);

my @operations = qw(create list list_system get update delete);

# what is set, and what "Allow" then says of the collection, of "system" and of
# a segment

my @rows = (
    [undef,               ['create'],             'POST',      '',    ''],
    ['create',            ['create'],             'POST',      '',    ''],
    ['list',              ['list'],               'GET',       '',    ''],
    ['list_system',       ['list_system'],        '',          'GET', ''],
    ['get',               ['get'],                '',          '',    'GET'],
    ['update',            ['update'],             '',          '',    'PUT'],
    ['delete',            ['delete'],             '',          '',    'DELETE'],
    ['create get update', [qw(create get update)], 'POST', '', 'GET, PUT'],
    ['all',               \@operations,           'GET, POST', 'GET',
        'GET, PUT, DELETE'],
    map { [$_, \@operations, 'GET, POST', 'GET', 'GET, PUT, DELETE'] }
        'create all', 'all create', 'get all list',
        'create; segments_operations all', 'all; segments_operations get',
);

my $location = <<'CONF';
segments_gateway on;
            segments_secret_key_file %%DIR%%/secret;
            segments_idempotency off;
            proxy_pass %%UPSTREAM%%;
CONF

my $nginx = nginx(upstream => $upstream, conf => <<"CONF");
%%MAIN%%
events { }
http {
%%HTTP%%
    server {
        listen 127.0.0.1:%%PORT%%;
@{[ map { <<"LOCATION" } 0 .. $#rows ]}
        location /$_/segments {
            $location
            @{[ $rows[$_][0] ? "segments_operations $rows[$_][0];" : '' ]}
        }
LOCATION
    }
}
CONF

for my $n (0 .. $#rows) {
    my ($set, $allowed, $collection, $system, $segment) = @{ $rows[$n] };
    my %allow = ('' => $collection, '/system' => $system, '/a' => $segment);

    $set //= 'by default';

    for my $operation (@operations) {
        my ($method, $suffix) = @{ $requests{$operation} };
        my $sent = $upstream->count;

        my $answer = $nginx->request($method, "/$n/segments$suffix",
            $method =~ /^P/ ? (body => $body) : ());

        if (grep { $_ eq $operation } @$allowed) {
            like($answer->status, qr/^2/, "$set: $operation");
            is($upstream->count, $sent + 1, "$set: $operation forwarded");
            next;
        }

        is(envelope($answer), '405 request/invalid_request',
            "$set: no $operation");
        is_deeply([$answer->headers('Allow')], [$allow{$suffix}],
            "$set: allowed instead of $operation");
        is($upstream->count, $sent, "$set: $operation not forwarded");
    }
}

done_testing();
