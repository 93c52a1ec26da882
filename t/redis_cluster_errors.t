#!/usr/bin/perl

# A node of a cluster that cannot do a command now: the map is asked for again,
# and the same command sent to whoever has the slot then.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Dialogue;
use Segments::Test;


my $upstream = upstream();

my $INFO = "cluster_state:ok\r\ncluster_current_epoch:1\r\n";
my @MAP = ([EXPECT => 'CLUSTER', 'INFO'], [EXPECT => 'CLUSTER', 'SLOTS'],
    [SEND => $INFO, \&slots]);


# all slots are the fake's own

sub slots {
    my (%bound) = @_;

    return [[':0', ':16383', ['127.0.0.1', ":$bound{port}", 'a' x 40]]];
}


sub gateway {
    my ($fake) = @_;

    return nginx(upstream => $upstream, redis => 'redis+cluster://127.0.0.1:'
        . $fake->port, set => { %Segments::Nginx::PATIENT });
}


my @START = (
    [ACCEPT => 'guide'], [EXPECT => 'PING'], [SEND => '+PONG'], @MAP,
    hello('node'), says(claim => 'k', bind_word('token')),
);

my @END = (
    says(claim => 'k', bind_word('token')), [SEND => ['ok']],
    says(complete => 'k', bind_word('token')), [SEND => ['ok']],
);

for my $error ('TRYAGAIN Multiple keys request during rehashing of slot',
    'CLUSTERDOWN The cluster is down')
{
    my $name = $error =~ s/ .*//r;
    my $fake = fake_redis(@START, [SEND => "-$error"], @MAP,
        says(claim => 'k', bind_word('token')), [SEND => "-$error"], @MAP,
        @END);

    is(gateway($fake)->create(key => 'k')->summary, '201 recorded', $name);
    ok($fake->played, "$name, dialogue");
}


# sent elsewhere, which is here, again and again

{
    my $ask = sub { my %bound = @_; "-ASK 1 127.0.0.1:$bound{port}" };

    my $fake = fake_redis(@START, [SEND => $ask],
        [EXPECT => 'ASKING'], says(claim => 'k', bind_word('token')),
        [SEND => '+OK', ['ok']],
        says(complete => 'k', bind_word('token')), [SEND => ['ok']]);

    is(gateway($fake)->create(key => 'k')->summary, '201 recorded', 'ASK');
    ok($fake->played, 'ASK, dialogue');
}

# to a node that does not have the script: it is asked with ASKING once more,
# and each reply meets its own command

{
    my $ask = sub { my %bound = @_; "-ASK 1 127.0.0.1:$bound{port}" };
    my @claim = (qr/./, 1, qr/:k\}:create\z/, 'claim', bind_word('token'),
        '...');

    my $fake = fake_redis(@START, [SEND => $ask],
        [EXPECT => 'ASKING'], says(claim => 'k', bind_word('token')),
        [SEND => '+OK', '-NOSCRIPT No matching script.'],
        [EXPECT => 'SCRIPT', 'LOAD', qr/./],
        [EXPECT => 'ASKING'], [EXPECT => 'EVALSHA', @claim],
        [SEND => 'loaded', '+OK', ['ok']],
        says(complete => 'k', bind_word('token')), [SEND => ['ok']],
        says(claim => 'l'), [SEND => ['mismatch']]);
    my $gateway = gateway($fake);

    is($gateway->create(key => 'k')->summary, '201 recorded', 'ASK, NOSCRIPT');
    is($gateway->create(key => 'l')->status, 422, 'ASK, NOSCRIPT, the next');
    ok($fake->played, 'ASK, NOSCRIPT, dialogue');
}


# what ASKING was not asked for; a connection that is lost between its reply
# and the command's

{
    my $ask = sub { my %bound = @_; "-ASK 1 127.0.0.1:$bound{port}" };
    my @asking = ([EXPECT => 'ASKING'],
        says(claim => 'k', bind_word('token')));

    for my $row (['a number', [SEND => ':1'], ['CLOSED']],
        ['another status', [SEND => '+PONG'], ['CLOSED']],
        ['the command\'s own', [SEND => bare(['ok'])], ['CLOSED']],
        ['half of both', [SEND => '+OK'], ['CLOSE']])
    {
        my ($name, @steps) = @$row;
        my $fake = fake_redis(@START, [SEND => $ask], @asking, @steps,
            [ASIDE => 'CLUSTER INFO', $INFO],
            [ASIDE => 'CLUSTER SLOTS', \&slots],
            hello('second'), @asking, [SEND => '+OK', ['mismatch']]);

        is(gateway($fake)->create(key => 'k')->status, 422,
            "ASKING, $name");
        ok($fake->played, "ASKING, $name, dialogue");
    }
}


# what the map was not asked for

for my $reply (':1', '+OK', 'text', [':1']) {
    my $fake = fake_redis(
        [ACCEPT => 'guide'], [EXPECT => 'PING'], [SEND => '+PONG'],
        [EXPECT => 'CLUSTER', 'INFO'], [EXPECT => 'CLUSTER', 'SLOTS'],
        [SEND => 'cluster_state:ok', $reply], ['CLOSED'],
        [ACCEPT => 'again'], [EXPECT => 'PING'], [SEND => '+PONG'], @MAP,
        hello('node'), says(claim => 'k'), [SEND => ['mismatch']]);

    is(gateway($fake)->create(key => 'k')->status, 422,
        'CLUSTER SLOTS, ' . (ref $reply ? 'an array of numbers' : $reply));
    ok($fake->played, 'asked again');
}

is($upstream->count, 4, 'each sent once');

done_testing();
