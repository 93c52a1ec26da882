#!/usr/bin/perl

# When a request ends, one question serves all that wait for it in a worker;
# and where that cannot be, one asks after the other.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $N = 12;

my $upstream = upstream();
my $redis = redis_server();

my %set = (
    segments_redis_timeout         => slow_ms(5000),
    segments_redis_connect_timeout => slow_ms(5000),
    segments_idempotency_lease     => '300s',
    segments_idempotency_wait      => '60s',
);

my $gateway = nginx(upstream => $upstream, redis => $redis, set => \%set);
my $limited = nginx(upstream => $upstream, redis => $redis, set => { %set,
    segments_rate_limit => 'rate=1r/h burst=99' });
my $AGAIN = '201 replayed marked';


sub asked { return $redis->commands->{evalsha} // 0 }


# the first one, and all who wait for it: each was told that it is in progress
# by the script, which knows where to tell of its end

sub waiting {
    my ($nginx, $key, %more) = @_;

    my $first = $nginx->connect;

    $first->send_request($nginx->create_request(key => $key, %more,
        mock => "hold=$key" . ($more{mock} // '')));
    $upstream->wait_held($key);

    my $before = asked();
    my @waiting = map { $nginx->connect } 1 .. $N;

    $_->send_request($nginx->create_request(key => $key)) for @waiting;

    wait_for { asked() >= $before + 2 * $N } 20, 'all to wait';

    return ($first, @waiting);
}


sub summaries { return join ' | ', map { $_->read_response->summary } @_ }


# the connection, and the channel

$gateway->create(key => 'warm');
waiting_once($gateway, 'first');


# one for all

my $asked = waiting_once($gateway, 'once');

is($asked, 2, 'the answer, and one question');


# each tells about its own limits

$limited->create(key => 'warm-limits');
$asked = waiting_once($limited, 'limited');

is($asked, 1 + $N, 'the answer, and a question each');


# who wins the key is who is waited for then

my ($first, @waiting) = waiting($gateway, 'back', mock => ';status=429');
my $count = $upstream->count;

$upstream->release('back');
is($first->read_response->summary, '429 unstored mock_429', 'given back');
is(summaries(@waiting), join(' | ', '201 recorded', ($AGAIN) x ($N - 1)),
    'the next one runs, for all the others');
is($upstream->count, $count + 1, 'it is sent once');


# who leaves while it asks for all leaves that to the next one

($first, @waiting) = waiting($gateway, 'leaves');

my $leaver = shift @waiting;

$redis->pause;
$upstream->release('leaves');
$leaver->close;
$redis->resume;

is($first->read_response->summary, '201 recorded', 'answered');
is(summaries(@waiting), join(' | ', ($AGAIN) x ($N - 1)), 'and the others');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();


# how many scripts the end took

sub waiting_once {
    my ($nginx, $key) = @_;

    my ($owner, @others) = waiting($nginx, $key);
    my $before = asked();

    $upstream->release($key);

    is($owner->read_response->summary, '201 recorded', "$key, answered");
    is(summaries(@others), join(' | ', ($AGAIN) x $N), "$key, and the others");

    return asked() - $before;
}
