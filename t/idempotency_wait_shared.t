#!/usr/bin/perl

# Who waits for one key in a worker hears of its end together: but not of
# another body's, and not where nobody would be told.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;


my $NAME = 'segments:{live::k}:create';
my $AGAIN = '201 replayed marked';
my $RUNS = ['in_progress', ':600000'];
my @ANSWER = ('replay', '201', "Content-Type: text/plain\n");

my %set = (
    segments_redis_timeout         => '20s',
    segments_redis_connect_timeout => '20s',
    segments_idempotency_lease     => '900s',
    segments_idempotency_wait      => '60s',
);

my $upstream = upstream();


sub subscribed {
    my (%bound) = @_;

    return ['subscribe', $bound{channel}, ':1'];
}


sub told {
    my (%bound) = @_;

    return ['message', $bound{channel}, $NAME];
}


# one by whom the channel is made; and two that wait, or so many, and leave it
# with the record when they ask once more

sub waiting {
    my ($n) = (@_, 2);

    return hello,
        says(claim => 'warm'), [SEND => $RUNS],
        [ACCEPT => 'channel'], [EXPECT => 'PING'],
        [EXPECT => 'SUBSCRIBE', bind_word('channel')],
        [SEND => '+PONG', \&subscribed],
        [ON => 'first'], says(claim => 'warm'), [SEND => [@ANSWER, 'warm']],
        map { (says(claim => 'k'), [SEND => $RUNS]) } 1 .. 2 * $n;
}

my $WAITING = 20;                       # steps, and of one
my $WAITS = 16;


sub both_wait {
    my ($fake, %second) = @_;

    my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);
    my @clients = ($gateway->connect, $gateway->connect);

    is($gateway->create(key => 'warm')->summary, $AGAIN, 'the channel');
    $clients[0]->send_request($gateway->create_request(key => 'k'));
    $fake->wait_step($WAITING - 4);
    $clients[1]->send_request($gateway->create_request(key => 'k', %second));
    $fake->wait_step($WAITING);

    # what was sent in this step has been read

    $gateway->request('PATCH', '/v4/segments')->status == 405 or die;

    return ($gateway, @clients);
}


sub summaries {
    return join ' | ', map { my $answer = $_->read_response;
        $answer ? $answer->summary : 'no answer' } @_;
}


# the key has become another body's: who waits for the one before, and could
# not ask, does not get that one's answer

{
    my $fake = fake_redis(waiting(),
        [WAIT => 'end'], [ON => 'channel'], [SEND => \&told], [ON => 'first'],
        says(claim => 'k'), [SEND => '-ERR not now'],
        says(claim => 'k'), [SEND => [@ANSWER, 'the other']],
        says(claim => 'k'), [SEND => ['mismatch']]);
    my ($gateway, @clients) = both_wait($fake,
        body => { name => 'another', conditions => [] });

    $fake->go('end');
    is(summaries(@clients), '422 mismatch idempotency_key_reused | '
        . $AGAIN, 'each hears of its own');
    ok($fake->played, 'each of its own, dialogue');
    $gateway->stop;
}


# without a channel nobody will be told: each asks by itself, and soon

{
    my $fake = fake_redis(waiting(),
        [WAIT => 'end'], [ON => 'channel'], ['CLOSE'], [ON => 'first'],
        says(claim => 'k'), [SEND => $RUNS],
        (map { (says(claim => 'k'), [SEND => [@ANSWER, 'an answer']]) } 1 .. 3),
        [WAIT => 'never']);
    my ($gateway, @clients) = both_wait($fake);

    $fake->go('end');
    is(summaries(@clients), "$AGAIN | $AGAIN", 'without a channel');
    $gateway->stop;
}


# nginx shuts down while one asks, and has nothing else to wait for: the channel
# is closed, and who hears that the first one still runs asks once more

{
    my $fake = fake_redis(waiting(1),
        [WAIT => 'end'], [ON => 'channel'], [SEND => \&told], [ON => 'first'],
        says(claim => 'k'), [WAIT => 'quit'], [SEND => $RUNS], ['CLOSED'],
        hello('again'), says(claim => 'k'), [SEND => [@ANSWER, 'an answer']]);
    my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);
    my $client = $gateway->connect;

    is($gateway->create(key => 'warm')->summary, $AGAIN, 'the channel');
    $client->send_request($gateway->create_request(key => 'k'));
    $fake->wait_step($WAITS);
    $fake->go('end');
    $fake->wait_step($WAITS + 5);
    $gateway->process->signal('QUIT');
    $gateway->wait_log(qr/gracefully shutting down/);
    $fake->go('quit');
    is(summaries($client), $AGAIN, 'while nginx shuts down');
    ok($fake->played, 'asked once more, dialogue');
    ok($gateway->process->wait(slow(20)), 'and ends then');
}

done_testing();
