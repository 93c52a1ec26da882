#!/usr/bin/perl

# TLS to a real Redis: whom the gateway trusts, and what it says of others.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Authority;
use Segments::Util qw(find_program);

use IO::Socket::INET;
use Time::HiRes qw(time);


my $PASSWORD = 'never-in-the-clear';

my $upstream = upstream();
my $ca = Segments::Authority->new;
my $stranger = Segments::Authority->new;
my $password = 'password_file=' . spew(tempdir() . '/password', $PASSWORD);
my %servers;

for my $row (
    [address => $ca->certificate('127.0.0.1')],
    [name => $ca->certificate('localhost')],
    [other => $ca->certificate('redis.test')],
    [expired => $ca->certificate('127.0.0.1', expired => 1)],
    [clients => $ca->certificate('127.0.0.1'), 'yes'],
) {
    my ($name, $crt, $key, $clients) = @$row;

    $servers{$name} = {
        port  => free_port(),
        redis => Segments::RedisServer->new(options => {
            requirepass    => $PASSWORD,
            'tls-cert-file'    => $crt,
            'tls-key-file'     => $key,
            'tls-ca-cert-file' => $ca->file,
            'tls-auth-clients' => $clients // 'no',
        }),
    };
    $servers{$name}{redis}{options}{'tls-port'} = $servers{$name}{port};
    $servers{$name}{redis}->start;
}

my ($client_crt, $client_key) = $ca->certificate('gateway');
my ($foreign_crt, $foreign_key) = $stranger->certificate('gateway');
my $certificate = "tls_certificate=$client_crt tls_certificate_key=$client_key";
my $foreign = "tls_certificate=$foreign_crt tls_certificate_key=$foreign_key";
my $trust = 'tls_trusted_certificate=' . $ca->file;

# of a server that speaks in the clear: its port, and not its words

sub told_of_words {
    my ($gateway, $name) = @_;

    my @lines = grep { /\[(?:error|crit)\]/ } split /\n/, $gateway->error_log;

    like($lines[0],
        qr/redis does not speak TLS at this port, .* while TLS handshaking/,
        "$name, log");
    unlike($gateway->error_log, qr/what else|SSL_do_handshake|SSL routines/,
        "$name, not shown");
    $gateway->stop;

    return;
}


# to whatever a connection begins with

sub answers {
    my ($listen) = @_;

    while (my $c = $listen->accept) {
        sysread $c, my $hello, 65536;
        syswrite $c, "-DENIED what else\r\n";
        1 while sysread $c, $hello, 65536;
    }

    return;
}


# A library that is loaded before the system's: the beginning of TLS is written
# only when it was answered, too.

sub patient_writes {
    my $library = tempdir() . '/patient.so';

    spew("$library.c", <<'END');
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t
write(int fd, const void *data, size_t len)
{
    const unsigned char *record = data;

    ssize_t        n = syscall(SYS_write, fd, data, len);
    struct pollfd  answered = { .fd = fd, .events = POLLIN };

    if (n > 5 && record[0] == 0x16 && record[1] == 3 && record[5] == 1) {
        poll(&answered, 1, 10000);
    }

    return n;
}
END

    system(find_program('cc'), '-shared', '-fPIC', '-o', $library,
        "$library.c") == 0 or die 'no library';

    return $library;
}


sub gateway {
    my ($server, $host, $words, %more) = @_;

    return nginx(upstream => $upstream,
        redis => "rediss://$host:$servers{$server}{port} $password $words",
        set => {
            segments_redis_timeout         => slow_ms(1000),
            segments_redis_connect_timeout => slow_ms(1000),
            segments_redis_breaker         => 'off',
            segments_idempotency_lease     => '300s',
        }, %more);
}


for my $row (
    ['an address', 'address', '127.0.0.1', $trust],
    ['a name', 'name', 'localhost', $trust],
    ['an address with a name', 'name', '127.0.0.1',
        "$trust tls_name=localhost"],
    ['a name with an address', 'address', 'localhost',
        "$trust tls_name=127.0.0.1"],
    ['not verified', 'expired', 'localhost', 'tls_verify=off'],
    ['a client certificate', 'clients', '127.0.0.1', "$trust $certificate"],
) {
    my ($name, @words) = @$row;
    my $gateway = gateway(@words);
    my $key = $name =~ tr{ '}{-_}r;

    is($gateway->create(key => $key)->summary, '201 recorded', $name);
    is($gateway->create(key => $key)->summary, '201 replayed marked',
        "$name, replayed");
    unlike($gateway->error_log, qr/\[(?:error|crit)\]/, "$name, log");
    $gateway->quit;
}

my $sent = $upstream->count;

for my $row (
    ['a wrong name', 'other', 'localhost', $trust,
        qr/redis certificate does not match "localhost" while TLS handshaking/],
    ['a wrong address', 'name', '127.0.0.1', $trust,
        qr/redis certificate does not match "127\.0\.0\.1" while/],
    ['a wrong tls_name', 'name', 'localhost', "$trust tls_name=redis.test",
        qr/redis certificate does not match "redis\.test" while/],
    ['a wrong CA', 'address', '127.0.0.1',
        'tls_trusted_certificate=' . $stranger->file,
        qr/redis certificate verify error: \((?:19:self-signed|20:unable to)/],
    ['the system\'s CAs', 'address', '127.0.0.1', '',
        qr/redis certificate verify error: \((?:19:self-signed|20:unable to)/],
    ['an expired certificate', 'expired', '127.0.0.1', $trust,
        qr/redis certificate verify error: \(10:certificate has expired\)/],
    ['no client certificate', 'clients', '127.0.0.1', $trust,
        qr/SSL_(?:read|write)\(\) failed \(.*(?: required|104: )/],
    ['a foreign client certificate', 'clients', '127.0.0.1',
        "$trust $foreign",
        qr/SSL_(?:read|write)\(\) failed \(.*(?:unknown ca|104: )/],
) {
    my ($name, $server, $host, $words, $pattern) = @$row;
    my $gateway = gateway($server, $host, $words);
    my $key = $name =~ tr{ '}{-_}r;

    is(envelope($gateway->create(key => $key)), '503 internal/storage_error',
        $name);

    my @lines = grep { /\[(?:error|crit|warn)\]/ }
        split /\n/, $gateway->error_log;


    like($lines[0] // '', $pattern, "$name, log");
    is(scalar(grep { $_ !~ $pattern } @lines), 0, "$name, nothing else")
        or diag join "\n", @lines;
    cmp_ok(scalar(@lines), '<=', slow(2),
        "$name, one line for each connection");
    unlike($gateway->error_log, qr/\Q$PASSWORD\E/, "$name, no password");
    $gateway->stop;
}

is($upstream->count, $sent, 'nothing was sent');


# the system's store, where it has our authority

{
    local $ENV{SSL_CERT_FILE} = $ca->file;
    my $gateway = gateway('address', '127.0.0.1', '',
        main => 'env SSL_CERT_FILE;');

    is($gateway->create(key => 'store')->summary, '201 recorded',
        'the system\'s store');
    $gateway->quit;
}


# a session is used again by the next connection of a worker

my $redis = $servers{address}{redis};
my $gateway = gateway('address', '127.0.0.1', $trust, log_level => 'debug');

is($gateway->create(key => 's1')->summary, '201 recorded', 'first connection');
my $mark = length $gateway->error_log;
$redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
$gateway->wait_log(qr/redis closed the connection|peer closed/, 10, $mark);
is($gateway->create(key => 's1')->summary, '201 replayed marked',
    'second connection');
like($gateway->error_log($mark), qr/SSL reused session/, 'session reused');
unlike($gateway->error_log, qr/\Q$PASSWORD\E/, 'no password');
$gateway->quit;


# larger than a record, both ways

$gateway = gateway('address', '127.0.0.1', $trust);
my $answer = $gateway->create(key => 'large', mock => 'body=60000');

is($answer->summary, '201 recorded', 'large answer');
my $again = $gateway->create(key => 'large');
is($again->summary, '201 replayed marked', 'large answer, replayed');
ok($again->body eq $answer->body, 'large answer, the same bytes');

my @many = parallel(map { [$gateway, $gateway->create_request(key => "m$_")] }
    1 .. 100);
is(scalar(grep { $_ && $_->status == 201 } @many), 100, 'many at once');

$redis->stop;
is($gateway->create(key => 'gone')->status, 503, 'gone');
$redis->start;
wait_for { $gateway->create(key => 'back')->status == 201 } 20, 'Redis';
$gateway->quit;


# the bound of connecting includes the handshake

my $hole = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'tcp',
    Listen => 128);
$gateway = nginx(upstream => $upstream,
    redis => 'rediss://127.0.0.1:' . $hole->sockport, set => {
        segments_redis_timeout         => slow_ms(1000),
        segments_redis_connect_timeout => slow_ms(200),
    });
is($gateway->create(key => 'hole')->status, 503, 'no handshake');
like($gateway->error_log,
    qr/redis timed out at TLS without a word: .* \(110: .*\) while TLS h/,
    'no handshake, log');
$gateway->stop;

# and one that speaks no TLS

$gateway = nginx(upstream => $upstream,
    redis => 'rediss://127.0.0.1:' . $servers{name}{redis}->port, set => {
        segments_redis_timeout         => slow_ms(600),
        segments_redis_connect_timeout => slow_ms(300),
    });
is($gateway->create(key => 'plain')->status, 503, 'no TLS there');
my @told = grep { /\[(?:error|crit)\]/ } split /\n/, $gateway->error_log;

like($told[0],
    qr/redis timed out at TLS without a word: .* a port without TLS is/,
    'no TLS there, log');
is(scalar(grep { !/without a word/ } @told), 0, 'no TLS there, no other line')
    or diag join "\n", @told;
$gateway->stop;

# nor there, where something is said at once

my $plain = fake_redis([ACCEPT => 'a'], [SEND => '-DENIED what else'],
    ['CLOSED'], ['REFUSE']);

$gateway = nginx(upstream => $upstream,
    redis => 'rediss://127.0.0.1:' . $plain->port, set => {
        segments_redis_timeout         => slow_ms(600),
        segments_redis_connect_timeout => slow_ms(2000),
    });
is($gateway->create(key => 'plain')->status, 503, 'words in the clear');
told_of_words($gateway, 'words in the clear');

# or as soon as TLS has begun, before OpenSSL could read, or after it

for my $row (['after it has read'], ['before it reads', patient_writes()]) {
    my ($name, @libraries) = @$row;
    my $answer = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        Proto => 'tcp', Listen => 128) or die "cannot listen: $!";

    Segments::Process->spawn(name => 'a server in the clear',
        code => sub { answers($answer) });

    local $ENV{LD_PRELOAD} = join ' ', @libraries, $ENV{LD_PRELOAD} // ();
    local $ENV{ASAN_OPTIONS} = join ':', 'verify_asan_link_order=0',
        $ENV{ASAN_OPTIONS} // ();

    $gateway = nginx(upstream => $upstream,
        redis => 'rediss://127.0.0.1:' . $answer->sockport, set => {
            segments_redis_timeout         => slow_ms(600),
            segments_redis_connect_timeout => slow_ms(2000),
        });
    is($gateway->create(key => $_)->status, 503, "words $name")
        for 'a' .. 'c';
    told_of_words($gateway, "words $name");
}

# and the other way round

$gateway = nginx(upstream => $upstream,
    redis => "redis://127.0.0.1:$servers{name}{port}", set => {
        segments_redis_timeout         => slow_ms(600),
        segments_redis_connect_timeout => slow_ms(300),
    });
is($gateway->create(key => 'secure')->status, 503, 'TLS there');
like($gateway->error_log,
    qr/\[error\] .*(?:speaks TLS at this port|without a word,)/,
    'TLS there, log');
$gateway->stop;


# what nginx -t refuses

for my $row (
    ['tls_verify=yes', qr/"tls_verify" is "on" or "off"/],
    ['tls_verify=', qr/no value in Redis parameter "tls_verify"/],
    ["tls_certificate=$client_crt", qr/need each other/],
    ["tls_certificate_key=$client_key", qr/need each other/],
    ['tls_trusted_certificate=/nowhere/ca.crt',
        qr{"/nowhere/ca.crt"\)?:? .*failed}],
    ["tls_certificate=/nowhere/crt tls_certificate_key=$client_key",
        qr{cannot load certificate "/nowhere/crt"}],
    ["tls_certificate=$client_crt tls_certificate_key=$foreign_key",
        qr/key values mismatch/],
    ['tls_name=a tls_name=b', qr/duplicate Redis parameter "tls_name"/],
) {
    my ($words, $sentence) = @$row;
    my ($code, $output) = check_config(redis => "rediss://127.0.0.1 $words");

    isnt($code, 0, $words =~ s/=\S+/=../gr);
    like($output, qr/\[emerg\] .*$sentence/, 'says why');
}

is((check_config(redis => "rediss://127.0.0.1 $certificate $trust"))[0], 0,
    'accepted');

done_testing();
