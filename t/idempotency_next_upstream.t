#!/usr/bin/perl

# nginx's own choice of the next server: only for a create that was not sent.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my @servers = (upstream(), upstream());
my $redis = redis_server();

my $group = join ' ', map { 'server 127.0.0.1:' . $_->port
    . ' max_fails=0;' } @servers;
my $http = "upstream api { $group }";
my %args = (upstream => 'http://api', redis => $redis, http => $http);
my %set = (%Segments::Nginx::PATIENT,
    proxy_next_upstream => 'error timeout invalid_header http_500 http_502 '
        . 'http_503 http_504 http_403 http_404 http_429',
    proxy_read_timeout  => slow_ms(500));


sub total { return $servers[0]->count + $servers[1]->count }


my %ends = (
    'rst'                 => '502 unstored network_error',
    'close=after-read'    => '502 unstored network_error',
    'close=mid-headers'   => '502 unstored network_error',
    'garbage'             => '502 unstored network_error',
    'hold=never'          => '504 unstored network_error',
    'status=500'          => '500 unstored mock_500',
    'status=503'          => '503 unstored mock_503',
    'status=429'          => '429 unstored mock_429',
    'status=404'          => '404 recorded mock_404',
);

my $nginx = nginx(%args, set => { %set });
my $n = 0;

for my $mock (sort keys %ends) {
    my $count = total();
    my $answer = $nginx->create(key => 'k' . ++$n, mock => $mock);

    is($answer->summary, $ends{$mock}, "$mock");
    is(total(), $count + 1, 'sent once');
}

# the upstream's own words, not nginx's

is($nginx->create(key => 'words', mock => 'status=500; text=mine')->body,
    'mine', 'body of an error');

# refused by the first: the second gets it, once

$servers[0]->stop;

for my $try (1, 2) {
    my $count = $servers[1]->count;

    is($nginx->create(key => "moved$try")->summary, '201 recorded',
        'sent to the next server');
    is($servers[1]->count, $count + 1, 'once');
    is($nginx->create(key => "moved$try")->summary, '201 replayed marked',
        'remembered');
}

# refused by the first, and no answer from the second: it was sent

my $fresh = nginx(%args, set => { %set, segments_redis_prefix => 'fresh:' });

is($fresh->create(key => 'k', mock => 'rst')->summary,
    '502 unstored network_error', 'sent to the next server, no answer');

my ($name) = $redis->keys('fresh:*');
is($name && $redis->record($name)->{state}, 'unknown', 'unknown, not free');

# refused by both: it was not

$servers[1]->stop;

my $none = nginx(%args, set => { %set, segments_redis_prefix => 'none:' });

is($none->create(key => 'k')->summary, '502 unstored network_error',
    'refused by all');
is_deeply([$redis->keys('none:*')], [], 'key free');

done_testing();
