#!/usr/bin/perl

# A name is resolved when the configuration is read, and again by nginx'
# resolver when a connection is made.  All its addresses are tried, and those
# that are known serve while the resolver fails.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::DNS;


# the name that every machine knows; where Redis is, only the name server says

my $upstream = upstream();
my $redis = redis_server(options => { bind => '127.0.0.2' });
my $port = $redis->port;
my $dns = Segments::DNS->start(localhost => ['127.0.0.2']);

my %set = (
    segments_redis_timeout         => slow_ms(1000),
    segments_redis_connect_timeout => slow_ms(500),
    segments_redis_breaker         => 'off',
);

sub gateway {
    my ($resolver) = @_;

    return nginx(upstream => $upstream, redis => "redis://localhost:$port",
        http => $resolver ? "resolver $resolver valid=1s ipv6=off;" : '',
        set => \%set);
}

sub cut {
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    return;
}


my $gateway = gateway();

is($gateway->create(key => 'a')->status, 503, 'no resolver');
like($gateway->error_log, qr/connect\(\) failed .* peer: 127\.0\.0\.1:$port/,
    'no resolver, the address of the start');
$gateway->stop;

$gateway = gateway($dns->address);

is($gateway->create(key => 'a')->summary, '201 recorded', 'resolved');
is($dns->queries('localhost'), 1, 'asked once');
is($gateway->create(key => 'a')->summary, '201 replayed marked',
    'one connection');
is($dns->queries('localhost'), 1, 'not asked for each command');


# a new address after a connection was lost; the first one refuses

$dns->set(localhost => ['127.0.0.3', '127.0.0.2', '127.0.0.4']);
select undef, undef, undef, 2.1;        # what nginx itself remembers
cut();
wait_for { $gateway->create(key => 'b')->status == 201 } 20, 'Redis';
cmp_ok($dns->queries('localhost'), '>=', 2, 'asked again');


# the name server does not know it, or does not answer

for my $row (
    [[], qr/"localhost" could not be resolved \(3: Host not found\)/],
    ['silence', qr/"localhost" could not be resolved \(110: Operation timed/],
) {
    my ($zone, $pattern) = @$row;

    my $mark = length $gateway->error_log;

    $dns->set(localhost => $zone);
    select undef, undef, undef, 2.1;
    cut();
    $gateway->wait_log(qr/redis closed the connection/, 10, $mark);

    wait_for { $gateway->create(key => 'c')->status == 201 } 20, 'Redis';
    like($gateway->error_log($mark), $pattern, 'the known address serves');
}

$gateway->quit;


# nothing known is right, and nobody answers: a request waits no longer

$gateway = gateway($dns->address);
is($gateway->create(key => 'd')->status, 503, 'silent resolver');
like($gateway->error_log, qr/connect\(\) failed .* peer: 127\.0\.0\.1:$port/,
    'silent resolver, the address of the start');
$dns->set(localhost => ['127.0.0.2']);
wait_for { $gateway->create(key => 'd')->status == 201 } 20, 'Redis';
is($gateway->create(key => 'd')->summary, '201 replayed marked', 'recovered');


# A name that nobody knows yet: nginx starts where there is a resolver, and
# finds Redis as soon as the name server knows it.

for my $url ("redis://later.invalid:$port",
    "redis+cluster://127.0.0.1:1,later.invalid:$port",
    "redis+sentinel://later.invalid/m")
{
    my ($code, $output) = check_config(redis => $url);

    isnt($code, 0, "$url, no resolver");
    like($output,
        qr/\[emerg\] .*host not found in Redis URL .*"later\.invalid" has/,
        "$url, why");

    ($code, $output) = check_config(redis => $url,
        http => 'resolver ' . $dns->address . ' valid=1s ipv6=off;');

    is($code, 0, "$url, a resolver") or diag $output;
    like($output, qr/\[warn\] .*"later\.invalid" is resolved when a connection/,
        "$url, a warning");
}

$dns->set('later.invalid' => []);
$gateway = nginx(upstream => $upstream, redis => "redis://later.invalid:$port",
    http => 'resolver ' . $dns->address . ' valid=1s ipv6=off;', set => \%set);

is($gateway->create(key => 'f')->status, 503, 'an unknown name');
like($gateway->error_log, qr/"later\.invalid" could not be resolved/,
    'an unknown name, log');
unlike($gateway->error_log, qr/a resolver might help/,
    'an unknown name, there is a resolver');
$dns->set('later.invalid' => ['127.0.0.2']);
wait_for { $gateway->create(key => 'f')->status == 201 } 20, 'Redis';
is($gateway->create(key => 'f')->summary, '201 replayed marked',
    'known, without a reload');
$gateway->quit;


# gone while it is asked

$dns->set(localhost => 'silence');
$gateway = gateway($dns->address);
my $c = $gateway->connect;
$c->send_request($gateway->create_request(key => 'e'));
wait_for { $gateway->error_log =~ /start worker/ } 10;
ok($gateway->quit(10), 'ends in the midst of it');

done_testing();
