#!/usr/bin/perl

# After a failover the last error comes soon after the first sentinel knows of
# it, whether or not they may be subscribed to; an idle worker hears of it, too.
# A name that they do not know is said, once, and opens the breaker once.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Sentinels;

use Time::HiRes qw(time);


my $upstream = upstream();

my %set = (
    segments_redis_timeout         => slow_ms(200),
    segments_redis_connect_timeout => slow_ms(200),
    segments_idempotency_lease     => '60s',
);

sub gateway {
    my ($s, %more) = @_;

    my $url = delete $more{url} // $s->url;

    return nginx(upstream => $upstream, redis => $url,
        set => { %set, %more });
}

sub subscribers {
    my ($s) = @_;

    return map { scalar(() = $_->cmd('CLIENT', 'LIST') =~ / sub=1 /g) }
        $s->sentinels;
}


# how long errors go on after a sentinel knows

sub failover {
    my ($s, $gateway, $name) = @_;

    my $old = $s->master;
    my $port = $old->port;
    my ($requests, $last, $known, $until, %said) = (0, 0);

    $old->wait_replicas(1);
    $s->kill_master;

    while (!$until || time < $until) {
        for my $sentinel ($s->sentinels) {
            last if $known;

            my $place = eval { $sentinel->cmd('SENTINEL',
                'GET-MASTER-ADDR-BY-NAME', 'the-master') } or next;

            next if $place->[1] == $port;

            $known = time;
            $until = $known + slow(2);
        }

        my $answer = $gateway->create(key => "$port-" . $requests++);

        $said{ $answer->summary }++;
        $last = time if $answer->status != 201;
    }

    cmp_ok($last - $known, '<=', slow(0.3), "$name, the last error")
        or diag explain \%said;
    cmp_ok($said{'503 - storage_error'}, '>', 0, "$name, there were errors");

    return;
}

my $s = Segments::Sentinels->start(replicas => 2, sentinels => 3);
my $gateway = gateway($s);
my $idle = gateway($s);

is($_->create(key => 'k')->status, 201, 'at first') for $gateway;
is($_->create(key => 'i')->status, 201, 'at first') for $idle;
wait_for { !grep { $_ < 2 } subscribers($s) } 20, 'the subscriptions';
pass('each sentinel is subscribed to');

failover($s, $gateway, 'subscribed');

$idle->wait_log(qr/"the-master" is now at/);
pass('an idle worker has heard of it');
$_->quit for $gateway, $idle;


# sentinels that do not let themselves be subscribed to

$s = Segments::Sentinels->start(replicas => 2, sentinels => 3, sentinel =>
    'user default on nopass sanitize-payload ~* &* +@all -subscribe');

$gateway = gateway($s);

is($gateway->create(key => 'k')->status, 201, 'no SUBSCRIBE, at first');
$gateway->wait_log(qr/redis refused SUBSCRIBE with "NOPERM"/);

failover($s, $gateway, 'no SUBSCRIBE');
is(scalar(() = $gateway->error_log =~ /refused SUBSCRIBE/g), 3,
    'no SUBSCRIBE, each refusal is logged once');
$gateway->quit;


# a name that they do not know

$gateway = gateway($s, url => $s->url =~ s/the-master\z/another/r,
    segments_redis_breaker => 'failures=3 retry=' . slow_ms(100));

my $start = time;

while (time - $start < slow(3)) {
    $gateway->create(key => 'another');
}

my $log = $gateway->error_log;

is(scalar(() = $log =~ /sentinel names no master "another"/g), 3,
    'another name, each says so once');
is(scalar(() = $log =~ /the breaker opens/g), 1, 'the breaker opens once');
is(scalar(() = $log =~ /the breaker closes/g), 0, 'and stays open');

for my $sentinel ($s->sentinels) {
    $sentinel->cmd('SENTINEL', 'MONITOR', 'another', '127.0.0.1',
        $s->master->port, 2);
}

wait_for { $gateway->create(key => 'another')->status == 201 } 20,
    'the name to be known';
$gateway->wait_log(qr/the breaker closes/);
pass('until the name is known');
$gateway->quit;

done_testing();
