#!/usr/bin/perl

# What can go wrong while duplicates wait: they run only with a claim of their
# own, and are not forgotten.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Dialogue;
use Segments::Test;


my $BUSY = '409 in-progress idempotency_in_progress';
my $HELD = '504 held idempotency_outcome_unknown';
my $DOWN = '503 - storage_error';
my $AGAIN = '201 replayed marked';

my $upstream = upstream(honour_keys => 1);
my $redis = redis_server();

sub gateway {
    my (%set) = @_;

    my $server = delete $set{redis} // $redis;

    return nginx(upstream => $upstream, redis => $server, set => {
        %Segments::Nginx::PATIENT,
        segments_idempotency_wait => slow_ms(30_000),
        %set,
    });
}

my %SHORT = (
    segments_redis_timeout         => slow_ms(500),
    segments_redis_connect_timeout => slow_ms(1000),
    segments_idempotency_lease     => slow_ms(1500),
);


sub send_create {
    my ($gateway, $key, %more) = @_;

    my $c = $gateway->connect;
    $c->send_request($gateway->create_request(key => $key, %more));

    return $c;
}


sub running {
    my ($gateway, $key, %more) = @_;

    my $c = send_create($gateway, $key,
        mock => "hold=$key" . ($more{mock} // ''));
    $upstream->wait_held($key);

    return $c;
}


sub waiting {
    my ($gateway, $key, $count) = @_;

    my $asked = asked();
    my @waiting = map { send_create($gateway, $key) } 1 .. $count;
    wait_for { asked() >= $asked + 2 * $count } 10, 'duplicates to wait';

    return @waiting;
}


sub asked { return $redis->commands->{evalsha} // 0 }


sub subscribed {
    my (%bound) = @_;

    return ['subscribe', $bound{channel}, ':1'];
}


sub summaries {
    return join ', ', sort map { my $answer = $_->read_response(slow(40));
        $answer ? $answer->summary : 'no answer' } @_;
}


# the owner dies: when its lease is over, one of them runs

{
    my $owner = gateway(%SHORT);
    my $gateway = gateway(segments_idempotency_lease => '900s');
    my $first = running($owner, 'died', mock => '; effect');
    my @waiting = waiting($gateway, 'died', 5);

    $owner->kill_worker;

    is(summaries(@waiting), join(', ', '201 recorded', ($AGAIN) x 4),
        'owner died: one takes over');
    is($upstream->count, 2, 'one more upstream request');
    is($upstream->effects, 1, 'and one effect');
}


# under hold, they are told

{
    my ($owner, $gateway) = map {
        gateway(%SHORT, segments_idempotency_unknown => 'hold',
            segments_redis_prefix => 'hold:')
    } 1, 2;
    my $count = $upstream->count;

    my $first = running($owner, 'held', mock => '; status=500');
    my @waiting = waiting($gateway, 'held', 3);
    $upstream->release('held');

    is($first->read_response->status, 500, 'hold: the first fails');
    is(summaries(@waiting), join(', ', ($HELD) x 3), 'hold: nobody runs');

    running($owner, 'died-held');
    @waiting = waiting($gateway, 'died-held', 3);
    $owner->kill_worker;

    is(summaries(@waiting), join(', ', ($HELD) x 3),
        'hold, owner died: nobody runs');
    is($upstream->count, $count + 2, 'nothing else sent');
}


# Redis goes and comes back within the wait

for my $how ('silent', 'gone') {
    my $gateway = gateway(%SHORT);
    my $count = $upstream->count;
    my $first = running($gateway, $how);
    my @waiting = waiting($gateway, $how, 3);
    my $mark = length $gateway->error_log;

    $how eq 'silent' ? $redis->pause : $redis->stop;
    $upstream->release($how);
    is($first->read_response->summary, '201 unstored', "$how: the first");
    $gateway->wait_log(qr/Connection refused|silent|timed out|No such file/,
        20, $mark);
    is((grep { !$_->usable } @waiting), 0, "$how: they wait on");
    $how eq 'silent' ? $redis->resume : $redis->start;

    # a Redis without its memory leaves the key to whoever asks first

    my $after = summaries(@waiting);

    if ($how eq 'silent') {
        is($after, join(', ', ($AGAIN) x 3), "$how: replayed");
        is($upstream->count, $count + 1, "$how: sent once");

    } else {
        like($after, qr/\A(?:201 recorded, )?$AGAIN, $AGAIN(?:, $AGAIN)?\z/,
            "$how: replayed");
    }
}


# Redis does not come back within the wait: nobody runs without a claim

for my $policy (qw(reject pass)) {
    my $gateway = gateway(%SHORT, segments_redis_failure => $policy,
        segments_idempotency_wait => slow_ms(2000));
    my $count = $upstream->count;
    my $first = running($gateway, $policy);
    my @waiting = waiting($gateway, $policy, 3);

    $redis->pause;
    is(summaries(@waiting), join(', ', ($DOWN) x 3),
        "$policy: refused when the wait is over");
    is($upstream->count, $count + 1, "$policy: nothing sent");
    $redis->resume;

    $upstream->release($policy);
    like($first->read_response->summary, qr/\A201 (?:recorded|unstored)\z/,
        "$policy: the first one runs on");
}


# the connection on which they listen is cut, or never was permitted

{
    my $gateway = gateway();
    my $first = running($gateway, 'cut');
    my @waiting = waiting($gateway, 'cut', 3);
    my $asked = asked();

    cmp_ok($redis->cmd('CLIENT', 'KILL', 'TYPE', 'pubsub'), '>=', 1, 'cut');
    wait_for { asked() >= $asked + 3 } 10, 'to be subscribed again';
    $upstream->release('cut');

    is(summaries(@waiting), join(', ', ($AGAIN) x 3), 'listening again');
    is($first->read_response->summary, '201 recorded', 'first answered');
}

for my $denied ('-subscribe', '-publish', 'resetchannels') {
    my $user = $denied =~ s/\W//gr;

    spew(tempdir() . '/password', 'secret');
    $redis->cmd('ACL', 'SETUSER', $user, 'on', '>secret', '~segments:*',
        '&segments:*', '+@all', $denied);

    my $gateway = gateway(%SHORT, redis => "redis://$user\@127.0.0.1:"
        . $redis->port . ' password_file=' . tempdir() . '/password');
    my $first = running($gateway, $user);
    my @waiting = map { send_create($gateway, $user) } 1 .. 3;
    my $asked = asked();

    wait_for { asked() >= $asked + 9 } 20, 'polls';
    $upstream->release($user);

    is(summaries(@waiting), join(', ', ($AGAIN) x 3), "$denied: they poll");
    is($first->read_response->summary, '201 recorded', 'first answered');

    my @lines = $gateway->error_log =~ /\[(?:error|warn)\].*/g;

    is(scalar @lines, $denied eq '-publish' ? 0 : 1, "$denied: one log line")
        or diag explain \@lines;
}


# the end of the first one overtakes the news that it runs

{
    my $record = qr/:late\}:create\z/;
    my $name;

    my $fake = fake_redis(
        hello('commands'),
        says(claim => 'late'), [SEND => ['in_progress', ':60000']],
        [ACCEPT => 'channel'], [EXPECT => 'PING'],
        [EXPECT => 'SUBSCRIBE', bind_word('channel')],
        [SEND => '+PONG', \&subscribed],
        [ON => 'commands'],
        [EXPECT => 'EVALSHA', '...'],
        [ON => 'channel'],
        [SEND => sub { my %bound = @_;
            ['message', $bound{channel}, 'segments:{live::late}:create'] }],
        [WAIT => 'told'],
        [ON => 'commands'],
        [SEND => ['in_progress', ':60000']],
        [EXPECT => 'EVALSHA', '...'],
        [SEND => ['replay', '201', "Content-Type: text/plain\n", 'late']],
    );

    my $gateway = gateway(redis => $fake,
        segments_idempotency_lease     => '900s',
        segments_redis_timeout         => '20s',
        segments_redis_connect_timeout => '20s');
    my $c = send_create($gateway, 'late');

    $fake->wait_step(12);
    $gateway->request('PATCH', '/v4/segments')->status == 405 or die;
    $fake->go('told');

    is(summaries($c), $AGAIN, 'told while asking: asks again');
    ok($fake->played, 'dialogue');
}


# a reload, and the end of nginx: who waits is answered

for my $how (qw(reload quit)) {
    my ($owner, $gateway) = map { gateway() } 1, 2;
    my $first = running($owner, $how);
    my @waiting = waiting($gateway, $how, 3);
    my ($old) = $gateway->worker_pids;

    $how eq 'reload' ? $gateway->reload : $gateway->process->signal('QUIT');
    $gateway->wait_log(qr/$old#\d+: gracefully shutting/);
    is((grep { !$_->usable } @waiting), 0, "$how: they wait on");
    $upstream->release($how);

    is(summaries(@waiting), join(', ', ($AGAIN) x 3), "$how: replayed");
    is($first->read_response->summary, '201 recorded', "$how: first answered");
    $_->close for @waiting;
    wait_for { !grep { $_ == $old } $gateway->living_pids } 10, 'its end';
}


is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
