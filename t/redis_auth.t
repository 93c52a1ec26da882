#!/usr/bin/perl

# Passwords, users and databases of a real Redis, right and wrong.  What is
# refused is not tried again at once, and no log shows a password.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

use Time::HiRes qw(time);


my $PASSWORD = 'correct-horse 1';
my $WRONG = 'wrong-battery-2';
my $OWN = 'staple:3@/%';

my $upstream = upstream();
my $redis = redis_server(options => { requirepass => $PASSWORD });

$redis->cmd('ACL', 'SETUSER', 'gate-1', 'on', ">$OWN", '~*', '+@all');
$redis->cmd('ACL', 'SETUSER', 'asleep', 'off', ">$OWN", '~*', '+@all');
$redis->cmd('ACL', 'SETUSER', 'elsewhere', 'on', ">$OWN", '~other:*', '+@all');

my %files = (right => $PASSWORD, wrong => $WRONG, own => "$OWN\r\n");

for my $name (keys %files) {
    $files{$name} = 'password_file='
        . spew(tempdir() . "/$name", $files{$name});
}

my $unix = $redis->url;
my $port = $redis->port;

sub gateway {
    my ($url, %set) = @_;

    return nginx(upstream => $upstream, redis => $url, log_level => 'debug',
        set => {
            segments_redis_timeout         => slow_ms(2000),
            segments_redis_connect_timeout => slow_ms(2000),
            segments_idempotency_lease     => '300s',
            %set,
        });
}

sub no_password {
    my ($gateway, $name) = @_;

    my $log = $gateway->error_log . slurp($gateway->dir . '/access.log');

    ok(!grep({ index($log, $_) >= 0 } $PASSWORD, $WRONG, $OWN),
        "$name, no password in the log");
}


# each has a key of its own, that stays in its database

my $n = 0;

for my $row (
    ['the password', "$unix $files{right}", 0],
    ['its user', "redis://default\@127.0.0.1:$port $files{right}", 0],
    ['another user', "redis://gate-1\@127.0.0.1:$port $files{own}", 0],
    ['a database', "$unix?db=3 $files{right}", 3],
    ['all of it', "redis://gate-1\@127.0.0.1:$port/15 $files{own}", 15],
) {
    my ($name, $url, $db) = @$row;

    my $gateway = gateway($url);
    my $key = 'k' . ++$n;

    is($gateway->create(key => $key)->summary, '201 recorded', $name);
    is($gateway->create(key => $key)->summary, '201 replayed marked',
        "$name, replayed");

    $redis->cmd('SELECT', $db);
    is(scalar(grep { /:$key\}:create\z/ } $redis->keys), 1, "$name, database");
    no_password($gateway, $name);
}

my $sent = $upstream->count;

for my $row (
    ['no password', $unix, 'refused PING with "NOAUTH"'],
    ['a wrong one', "$unix $files{wrong}", 'refused AUTH with "WRONGPASS"'],
    ['a wrong one of a user', "redis://gate-1\@127.0.0.1:$port $files{right}",
        'refused AUTH with "WRONGPASS"'],
    ['no such user', "redis://nobody\@127.0.0.1:$port $files{own}",
        'refused AUTH with "WRONGPASS"'],
    ['a user that is off', "redis://asleep\@127.0.0.1:$port $files{own}",
        'refused AUTH with "WRONGPASS"'],
    ['no such database', "$unix?db=16 $files{right}",
        'refused SELECT with "ERR"'],
    ['other keys only', "redis://elsewhere\@127.0.0.1:$port $files{own}",
        'refused a record command with "NOPERM'],
) {
    my ($name, $url, $reason) = @$row;

    my $gateway = gateway($url);

    is(envelope($gateway->create(key => "w$n")), '503 internal/storage_error',
        $name);
    like($gateway->error_log, qr/\[error\] .*\Q$reason\E/, "$name, log");
    is($gateway->create->status, 201, "$name, no key");
    no_password($gateway, $name);
    $gateway->stop;
    $sent++;
}

is($upstream->count, $sent, 'refused creates are not sent');


# refused, and asked again and again: connections are few, and further apart

for my $row (
    ['wrong password', $files{wrong}, 'refused AUTH with "WRONGPASS"'],
    ['no password', '', 'refused PING with "NOAUTH"'],
) {
    my ($name, $file, $reason) = @$row;

    my $gateway = gateway("$unix $file", segments_redis_timeout => '50ms',
        segments_redis_breaker => 'off');
    my $before = connections();
    my $start = time;
    my $requests = 0;

    while (time - $start < 2) {
        $requests += grep { $_ && $_->status == 503 } parallel(map {
            [$gateway, $gateway->create_request(key => "hot$_")]
        } 1 .. 10);
    }

    my $attempts = connections() - $before;
    my $lines = () = $gateway->error_log =~ /\Q$reason\E/g;

    cmp_ok($requests, '>=', 20, "$name, requests");
    cmp_ok($attempts, '>', 1, "$name, tried again");
    cmp_ok($attempts, '<=', 5 * (1 + int(time - $start)), "$name, not at once");
    cmp_ok($lines, '<=', $attempts, "$name, one line for each");
    cmp_ok($lines, '>', 0, "$name, logged");

    $gateway->stop;
}


# a password that is set right later is no longer wrong

my $gateway = gateway("$unix $files{wrong}");

is($gateway->create(key => 'late')->status, 503, 'still wrong');
$redis->cmd('CONFIG', 'SET', 'requirepass', $WRONG);
wait_for { $gateway->create(key => 'late')->status == 201 } 20,
    'the gateway to notice';
is($gateway->create(key => 'late')->summary, '201 replayed marked', 'right');

done_testing();


sub connections {
    my ($count) = $redis->cmd('INFO', 'stats')
        =~ /^total_connections_received:([0-9]+)/m;

    return $count;
}
