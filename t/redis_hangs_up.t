#!/usr/bin/perl

# Something greets as Redis does and hangs up at each command: it is asked
# again, but not as fast as it hangs up.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Process;

use IO::Socket::UNIX;


my $path = tempdir() . '/hangs-up.sock';
my $count = tempdir() . '/count';
my $listen = IO::Socket::UNIX->new(Local => $path, Listen => 10);

Segments::Process->spawn(name => 'a bad Redis', output => $count,
    code => sub {
        $| = 1;

        while (my $c = $listen->accept) {
            print '.';
            sysread $c, my $ping, 1024 or next;
            syswrite $c, "+PONG\r\n";
            sysread $c, my $command, 65536;
        }
    });

close $listen;

my $upstream = upstream();
my $gateway = nginx(upstream => $upstream, redis => "unix:$path", set => {
    segments_redis_timeout         => slow_ms(500),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => slow_ms(1500),
});

my @answers = parallel(map {
    [$gateway, $gateway->create_request(key => "k$_")]
} 1 .. 20);

is(scalar(grep { $_ && $_->status == 503 } @answers), 20, 'refused');

my $tries = length slurp($count);

cmp_ok($tries, '>', 1, 'asked again');
cmp_ok($tries, '<', slow(20), 'not at once');
like($gateway->error_log,
    qr/\[error\] .*(?:closed the connection|reset by peer|Broken pipe)/, 'log');
is($upstream->count, 0, 'nothing sent');

done_testing();
