#!/usr/bin/perl

# INFO is no part of what a connection begins with, but the first that is asked
# on it, and nothing waits for it.  A node that refuses it, or hangs up on it as
# some proxies do, is not asked again, nor one that leaves it unanswered twice.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Cluster;
use Segments::Dialogue;


my $upstream = upstream();

my %set = (
    segments_redis_timeout         => slow_ms(2000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => '300s',
);

sub gateway {
    my ($redis, %more) = @_;

    return nginx(upstream => $upstream, redis => $redis, log_level => 'notice',
        set => { %set, %more });
}

# the fake Redis does not answer INFO by itself here

$Segments::FakeRedis::Player::INFO = 1;

my $REFUSED =
    qr/\[notice\] .* redis does not answer INFO and is not asked again/;
my $LATE = qr/\[notice\] [^\n]* redis did not answer INFO in time and is asked/;


# before all else, and then not before the next connection

my $fake = fake_redis(hello(),
    [EXPECT => 'INFO'], says(claim => 'a'),
    [SEND => bulk("maxmemory:1\r\nmaxmemory_policy:"
        . "allkeys-lru\r\ncluster_enabled:0\r\n"), ['mismatch']],
    says(claim => 'b'), [SEND => ['mismatch']],
    says(claim => 'c'), [SEND => ['mismatch']],
    ['CLOSE'],
    hello('second'),
    [EXPECT => 'INFO'], says(claim => 'd'),
    [SEND => '-NOPERM what else', ['mismatch']],
    ['CLOSE'],
    hello('third'),
    says(claim => 'e'), [SEND => ['mismatch']],
    says(claim => 'f'), [SEND => ['mismatch']],
);
my $gateway = gateway($fake);

is($gateway->create(key => $_)->status, 422, "$_, answered") for qw(a b c);
$gateway->wait_log(qr/maxmemory-policy "allkeys-lru"/);
is($gateway->create(key => 'd')->status, 422, 'd, answered');
$gateway->wait_log($REFUSED);
is($gateway->create(key => $_)->status, 422, "$_, answered") for qw(e f);
ok($fake->played, 'refused, and not asked again');
unlike($gateway->error_log, qr/what else/, 'refused, in our words');
$gateway->quit;


# a proxy that hangs up on what it does not know: nobody's request suffers

$fake = fake_redis(hello(),
    [EXPECT => 'INFO'], says(claim => 'a'), ['CLOSE'],
    hello('second'),
    says(claim => 'a'), [SEND => ['mismatch']],
    says(claim => 'b'), [SEND => ['mismatch']],
    ['CLOSE'],
    hello('third'),
    says(claim => 'c'), [SEND => ['mismatch']],
);
$gateway = gateway($fake);

is($gateway->create(key => $_)->status, 422, "$_, answered by the proxy")
    for qw(a b c);
ok($fake->played, 'hung up, and not asked again');
$gateway->wait_log($REFUSED);

# until a reload

$gateway->quit;


# what is no answer to it is a refusal, too

$fake = fake_redis(hello(),
    [EXPECT => 'INFO'], says(claim => 'a'), [SEND => ':1'], ['CLOSED'],
    hello('second'),
    says(claim => 'a'), [SEND => ['mismatch']],
    says(claim => 'b'), [SEND => ['mismatch']],
);
$gateway = gateway($fake);

is($gateway->create(key => 'a')->status, 422, 'a, answered');
$gateway->wait_log($REFUSED);
is($gateway->create(key => 'b')->status, 422, 'b, answered');
ok($fake->played, 'nonsense, and not asked again');
$gateway->quit;


# one that comes too late is asked again on another connection, and what the
# server can do is known then; two in a row are a refusal

my $VERSION = "redis_version:8.4.0\r\n";

sub late {
    my ($connection, $key) = @_;

    return hello($connection),
        [EXPECT => 'INFO'], says(claim => $key), says(give_back => $key),
        [WAIT => "$key is late"], [SEND => bulk($VERSION), ['ok'], ['ok']];
}

# less than the second of silence after which another one is made

my %short = (segments_redis_timeout => '500ms');
$fake = fake_redis(
    late('first', 'a'), says(claim => 'b'), [SEND => ['mismatch']], ['CLOSE'],
    hello('second'), [EXPECT => 'INFO'], says(claim => 'c'),
    [SEND => bulk($VERSION), ['mismatch']],
    [EXPECT => 'SET', qr/:d\}:create\z/, qr/\A1c/, 'NX', 'GET', '...'],
    [SEND => '-ERR no'], ['CLOSE'],
    late('third', 'e'), ['CLOSE'],
    late('fourth', 'f'), ['CLOSE'],
    hello('fifth'), says(claim => 'g'), [SEND => ['mismatch']],
);
$gateway = gateway($fake, %short);

is($gateway->create(key => 'a')->status, 503, 'a, too late');
$gateway->wait_log($LATE);
$fake->go('a is late');
$fake->wait_step(8);
is($gateway->create(key => 'b')->status, 422, 'b, by a script');
is($gateway->create(key => 'c')->status, 422, 'c, on another connection');
is($gateway->create(key => 'd')->status, 503, 'd, as the server can');
is($gateway->create(key => 'e')->status, 503, 'e, too late again');
$gateway->wait_log(qr/$LATE.*$LATE/s);
$fake->go('e is late');
$fake->wait_step(29);
unlike($gateway->error_log, $REFUSED, 'once is chance');
is($gateway->create(key => 'f')->status, 503, 'f, twice in a row');
$gateway->wait_log($REFUSED);
$fake->go('f is late');
$fake->wait_step(38);
is($gateway->create(key => 'g')->status, 422, 'g, answered');
ok($fake->played, 'too late, dialogue');
$gateway->quit;


# the connection that takes the place of a silent one is another one, too

my $TOKEN = bind_word('token');

$fake = fake_redis(hello(),
    [EXPECT => 'INFO'], says(claim => 'a'),
    [SEND => bulk("maxmemory:0\r\n"), ['mismatch']],
    says(claim => 'b', $TOKEN),
    hello('second'),
    [EXPECT => 'INFO'], says(claim => 'b', $TOKEN),
    [SEND => bulk("maxmemory:1\r\nmaxmemory_policy:"
        . "allkeys-lru\r\ncluster_enabled:0\r\n"), ['mismatch']],
    says(claim => 'c'), [SEND => ['mismatch']],
);
$gateway = gateway($fake);

is($gateway->create(key => 'a')->status, 422, 'a, answered');
select undef, undef, undef, 1.1;        # nothing is heard for so long
is($gateway->create(key => 'b')->status, 422, 'b, answered by another one');
$gateway->wait_log(qr/maxmemory-policy "allkeys-lru"/);
is($gateway->create(key => 'c')->status, 422, 'c, answered');
ok($fake->played, 'another one, and asked');
$gateway->quit;


# many at once: asked before the first

my $redis = redis_server();
$gateway = gateway($redis);

my ($before, $own) = (infos(), 0);

parallel(map { [$gateway, $gateway->create_request(key => "m$_")] } 1 .. 50);
wait_for { infos() - $before > ++$own } 10, 'INFO';
unlike($gateway->error_log, $REFUSED, 'answered');
$gateway->quit;


# a node of a cluster says so of itself, or by sending a command elsewhere

my $cluster = Segments::Cluster->start;
my ($server) = $cluster->masters;

$gateway = gateway('redis://127.0.0.1:' . $server->port);

my %statuses;

$statuses{ $gateway->create(key => "k$_")->status }++ for 1 .. 20;

my @told = grep { /redis is a node of a cluster/ } split /\n/,
    $gateway->error_log;

is(scalar(@told), 1, 'a node of a cluster, told once') or diag @told;
like($told[0] // '', qr{\[error\] .* begins with "redis\+cluster://" while},
    'and what to do');
$gateway->quit;

$gateway = gateway($cluster->url);
is($gateway->create(key => 'well')->status, 201, 'the cluster');
unlike($gateway->error_log, qr/redis is a node of a cluster/,
    'nothing is told of a cluster');
$gateway->quit;

done_testing();


# of which the one that asks is not yet counted

sub infos {
    my %calls = $redis->calls;

    return $calls{info} // 0;
}
