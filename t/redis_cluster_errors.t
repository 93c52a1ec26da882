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

my @MAP = ([EXPECT => 'CLUSTER', 'SLOTS'], [SEND => \&slots]);


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

    is(gateway($fake)->create(key => 'k')->summary, '201 created', $name);
    ok($fake->played, "$name, dialogue");
}


# sent elsewhere, which is here, again and again

{
    my $ask = sub { my %bound = @_; "-ASK 1 127.0.0.1:$bound{port}" };

    my $fake = fake_redis(@START, [SEND => $ask],
        [EXPECT => 'ASKING'], says(claim => 'k', bind_word('token')),
        [SEND => '+OK', ['ok']],
        says(complete => 'k', bind_word('token')), [SEND => ['ok']]);

    is(gateway($fake)->create(key => 'k')->summary, '201 created', 'ASK');
    ok($fake->played, 'ASK, dialogue');
}

is($upstream->count, 3, 'each sent once');

done_testing();
