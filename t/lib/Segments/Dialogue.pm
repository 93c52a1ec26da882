package Segments::Dialogue;

# Steps for Segments::FakeRedis: what a gateway says to a Redis, and what it
# wants to hear.
#
#     fake_redis(hello, says(claim => 'k1'), [SEND => ['ok']], ...)

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(hello says);


# a new connection, by default called "first", and its greeting

sub hello {
    my ($name) = @_;

    return [ACCEPT => $name // 'first'], [EXPECT => 'PING'],
        [SEND => '+PONG'];
}


# a command about the record of a create with that key; more arguments of the
# command may follow, the first of them is the owner's token

sub says {
    my ($verb, $key, @args) = @_;

    return [EXPECT => 'EVALSHA', qr/\A[0-9a-f]{40}\z/, 1,
        qr/:\Q$key\E\}:create\z/, $verb, @args, '...'];
}


1;
