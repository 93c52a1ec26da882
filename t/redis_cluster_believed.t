#!/usr/bin/perl

# Two nodes of a cluster, of which the second claims all slots for itself.  It
# is believed or not by what it says of its cluster, and it is where it may not
# be asked for that.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Dialogue;
use Segments::Test;


my $upstream = upstream();

# the slots of the first, of which the record's is one, and of the second; or
# all of them, as the one that is asked says

my $SLOT = 14056;
my $port;

sub both {
    my (%bound) = @_;

    return [[':0', ":$SLOT", ['127.0.0.1', ":$bound{port}", 'a' x 40]],
        [':' . ($SLOT + 1), ':16383', ['127.0.0.1', ":$port", 'b' x 40]]];
}

sub slots {
    my (%bound) = @_;

    return [[':0', ':16383', ['127.0.0.1', ":$bound{port}", 'a' x 40]]];
}

sub state {
    my ($state, $epoch) = @_;

    return "cluster_enabled:1\r\ncluster_state:$state\r\n"
        . "cluster_current_epoch:$epoch\r\ncluster_my_epoch:1\r\n";
}

sub asked {
    my ($reply, $slots) = @_;

    return [EXPECT => 'CLUSTER', 'INFO'], [EXPECT => 'CLUSTER', 'SLOTS'],
        [SEND => $reply, $slots];
}

sub guide {
    my ($reply, $slots) = @_;

    return [ACCEPT => 'guide'], [EXPECT => 'PING'], [SEND => '+PONG'],
        asked($reply, $slots);
}

my @down = (says(claim => 'k', bind_word('token')),
    [SEND => '-CLUSTERDOWN The cluster is down']);
my @work = (says(claim => 'k', bind_word('token')), [SEND => ['ok']],
    says(complete => 'k', bind_word('token')), [SEND => ['ok']]);

for my $row (
    ['it fails, with a higher epoch', state(fail => 9), 0,
        'redis says that its cluster fails, and is not believed'],
    ['an older epoch', state(ok => 6), 0,
        'redis knows an older state of its cluster'],
    ['the same epoch', state(ok => 7), 1],
    ['a newer epoch', state(ok => 18446744073), 1],
    ['no rights', '-NOPERM no permissions', 1],
    ['nothing', '', 1],
    ['an epoch that is none', state(ok => '6x'), 1],
) {
    my ($name, $said, $believed, $line) = @$row;

    # one that is slow to answer is not waited for: the other may be asked again

    my $second = fake_redis(hello('node'), asked($said, \&slots),
        $believed ? @work : ());
    $port = $second->port;

    my $first = fake_redis(guide(state(ok => 7), \&both), hello('node'), @down,
        $believed ? () : (asked(state(ok => 7), \&both), @work));

    my $gateway = nginx(upstream => $upstream, redis =>
        'redis+cluster://127.0.0.1:' . $first->port,
        set => { %Segments::Nginx::PATIENT });

    is($gateway->create(key => 'k')->summary, '201 recorded', $name);
    ok(($believed ? $second : $first)->played, "$name, dialogue");

    next if $believed;

    is(scalar(grep { $_->[0] eq 'EVALSHA' } $second->commands), 0,
        "$name, the other one is not used");
    like($gateway->error_log, qr/\[warn\] .* \Q$line\E/, "$name, log");
}


# while no other answers: it is alone in the URL, and the only node it knows

my $alone = fake_redis(guide(state(fail => 1), \&slots), hello('node'), @down,
    asked(state(fail => 1), \&slots), @work);
my $gateway = nginx(upstream => $upstream, redis => 'redis+cluster://127.0.0.1:'
    . $alone->port, set => { %Segments::Nginx::PATIENT });

is($gateway->create(key => 'k')->summary, '201 recorded', 'alone');
ok($alone->played, 'alone, dialogue');

done_testing();
