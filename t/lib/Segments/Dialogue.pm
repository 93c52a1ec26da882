package Segments::Dialogue;

# Steps for Segments::FakeRedis: what a gateway says to a Redis, and what it
# wants to hear.
#
#     fake_redis(hello, says(claim => 'k1'), [SEND => ['ok']], ...)

use strict;
use warnings;

use Exporter qw(import);

use Segments::FakeRedis qw(bind_word);

our @EXPORT = qw(hello says);


# a new connection, by default called "first", and its greeting

sub hello {
    my ($name) = @_;

    return [ACCEPT => $name // 'first'], [EXPECT => 'PING'],
        [SEND => '+PONG'];
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
