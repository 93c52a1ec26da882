#!/usr/bin/perl

# A cluster may have numbered databases (Valkey from 9.0 on): the records are
# where the URL says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $server = $ENV{TEST_REDIS_SERVER} // 'redis-server';
my ($valkey) = `$server --version 2>&1` =~ /\AValkey server v=([0-9]+)\./;

plan(skip_all => "$server has one database in a cluster")
    if ($valkey // 0) < 9;

my $upstream = upstream();
my $redis = redis_server(options => { 'cluster-enabled' => 'yes',
    'cluster-port' => free_port(), 'cluster-databases' => 16 });

$redis->cmd('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
wait_for { $redis->cmd('CLUSTER', 'INFO') =~ /cluster_state:ok/ } 20,
    'the cluster';

my $gateway = nginx(upstream => $upstream,
    redis => 'redis+cluster://127.0.0.1:' . $redis->port . '/3', set => {
        segments_redis_timeout => slow_ms(600),
    });

is($gateway->create(key => 'k')->summary, '201 recorded', 'recorded');
is($gateway->create(key => 'k')->summary, '201 replayed marked', 'replayed');
is($upstream->count, 1, 'one upstream request');

$redis->cmd('SELECT', 0);
is($redis->cmd('DBSIZE'), 0, 'nothing in the first database');
$redis->cmd('SELECT', 3);
is($redis->cmd('DBSIZE'), 1, 'the record in the other');

done_testing();
