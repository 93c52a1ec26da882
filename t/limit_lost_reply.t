#!/usr/bin/perl

# Redis charges a create and its reply is lost: the command is sent again, and
# nothing is charged twice.  And what goes to Redis is the same whatever the
# gateway's clock says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;
use Segments::Limits;
use Segments::Process;

use IO::Select;
use IO::Socket::UNIX;


my $upstream = upstream();
my $redis = redis_server();
my $KEY = 'segments:{live:}:limit:default';

my %set = (
    segments_redis_timeout         => slow_ms(3000),
    segments_redis_connect_timeout => slow_ms(3000),
    segments_idempotency_lease     => '300s',
    segments_rate_limit            => 'rate=1r/h burst=9',
);

# Redis knows the scripts; but where it has IFEQ, not the one that takes an
# answer: so it is called in vain before

my $SCRIPTS = $redis->can_ifeq ? 4 : 3;
my $direct = nginx(upstream => $upstream, redis => $redis, set => \%set);

$direct->create(key => 'warm');
$direct->create;
is($direct->create(key => 'warm')->header('RateLimit') =~ s/;t=.*//r,
    '"default";r=8', 'two charged');

for my $key ('k1', undef) {
    my $name = $key ? 'a key' : 'no key';
    my $path = $redis->socket . '.' . ($key // 'none');
    my $listen = IO::Socket::UNIX->new(Local => $path, Listen => 10)
        or die "cannot listen: $!";

    $redis->cmd('DEL', $KEY);

    my $before = $upstream->count;
    my $commands = $redis->commands->{evalsha};

    Segments::Process->spawn(name => 'relay', code => sub { relay($listen) });

    my $gateway = nginx(upstream => $upstream, redis => "unix:$path",
        set => \%set);
    my $answer = $gateway->create(key => $key);

    is($answer->status, 201, "$name: passes");
    is($answer->header('RateLimit') =~ s/;t=.*//r, '"default";r=9',
        "$name: charged once");
    is($upstream->count, $before + 1, "$name: sent once");
    is($redis->commands->{evalsha} - $commands, $key ? $SCRIPTS : 2,
        "$name: asked twice");
    is($gateway->create(key => 'next' . ($key // ''))->header('RateLimit')
        =~ s/;t=.*//r, '"default";r=8', "$name: the next is charged");
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');


# a receipt is of one create: another one in the same moment pays

is(join(' ', map { $_->header('RateLimit') =~ /r=([0-9]+)/ }
    map { $direct->create } 1 .. 3), '7 6 5', 'each pays');


# word by word

my @LIMIT = ('spend', 1, 3_600_000_000, 10);

my $fake = fake_redis(
    hello,
    map({ (
        [EXPECT => 'EVALSHA', qr/\A[0-9a-f]{40}\z/, 2,
            "segments:{live::$_}:create", $KEY, 'claim', qr/\A.{16}\z/s,
            qr/\A1c\0a.{68}\z/s, 86_400_000, 'retry', '', @LIMIT],
        [SEND => ['limited', ['refused', ':0', ':77']]],
    ) } 'a', 'b'),
    map({ (
        [EXPECT => 'EVALSHA', qr/\A[0-9a-f]{40}\z/, 2,
            qr/\Asegments:\{live:\}:paid:[0-9a-f]{32}\z/, $KEY,
            'spend', qr/\A.{16}\z/s, 4 * slow(3000), @LIMIT],
        [SEND => $_],
    ) } ['limited', ['refused', ':0', ':77']], ['ok', ['spent', ':3', ':9']]),
    [EXPECT => 'EVALSHA', '...'],
    [SEND => ['ok']],
    says(give_back => 'c'),
    [SEND => ['ok']],
    [EXPECT => 'EVALSHA', '...'],
    [SEND => ['ok', ['spent', ':3', ':9', ':3', ':9']]],
    [EXPECT => 'EVALSHA', '...'],
    [SEND => ['ok', ['spent', ':3']]],
    [EXPECT => 'EVALSHA', '...'],
    [SEND => ['ok', ['earned', ':3', ':9']]],
    [EXPECT => 'EVALSHA', '...'],
    [SEND => ['ok', ['spent', ':-3', ':9']]],
    [EXPECT => 'EVALSHA', '...'],
    [SEND => ['ok', []]],
    [EXPECT => 'EVALSHA', '...'],
    [SEND => ['ok', [['spent'], ':1', ':1']]],
);
my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);
my $before = $upstream->count;

for my $key ('a', 'b', undef) {
    my $answer = $gateway->create(key => $key);

    is(envelope($answer), '429 request/rate_limit_exceeded', 'refused');
    is($answer->header('Retry-After'), 77, 'Retry-After');
}

is($gateway->create->header('RateLimit'), '"default";r=3;t=9', 'passes');
is($upstream->count, $before + 1, 'sent');

# what is no answer lets nobody pass

for my $key ('c', (undef) x 6) {
    is(envelope($gateway->create(key => $key)), '503 internal/storage_error',
        'an answer that cannot be used');
}

ok($fake->played, 'dialogue');
is($upstream->count, $before + 1, 'not sent');

done_testing();


# the first connection ends in the place of its second reply, behind PONG

sub relay {
    my ($listen) = @_;

    for my $limit (2, 0) {
        my $near = $listen->accept or return;
        my $far = IO::Socket::UNIX->new(Peer => $redis->socket) or return;
        my $both = IO::Select->new($near, $far);
        my $replies = 0;

        RELAY: while (my @ready = $both->can_read) {
            for my $from (@ready) {
                sysread $from, my $bytes, 65536 or last RELAY;
                last RELAY if $from == $far && ++$replies == $limit;
                syswrite $from == $far ? $near : $far, $bytes;
            }
        }
    }

    return;
}
