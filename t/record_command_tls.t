#!/usr/bin/perl

# segments-record and a Redis with TLS: whom it trusts before it says a
# password, as the gateway does.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Authority;
use Segments::Process;
use Segments::Test;
use Segments::Util qw(program_root);

eval { require IO::Socket::SSL; 1 }
    or plan(skip_all => 'without libio-socket-ssl-perl');

my $NAME = 'segments:{live:a:k}:create';

my $ca = Segments::Authority->new;
my $stranger = Segments::Authority->new;
my ($client_crt, $client_key) = $ca->certificate('operator');
my ($foreign_crt, $foreign_key) = $stranger->certificate('operator');

my $password = 'password_file=' . spew(tempdir() . '/password', "canary\n");
my $trust = 'tls_trusted_certificate=' . $ca->file;
my $client = "tls_certificate=$client_crt tls_certificate_key=$client_key";
my $foreign = "tls_certificate=$foreign_crt tls_certificate_key=$foreign_key";

my %ports = (
    address => server($ca->certificate('127.0.0.1')),
    name    => server($ca->certificate('localhost')),
    other   => server($ca->certificate('redis.test')),
    expired => server($ca->certificate('127.0.0.1', expired => 1)),
    clients => server($ca->certificate('127.0.0.1'), 'yes'),
);
my $plain = redis_server();

# server, host, words, exit status, what is said

for my $case (
    ['address', '127.0.0.1', $trust, 0],
    ['name',    'localhost', $trust, 0],
    ['other',   '127.0.0.1', "$trust tls_name=redis.test", 0],
    ['clients', '127.0.0.1', "$trust $client", 0],
    ['address', '127.0.0.1', 'tls_verify=off', 0],
    ['expired', '127.0.0.1', 'tls_verify=off', 0],
    ['address', '127.0.0.1', '', 4, qr/certificate verify failed/],
    ['address', '127.0.0.1', 'tls_trusted_certificate=' . $stranger->file, 4,
        qr/certificate verify failed/],
    ['address', '127.0.0.1', 'tls_trusted_certificate=/nowhere', 2,
        qr{/nowhere: No such file}],
    ['address', '127.0.0.1', "$trust tls_verify=maybe", 2,
        qr/tls_verify.* is "on" or "off"/],
    ['clients', '127.0.0.1', "$trust tls_certificate=$client_crt", 2,
        qr/"tls_certificate_key" need each other/],
    ['address', '127.0.0.1', "$trust $trust", 2, qr/duplicate Redis parameter/],
    ['expired', '127.0.0.1', $trust, 4, qr/certificate verify failed/],
    ['name',    '127.0.0.1', $trust, 4, qr/hostname verification failed/],
    ['other',   '127.0.0.1', $trust, 4, qr/hostname verification failed/],
    ['address', '127.0.0.1', "$trust tls_name=redis.test", 4,
        qr/hostname verification failed/],
    ['clients', '127.0.0.1', $trust, 4, qr/Redis: /],
    ['clients', '127.0.0.1', "$trust $foreign", 4, qr/Redis: /],
) {
    my ($server, $host, $words, $expected, $said) = @$case;
    my ($code, $output) = record("rediss://$host:$ports{$server} $password"
        . " $words");
    my $what = "$server at $host, " . ($words || 'the system\'s authorities')
        =~ s{\S*/}{}gr;

    is($code, $expected, "$what: exit status") or diag($output);
    like($output, $said // qr/^state        unknown: /m, "$what: said");
    unlike($output, qr/canary/, "$what: no password");
}

# no TLS where it is needed, and TLS where there is none; nothing that is said
# of TLS is left aside

my ($code, $output) = record("redis://127.0.0.1:$ports{address} $password");
is($code, 4, 'TLS is needed') or diag($output);

($code, $output) = record('rediss://127.0.0.1:' . $plain->port
    . " $password $trust");
is($code, 4, 'no TLS there') or diag($output);
like($output, qr/TLS failed/, 'and said');

($code, $output) = record('redis://127.0.0.1:' . $plain->port . " $trust");
is($code, 2, 'a certificate without TLS');
like($output, qr/needs TLS: .*"rediss:/, 'and said');

is((record(''))[0], 2, 'no URL');

# TLS writes less at once than a record may have

my $port = server($ca->certificate('127.0.0.1'), 'no', state => 'answered',
    status => 201, headers => '', token => '00' x 16, body => 'x' x 500_000);

($code, $output) = record("rediss://127.0.0.1:$port $password $trust",
    '--purge', '--yes');
is($code, 0, 'a large record is purged') or diag($output);

done_testing();


# a Redis with the record; its port with TLS

sub server {
    my ($crt, $key, $clients, @record) = @_;

    my $port = free_port();
    my $redis = redis_server(options => {
        requirepass        => 'canary',
        'tls-port'         => $port,
        'tls-cert-file'    => $crt,
        'tls-key-file'     => $key,
        'tls-ca-cert-file' => $ca->file,
        'tls-auth-clients' => $clients // 'no',
    });

    $redis->set_record($NAME, state => 'unknown', fp => '00' x 32, @record);

    return $port;
}


# exit status, and all that it says

sub record {
    my ($words, @more) = @_;

    my $output = tempdir() . '/record';
    unlink $output;

    my $process = Segments::Process->spawn(name => 'segments-record',
        argv => [program_root() . '/tools/segments-record', '--redis', $words,
            @more, $NAME], output => $output);

    $process->wait(20) or die 'segments-record hangs';

    return ($process->status >> 8, slurp($output));
}
