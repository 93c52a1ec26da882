#!/usr/bin/perl

# The password's file is read again whenever a connection is made: a rotation
# needs no reload and costs no request, in whatever order file and Redis are
# changed.  Whatever is wrong with the file, the password at hand stays.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Cluster;
use Segments::Sentinels;

use POSIX ();


my ($ONE, $TWO, $THREE) = ('first-horse-1', 'second-battery-2',
    'third-staple-3');

my $upstream = upstream();
my $redis = redis_server();
my $file = tempdir() . '/redis-password';

my @RIGHTS = ('~*', '&*', '+@all');

sub user {
    my ($server, @words) = @_;

    "@{[ $server->cmd('ACL', 'SETUSER', 'gate', @words) ]}" eq 'OK'
        or die 'ACL SETUSER';
}

# as the careful do it: whole, or not at all

sub rotate {
    my ($content) = @_;

    spew("$file.new", $content);
    rename "$file.new", $file or die "$file: $!";
}

sub cut {
    $_->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes') for @_;
}

my %set = (
    segments_redis_timeout         => slow_ms(3000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_redis_breaker         => 'off',
    segments_idempotency_lease     => '300s',
);

sub gateway {
    my ($url, %more) = @_;

    return nginx(upstream => $upstream, redis => "$url password_file=$file",
        log_level => 'notice', set => \%set, %more);
}

my $keys = 0;

# on a new connection

sub works {
    my ($gateway, $name, @servers) = @_;

    cut(@servers ? @servers : $redis);
    is($gateway->create(key => 'k' . ++$keys)->summary, '201 recorded', $name);
}


user($redis, 'on', ">$ONE", @RIGHTS);
rotate("$ONE\n");

my $url = 'redis://gate@127.0.0.1:' . $redis->port;
my $gateway = gateway($url);

works($gateway, 'the first password');


# both are right, then the new one alone

user($redis, ">$TWO");
rotate("$TWO\n");
works($gateway, 'the new password, both right');
$gateway->wait_log(
    qr/\[notice\] .* Redis password file "\Q$file\E" has a new password/);

user($redis, "<$ONE");
works($gateway, 'the new password alone');
unlike($gateway->error_log, qr/refused AUTH/, 'never refused');


# the file first: the one before serves until Redis has the new one

rotate("$THREE\n");
works($gateway, 'the former password');
like($gateway->error_log, qr/\[warn\] .* does not take the new password/,
    'said');

user($redis, ">$THREE");
works($gateway, 'both right again');
user($redis, "<$TWO");
works($gateway, 'the new one alone again');


# Redis first: nothing is right until the file is

my $mark = length $gateway->error_log;
user($redis, ">$ONE", "<$THREE");
cut($redis);
rotate("$ONE\n");
works($gateway, 'the file behind Redis');
$gateway->quit;


# what is no password

$gateway = gateway($url);
works($gateway, 'before');

for my $row (
    ['empty', sub { rotate('') }, 'does not hold one line'],
    ['two lines', sub { rotate("$TWO\n$THREE\n") }, 'does not hold one line'],
    ['too long', sub { rotate('x' x 1025) }, 'does not hold one line'],
    ['gone', sub { unlink $file }, 'open\(\) Redis password file'],
    ['a folder', sub { unlink $file; mkdir $file }, 'does not hold one line'],
) {
    my ($name, $change, $reason) = @$row;

    $mark = length $gateway->error_log;
    $change->();
    works($gateway, "$name, the password at hand") for 1 .. 3;

    is(scalar(() = $gateway->error_log($mark)
        =~ /\[error\] .*$reason.* the password at hand stays/g), 1,
        "$name, said once") or diag $gateway->error_log($mark);

    rmdir $file if -d $file;
    rotate("$ONE\n");
    works($gateway, "$name, and a good file");
}


# a pipe that nobody writes to is not waited for

unlink $file;
POSIX::mkfifo($file, 0600) or die "mkfifo: $!";
works($gateway, 'a pipe');
unlink $file;
rotate("$ONE\n");


# a worker that is started late begins with what is right now

user($redis, ">$TWO");
rotate("$TWO\n");
user($redis, "<$ONE");
$gateway->kill_worker;
wait_for { $gateway->create(key => 'late')->status == 201 } 20,
    'another worker';


# a wrong one, which Redis has never taken, is asked for no more often than
# any other failure

rotate("nothing-like-it\n");
user($redis, "<$TWO", ">$THREE");
cut($redis);
my $gone = $gateway->connect;
$gone->send_request($gateway->create_request(key => 'gone'));
$gateway->wait_log(qr/refused AUTH with "WRONGPASS"/);
rotate("$THREE\n");
is($gone->read_response(slow(10))->status, 201, 'in time all the same');

my $log = $gateway->error_log . slurp($gateway->dir . '/access.log');

ok(!grep({ index($log, $_) >= 0 } $ONE, $TWO, $THREE, 'nothing-like-it'),
    'no password in the log');


# nor in memory, once it was changed twice

sub in_memory {
    my ($pid, $what) = @_;

    my $found = 0;

    open my $maps, '<', "/proc/$pid/maps" or return;
    open my $memory, '<:raw', "/proc/$pid/mem" or return;

    for my $line (<$maps>) {
        my ($from, $to) = $line =~ /\A([0-9a-f]+)-([0-9a-f]+) rw/ or next;
        no warnings 'portable';
        my ($start, $end) = (hex $from, hex $to);

        next if $end - $start > 64 << 20;
        sysseek $memory, $start, 0 or next;
        sysread $memory, my $bytes, $end - $start or next;
        $found++ while $bytes =~ /\Q$what\E/g;
    }

    return $found;
}

my ($pid) = $gateway->worker_pids;

user($redis, ">$ONE");
rotate("$ONE\n");
works($gateway, 'another one');
user($redis, ">$TWO");
rotate("$TWO\n");
works($gateway, 'and another one');

SKIP: {
    skip 'memory is not looked into where it is watched', 2
        if slow(1) != 1 || !defined in_memory($pid, $TWO);

    cmp_ok(in_memory($pid, $TWO), '>=', 1, 'the password is in memory');
    is(in_memory($pid, $THREE), 0, 'but not the one before the last');
}

$gateway->quit;


# a file that is root's alone

SKIP: {
    skip 'needs root', 3 if $> != 0;

    rotate("$TWO\n");
    chmod 0600, $file;

    $gateway = gateway($url, user => 'www-data');

    $mark = 0;
    works($gateway, 'not readable by workers') for 1 .. 2;
    is($gateway->told(
        qr/\[notice\] .* worker processes may not read Redis password file/), 1,
        'said at the start');
    unlike($gateway->error_log, qr/the password at hand stays/,
        'and not again');
    $gateway->quit;
}


# a sentinel, which is offered the password, too

rotate("$ONE\n");

my $sentinels = Segments::Sentinels->start(replicas => 0, sentinels => 1,
    sentinel => "user gate on >$ONE ~* &* +\@all\n");
my ($sentinel) = @{ $sentinels->{sentinels} };
my $master = $sentinels->master;

user($master, 'on', ">$ONE", @RIGHTS);
$gateway = gateway($sentinels->url =~ s{//}{//gate@}r);
works($gateway, 'a sentinel', $master);
like($sentinel->cmd('CLIENT', 'LIST'), qr/ user=gate /,
    'known to the sentinel');

user($_, ">$TWO", "<$ONE") for $master, $sentinel;
rotate("$TWO\n");
cut($master, $sentinel);
works($gateway, 'a sentinel, the new password', $master);
wait_for {
    $gateway->create(key => 's' . ++$keys);
    $sentinel->cmd('CLIENT', 'LIST') =~ / user=gate /;
} 20, 'the sentinel to be told the new password';
$gateway->quit;

rotate("$ONE\n");

# a cluster's nodes

my $cluster = Segments::Cluster->start;
my @nodes = $cluster->servers;

user($_, 'on', ">$ONE", @RIGHTS) for @nodes;
$gateway = gateway($cluster->url =~ s{//}{//gate@}r);
works($gateway, 'a cluster', @nodes);

user($_, ">$TWO") for @nodes;
rotate("$TWO\n");
user($_, "<$ONE") for @nodes;

for (1 .. 5) {
    works($gateway, 'a cluster, the new password', @nodes);
}

unlike($gateway->error_log, qr/refused AUTH/, 'a cluster, never refused');
$gateway->quit;

done_testing();
