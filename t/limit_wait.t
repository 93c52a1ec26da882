#!/usr/bin/perl

# Duplicates that wait cost nothing; one that runs instead of the first one pays
# once, however often it has asked.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Dialogue;
use Segments::Limits;
use Segments::Test;


my $KEY = 'segments:{live:}:limit:default';

my $upstream = upstream();
my $redis = redis_server();

sub gateway {
    my (%set) = @_;

    my $server = delete $set{redis} // $redis;

    return nginx(upstream => $upstream, redis => $server, set => {
        %Segments::Nginx::PATIENT,
        segments_idempotency_wait  => slow_ms(30_000),
        segments_idempotency_lease => '900s',
        segments_rate_limit        => 'rate=1r/h burst=4',
        %set,
    });
}

sub send_create {
    my ($gateway, $key, @more) = @_;

    my $c = $gateway->connect;
    $c->send_request($gateway->create_request(key => $key, @more));

    return $c;
}


# one that runs, and so many that have asked twice and wait

sub waiting {
    my ($owner, $gateway, $key, $count, $mock) = @_;

    my $first = send_create($owner, $key,
        mock => "hold=$key; " . ($mock // ''));
    $upstream->wait_held($key);

    my $asked = $redis->commands->{evalsha};
    my @waiting = map { send_create($gateway, $key) } 1 .. $count;

    wait_for { $redis->commands->{evalsha} >= $asked + 2 * $count } 10,
        'duplicates to wait';

    return ($first, @waiting);
}


# what each was answered, and what it was told to be left

sub answers {
    return join ', ', sort map {
        my $answer = $_->read_response(slow(40));
        my ($left) = ($answer->header('RateLimit') // '') =~ /r=([0-9]+)/;
        $answer->summary . (defined $left ? " r=$left" : '');
    } @_;
}


my $gateway = gateway();
my $other = gateway();

$gateway->create(key => 'warm');
$other->create(key => 'warm');
$redis->cmd('DEL', $KEY);

my ($first, @waiting) = waiting($gateway, $other, 'good', 4);

$upstream->release('good');
is(answers($first), '201 recorded r=4', 'the first pays');
is(answers(@waiting), join(', ', ('201 replayed marked r=4') x 4),
    'the others do not');

# the first fails: one of them runs, and pays

($first, @waiting) = waiting($gateway, $other, 'bad', 4, 'status=500');
$upstream->release('bad');
is(answers($first), '500 unstored mock_500 r=3', 'the first pays');
is(answers(@waiting), join(', ', '201 recorded r=2',
    ('201 replayed marked r=2') x 3), 'the next pays, the others do not');

# and when nothing is left, none of them runs

($first, @waiting) = waiting($gateway, $other, 'last', 3, 'status=500');
is($gateway->create->header('RateLimit') =~ s/;t=.*//r, '"default";r=0',
    'nothing is left');
$upstream->release('last');
is(answers($first), '500 unstored mock_500 r=1', 'the first has paid');
is(answers(@waiting), join(', ', ('429 - rate_limit_exceeded r=0') x 3),
    'the others are refused');
earn($redis, $KEY, 3600);
is($gateway->create(key => 'last')->summary, '201 recorded',
    'the key is not lost');

$_->stop for $gateway, $other;

# Redis was unusable meanwhile: that is forgotten when it is there

my %short = (
    segments_redis_timeout         => slow_ms(500),
    segments_redis_connect_timeout => slow_ms(1000),
    segments_idempotency_lease     => slow_ms(1500),
);

$gateway = gateway(%short);
$other = gateway(%short);
$redis->cmd('DEL', $KEY);

($first, @waiting) = waiting($gateway, $other, 'gone', 3);
$redis->stop;
$gateway->kill_worker;
$other->wait_log(qr/Connection refused|No such file/, 20);
$redis->start;

is(answers(@waiting), join(', ', '201 recorded r=4',
    ('201 replayed marked r=4') x 2), 'Redis was gone: one pays');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

my $fake = fake_redis(
    hello('commands'),
    [EXPECT => 'EVALSHA', '...'],
    [SEND => ['in_progress', ':60000', ['read', ':4', ':9']]],
    [ACCEPT => 'channel'], [EXPECT => 'PING'],
    [EXPECT => 'SUBSCRIBE', bind_word('channel')],
    [SEND => '+PONG', sub { my %bound = @_;
        ['subscribe', $bound{channel}, ':1'] }],
    [ON => 'commands'],
    [EXPECT => 'EVALSHA', '...'],
    [SEND => '-ERR not now'],
    [EXPECT => 'EVALSHA', qr/./, 2, qr/:k\}:create\z/, $KEY, 'claim', '...'],
    [SEND => ['ok', ['spent', ':3', ':9']]],
    says(complete => 'k'),
    [SEND => ['ok']],
);

$gateway = gateway(redis => $fake);
is(answers(send_create($gateway, 'k')), '201 recorded r=3',
    'a refused claim is forgotten when the next one is not');
ok($fake->played, 'dialogue');

done_testing();
