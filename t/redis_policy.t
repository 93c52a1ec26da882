#!/usr/bin/perl

# A Redis that may evict claims is warned of when a connection to it is made:
# once, and not where it cannot happen or may not be seen.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server(options => { maxmemory => '100mb' });

my %set = (
    segments_redis_timeout         => slow_ms(2000),
    segments_redis_connect_timeout => slow_ms(2000),
);

my $keys = 0;

# on a new connection

sub uses {
    my ($gateway, $name) = @_;

    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    is($gateway->create(key => 'k' . ++$keys)->status, 201, $name);

    return;
}

sub warnings_of {
    my ($gateway) = @_;

    return $gateway->error_log
        =~ /\[warn\] .* redis has maxmemory-policy "(\S+)"/g;
}


my $gateway = nginx(upstream => $upstream, redis => $redis, set => \%set);

uses($gateway, 'noeviction');
is_deeply([warnings_of($gateway)], [], 'noeviction, no warning');

for my $policy (qw(allkeys-lru volatile-ttl)) {
    $redis->cmd('CONFIG', 'SET', 'maxmemory-policy', $policy);

    uses($gateway, "$policy, connection $_") for 1 .. 3;
    is_deeply([(warnings_of($gateway))[-1]], [$policy], "$policy, warned");

    $redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    uses($gateway, "after $policy");
}

is(scalar(() = warnings_of($gateway)), 2, 'once each');

$redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
$redis->cmd('CONFIG', 'SET', 'maxmemory', 0);
uses($gateway, 'no limit');
is(scalar(() = warnings_of($gateway)), 2, 'no limit, no warning');
$gateway->quit;


# who may not see it is not told, and works

$redis->cmd('CONFIG', 'SET', 'maxmemory', '100mb');
$redis->cmd('ACL', 'SETUSER', 'blind', 'on', '>secret', '~*', '&*', '+@all',
    '-info');
spew(tempdir() . '/password', 'secret');

$gateway = nginx(upstream => $upstream, redis => 'redis://blind@127.0.0.1:'
    . $redis->port . ' password_file=' . tempdir() . '/password',
    set => \%set);

uses($gateway, 'denied');
unlike($gateway->error_log, qr/\[(?:warn|error)\].*(?:INFO|policy)/,
    'denied, silent');

done_testing();
