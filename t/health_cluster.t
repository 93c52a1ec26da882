#!/usr/bin/perl

# segments_health where Redis has several nodes: each master of a cluster's
# slots, the master that the sentinels name.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Segments::Cluster;
use Segments::Sentinels;
use Segments::Test;

my %set = (segments_redis_timeout => slow_ms(400),
    segments_redis_connect_timeout => slow_ms(400),
    segments_idempotency_lease => '300s');

my $upstream = upstream();

sentinels();
cluster();

done_testing();


sub gateway {
    my ($url) = @_;

    return nginx(upstream => $upstream, redis => $url, set => \%set,
        server => 'location = /health { segments_health; }');
}


# status, word, and the ports of nodes, those that are unusable with "!"

sub health {
    my ($gateway) = @_;

    my $answer = $gateway->request('GET', '/health');
    my $said = JSON::PP->new->decode($answer->body);
    my ($redis) = @{ $said->{redis} };

    return join ' ', $answer->status, $said->{status}, sort map {
        $_->{node} =~ s/.*://r . ($_->{usable} ? '' : '!');
    } @{ $redis->{nodes} };
}


# one after the other, for the map may be made anew meanwhile

sub becomes {
    my ($gateway, $name, $expected) = @_;

    my $said;

    wait_for { ($said = health($gateway)) eq $expected } 40,
        "$name: $expected";

    return is($said, $expected, $name);
}


sub sentinels {
    my $s = Segments::Sentinels->start(replicas => 1, sentinels => 3);
    my $gateway = gateway($s->url);
    my $master = $s->master;

    becomes($gateway, 'sentinels, before the first request',
        '200 ok ' . $master->port);

    # who never hears of a master has none to name

    is(health(gateway('redis+sentinel://127.0.0.1:' . free_port()
        . ',127.0.0.1:' . free_port() . '/the-master')),
        '503 unusable', 'no sentinel');

    $s->kill_master;

    my $new = $s->wait_master($master);

    becomes($gateway, 'another master', '200 ok ' . $new->port);

    return;
}


sub cluster {
    my $cluster = Segments::Cluster->start;
    my $gateway = gateway($cluster->url);
    my @ports = sort map { $_->port } $cluster->masters;

    becomes($gateway, 'a cluster, before the first request', "200 ok @ports");

    # their replicas wait for the time that the test does not have

    my ($gone, @others) = $cluster->masters;
    my $port = $gone->port;
    my @left = sort map { $_ == $port ? "$_!" : $_ } @ports;

    $_->process->signal('STOP') for grep { $_->cmd('ROLE')->[0] eq 'slave' }
        $cluster->servers;

    $gone->stop('KILL');

    becomes($gateway, 'one of three masters is gone', "503 unusable @left");

    # the others agree that it is, and refuse all commands: they answer

    my @none = sort map { "$_!" } @ports;

    becomes($gateway, 'and the cluster fails', "503 unusable @none");

    my $late = gateway($cluster->url(@others));

    like(health($late), qr/^503 unusable/, 'a worker that comes then');

    return;
}
