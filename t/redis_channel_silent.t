#!/usr/bin/perl

# The connection on which a worker listens goes dead without a word: it is
# noticed, and replaced.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Dialogue;
use Segments::Test;


sub subscribed {
    my (%bound) = @_;

    return ['subscribe', $bound{channel}, ':1'];
}


my $fake = fake_redis(
    hello('commands'),
    says(claim => 'k1'), [SEND => ['in_progress', ':600000']],
    [ACCEPT => 'channel'], [EXPECT => 'PING'],
    [EXPECT => 'SUBSCRIBE', bind_word('channel')],
    [SEND => '+PONG', \&subscribed],
    [ON => 'commands'],
    [EXPECT => 'EVALSHA', '...'], [SEND => ['in_progress', ':600000']],
    [ON => 'channel'],
    [EXPECT => 'PING'], ['CLOSED'],

    # not subscribed: the waiting one polls

    [ON => 'commands'],
    [EXPECT => 'EVALSHA', '...'], [SEND => ['in_progress', ':600000']],
    [ACCEPT => 'again'], [EXPECT => 'PING'],
    [EXPECT => 'SUBSCRIBE', bind_word('channel')],
    [SEND => '+PONG', \&subscribed],
    [ON => 'commands'],
    [EXPECT => 'EVALSHA', '...'],
    [SEND => ['replay', '201', "Content-Type: text/plain\n", 'k1']],
);

my $nginx = nginx(redis => $fake, set => {
    segments_idempotency_lease     => '600s',
    segments_idempotency_wait      => '600s',
    segments_redis_timeout         => '20s',
    segments_redis_connect_timeout => '20s',
});

is($nginx->create(key => 'k1', timeout => 60)->summary, '201 replayed marked',
    'replayed');
ok($fake->played, 'dialogue');

is_deeply([$nginx->error_log =~ /\[(?:error|warn)\] \S+ (.*?) \(110/g],
    ['redis was silent for 10000 ms'], 'one log line');

done_testing();
