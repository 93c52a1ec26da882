#!/usr/bin/perl

# How many workers find a Redis unusable: each says so for itself, whoever is
# asked.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw(sleep);

use Segments::Metrics;
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();
my $other = redis_server();

# the other one is written in two ways, for two databases and for one twice

my $nginx = nginx(upstream => $upstream, redis => $redis, workers => 2,
    http   => 'segments_zone segments 1m;',
    server => 'location /metrics { segments_metrics; }'
        . guarded('/one', $other->tcp_url . '/1')
        . guarded('/two', $other->tcp_url . '/2')
        . guarded('/again', $other->tcp_url . '/2'),
    set => { segments_redis_timeout => slow_ms(200),
        segments_redis_connect_timeout => slow_ms(200),
        segments_idempotency_lease => slow_ms(1000) });
my @urls = ($redis->url, map { $other->tcp_url . "/$_" } 1, 2);

is_deeply(unusable(), { map { $_ => 0 } @urls }, 'none, and each is named');

# each worker finds it out, though nobody asks for anything

$other->stop;
is($nginx->create(key => 'k')->status, 201, 'the first one works');

wait_for {
    unusable()->{ $urls[1] } == 2 && unusable()->{ $urls[2] } == 2
} 30, 'both workers to look';
is_deeply(unusable(), { $urls[0] => 0, $urls[1] => 2, $urls[2] => 2 },
    'both workers, and only where it is so');

# killed while it says so

$nginx->kill_worker;
wait_for { unusable()->{ $urls[1] } == 1 } 10, 'the place to be taken';
pass('not the one that comes next');
until_unusable('/one', 1, 2);

# and the old ones go

$nginx->reload;
wait_for { unusable()->{ $urls[1] } == 0 } 10, 'the old workers to end';
pass('not those that come after a reload');
until_unusable('/two', 2, 2);

# until it works again

$other->start;

wait_for { unusable()->{ $urls[2] } == 0 } 30,
    'both workers to find it usable';
pass('usable again');

# closed once in a while, as idle connections are, it is not unusable

$redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal');
sleep slow(1.5);
is(unusable()->{ $urls[0] }, 0, 'a connection that was closed');

done_testing();


sub guarded {
    my ($location, $url) = @_;

    return "location $location { segments_gateway on;"
        . ' segments_secret_key_file %%DIR%%/secret; proxy_pass %%UPSTREAM%%;'
        . ' segments_redis_timeout ' . slow_ms(200) . ';'
        . ' segments_redis_connect_timeout ' . slow_ms(200) . ';'
        . " segments_idempotency_scope $location; segments_redis $url; } ";
}


sub request {
    my ($location) = @_;

    return ('POST', $location, key => 'k',
        body => {%Segments::Nginx::EXAMPLE});
}


sub unusable {
    my $metrics = Segments::Metrics->of($nginx);

    return { map { $_->[1]{redis} => $_->[2] }
        grep { $_->[0] eq 'segments_redis_unusable_workers' }
        $metrics->series };
}


sub until_unusable {
    my ($location, $url, $workers) = @_;

    wait_for {
        parallel(map { [$nginx, request($location)] } 1 .. 8);
        unusable()->{ $urls[$url] } == $workers
    } 20, "$workers workers to find $location unusable";

    return pass("$location: $workers workers");
}
