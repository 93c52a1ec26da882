package Segments::Dialogue;

# Steps for Segments::FakeRedis: what a gateway says to a Redis, and what it
# wants to hear.
#
#     fake_redis(hello, says(claim => 'k1'), [SEND => ['ok']], ...)

use strict;
use warnings;

use Exporter qw(import);

use Segments::FakeRedis qw(bind_word);

our @EXPORT = qw(hello says whole_cluster);


# a new connection, by default called "first", and its greeting

sub hello {
    my ($name) = @_;

    return [ACCEPT => $name // 'first'], [EXPECT => 'PING'],
        [SEND => '+PONG'];
}


# A cluster of one node, which has all slots: it is asked the way by "guide",
# at any time, and all else by "node".

sub whole_cluster {
    my $info = "cluster_state:ok\r\ncluster_current_epoch:1\r\n";
    my $slots = sub {
        my (%bound) = @_;

        return [[':0', ':16383', ['127.0.0.1', ":$bound{port}", 'a' x 40]]];
    };

    return hello('guide'),
        [EXPECT => 'CLUSTER', 'INFO'], [EXPECT => 'CLUSTER', 'SLOTS'],
        [SEND => $info, $slots],
        [ASIDE => 'CLUSTER INFO', $info], [ASIDE => 'CLUSTER SLOTS', $slots],
        hello('node');
}


# a command about the record of a create with that key; more arguments of the
# command may follow, the first of them is the owner's token, a bound word.  Who
# completes or buries it says so by the value

sub says {
    my ($verb, $key, @args) = @_;

    if (my $state = { complete => 'a', bury => 't' }->{$verb}) {
        my $value = qr/\A1$state\0.{41}(.{16})/s;
        my $token = shift @args;

        return [EXPECT => 'EVALSHA', qr/\A[0-9a-f]{40}\z/, 1,
            qr/:\Q$key\E\}:create\z/,
            $token ? bind_word($token->{name}, $value) : $value, @args, '...'];
    }

    return [EXPECT => 'EVALSHA', qr/\A[0-9a-f]{40}\z/, 1,
        qr/:\Q$key\E\}:create\z/, $verb, @args, '...'];
}


1;
