#!/usr/bin/perl

# What is counted of limits, by their names, and of the size of records.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Metrics;
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();

my $nginx = nginx(upstream => $upstream, redis => $redis,
    http   => 'segments_zone segments 1m;',
    server => 'location /metrics { segments_metrics; }'
        . place('/dry', 'segments_rate_limit_dry_run on;'
            . ' segments_rate_limit rate=1r/d name=a;')
        . place('/none', ''),
    set => { segments_rate_limit => ['rate=1r/d burst=1 name=a',
        'rate=1r/d burst=3 name=b key=$http_x_b',
        'rate=1r/s burst=99 name=c'] });

is_deeply(refusals('/v4/segments'), { map { ("$_ no" => 0, "$_ yes" => 0) }
    qw(a b c) }, 'a zero for each limit');
is_deeply(refusals('/none'), {}, 'and none where there is no limit');

# two pass, and then the first limit refuses

is(join(' ', map { $nginx->create(key => $_)->status } 1 .. 4),
    '201 201 429 429', 'a limit');
is_deeply(refused('/v4/segments'), { 'a no' => 2 }, 'refused by its name');

# a replay is not limited

is($nginx->create(key => 1)->status, 200 + 1, 'a replay');
is($nginx->create(key => 1)->header('Idempotent-Replayed'), 'true', 'marked');
is_deeply(refused('/v4/segments'), { 'a no' => 2 }, 'replays are not counted');

# both at once

my @bucket = map { $nginx->create(key => "b$_",
    headers => ['X-B' => 'x'])->status } 1 .. 2;

is("@bucket", '429 429', 'with another limit, too');
is_deeply(refused('/v4/segments'), { 'a no' => 4 },
    'the one that had some left has not refused');

# a dry run sends all of them

is(join(' ', map { $nginx->request('POST', '/dry', key => "d$_",
    body => {%Segments::Nginx::EXAMPLE})->status } 1 .. 3), '201 201 201',
    'a dry run');
is_deeply(refused('/dry'), { 'a yes' => 2 }, 'counted apart')
    or diag(explain(refusals('/dry')));

# over a reload, which turns it off

$nginx->configure(server => 'location /metrics { segments_metrics; }'
    . place('/dry', 'segments_rate_limit rate=1r/d name=a;'));
$nginx->reload;

is($nginx->request('POST', '/dry', key => 'r',
    body => {%Segments::Nginx::EXAMPLE})->status, 429, 'no dry run any more');
is_deeply(refused('/dry'), { 'a yes' => 2, 'a no' => 1 },
    'and both are still known');

# records: two answers were taken, of the same size

my $metrics = Segments::Metrics->of($nginx);
my %place = (location => '/v4/segments');

is($metrics->value('segments_record_bytes_count', %place), 2, 'records');

my $bytes = $metrics->value('segments_record_bytes_sum', %place) / 2;

cmp_ok($bytes, '>', 100, 'bytes of each');
cmp_ok($bytes, '<', 2000, 'and no more than there are');
is($metrics->value('segments_record_bytes_bucket', %place, le => '128'), 0,
    'none is so small');
is($metrics->value('segments_record_bytes_bucket', %place, le => '2048'), 2,
    'bounds are bytes');
is($metrics->value('segments_record_bytes_bucket', %place, le => '1048576'), 2,
    'to the largest');
is($metrics->value('segments_record_bytes_count', location => '/dry'), 3,
    'of another place');

done_testing();


sub place {
    my ($location, $limits) = @_;

    return "location $location { segments_gateway on; $limits"
        . ' segments_secret_key_file %%DIR%%/secret; segments_redis '
        . $redis->url . "; segments_redis_prefix $location:;"
        . ' proxy_pass %%UPSTREAM%%; } ';
}


sub refusals {
    my ($location) = @_;

    return { map { ("$_->[1]{limit} $_->[1]{dry_run}" => $_->[2]) }
        grep { $_->[0] eq 'segments_rate_limit_refusals_total'
            && $_->[1]{location} eq $location }
        Segments::Metrics->of($nginx)->series };
}


sub refused {
    my ($location) = @_;

    my $all = refusals($location);

    return { map { $all->{$_} ? ($_ => $all->{$_}) : () } keys %$all };
}
