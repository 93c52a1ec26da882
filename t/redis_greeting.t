#!/usr/bin/perl

# What a connection begins with: AUTH, SELECT and PING, in one piece and before
# any command; and what answers to it mean that no command is sent.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;


my $upstream = upstream();

spew(tempdir() . '/password', "a password\n");

my $file = 'password_file=' . tempdir() . '/password';

sub gateway {
    my ($url, $timeout) = @_;

    return nginx(upstream => $upstream, redis => $url, set => {
        segments_redis_timeout         => slow_ms($timeout // 2000),
        segments_redis_connect_timeout => slow_ms(2000),
        segments_idempotency_lease     => '300s',
    });
}


# the words, for each form of URL

for my $row (
    ['a socket', sub { $_[0]->url }],
    ['a password', sub { $_[0]->url . " $file" }, ['AUTH', 'a password']],
    ['a database', sub { $_[0]->url . '?db=3' }, ['SELECT', 3]],
    ['database 0', sub { $_[0]->tcp_url . '/0' }],
    ['an empty path', sub { $_[0]->tcp_url =~ s/$/\//r . '5' }, ['SELECT', 5]],
    ['all', sub { $_[0]->tcp_url =~ s{//}{//user-1@}r . "/15 $file" },
        ['AUTH', 'user-1', 'a password'], ['SELECT', 15]],
) {
    my ($name, $url, @words) = @$row;

    my $fake = fake_redis(
        (map { [EXPECT => @$_] } @words, ['PING']),
        [SEND => ('+OK') x @words, '+PONG'],
        says(claim => 'k'),
        [SEND => ['mismatch']],
    );
    my $gateway = gateway($url->($fake));

    is($gateway->create(key => 'k')->status, 422, $name);
    ok($fake->played, "$name, greeting");
}


# No command follows, and the reason is logged once, without what the other
# side wrote and without the password.

for my $row (
    ['loading', ['-LOADING what else'],
        'refused PING with "LOADING"'],
    ['no password', ['-NOAUTH what else'],
        'refused PING with "NOAUTH"'],
    ['an old server', ['-ERR what else'], 'refused AUTH with "ERR"'],
    ['wrong password', ['-WRONGPASS what else'],
        'refused AUTH with "WRONGPASS"'],
    ['wrong database', ['+OK', '-ERR what else'],
        'refused SELECT with "ERR"'],
    ['loading after AUTH', ['+OK', '+OK', '-LOADING what else'],
        'refused PING with "LOADING"'],
    ['a string', [bulk('what else')], 'sent an unexpected reply to AUTH'],
    ['a number', [':1'], 'sent an unexpected reply to AUTH'],
    ['a null', [undef], 'sent an unexpected reply to AUTH'],
    ['an array', [['+OK']], 'sent an unexpected reply to AUTH'],
    ['garbage', [\"what else\r\n"], 'sent an invalid reply'],
) {
    my ($name, $replies, $reason) = @$row;

    my $full = $reason !~ /PING/ || @$replies > 1;
    my @words = $full ? (['AUTH', 'a password'], ['SELECT', 3]) : ();

    # anything but the end of the connection would be an error
    my $fake = fake_redis(
        (map { [EXPECT => @$_] } @words, ['PING']),
        [SEND => @$replies],
        ['CLOSED'],
        ['REFUSE'],
    );
    my $gateway = gateway($fake->url . ($full ? "?db=3 $file" : ''), 300);

    is(envelope($gateway->create(key => 'k')), '503 internal/storage_error',
        $name);
    ok($fake->played, "$name, no command");

    my $log = $gateway->error_log;

    is(scalar(() = $log =~ /\[error\] .*redis \Q$reason\E/g), 1,
        "$name, log") or diag $log;
    unlike($log, qr/what else|a password/, "$name, no more than that");

    # it would go on giving back what may have been claimed
    $gateway->stop;
}


# silence: the line names what has no answer yet, and how long it took to get
# there

for my $row (
    ['AUTH'],
    ['SELECT', '+OK'],
    ['PING', '+OK', '+OK'],
) {
    my ($step, @replies) = @$row;

    my $fake = fake_redis(
        [EXPECT => 'AUTH', 'a password'],
        [EXPECT => 'SELECT', 3],
        [EXPECT => 'PING'],
        (@replies ? [SEND => @replies] : ()),
        ['REFUSE'],
        ['CLOSED'],
    );
    my $gateway = nginx(upstream => $upstream, redis => $fake->url
        . "?db=3 $file", set => {
            segments_redis_timeout         => slow_ms(2000),
            segments_redis_connect_timeout => slow_ms(400),
        });

    is(envelope($gateway->create(key => 'k')), '503 internal/storage_error',
        "silent at $step");
    ok($fake->played, "silent at $step, closed");

    my $line = "redis timed out at $step: connecting, TLS and AUTH together "
        . "have @{[ slow(400) ]} ms, of which [0-9]+ ms had passed before it";

    is(scalar(() = $gateway->error_log =~ /$line/g), 1,
        "silent at $step, log") or diag $gateway->error_log;
    $gateway->stop;
}


# The end of the connection in the middle of it is not the end: the next one
# may be better, within the same deadline.

my $fake = fake_redis(
    [EXPECT => 'PING'],
    [SEND => \"+PO"],
    ['CLOSE'],
    hello('second'),
    says(claim => 'k'),
    [SEND => ['mismatch']],
);

is(gateway($fake)->create(key => 'k')->status, 422, 'another try');
ok($fake->played, 'after half a greeting');


# a reply that nobody asked for

$fake = fake_redis(
    [EXPECT => 'PING'],
    [SEND => '+PONG', '+OK'],
    ['CLOSED'],
    ['REFUSE'],
);

my $gateway = gateway($fake, 300);

is($gateway->create(key => 'k')->status, 503, 'a reply too many');
ok($fake->played, 'closed');
is($upstream->count, 0, 'nothing was sent upstream');

done_testing();
