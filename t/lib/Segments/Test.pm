package Segments::Test;

=head1 NAME

Segments::Test - nginx with the module, Redis and an upstream for one test

=head1 SYNOPSIS

    use strict;
    use warnings;

    use FindBin;
    use lib "$FindBin::Bin/lib";
    use Segments::Test;

    my $upstream = upstream();
    my $redis = redis_server();
    my $nginx = nginx(upstream => $upstream, redis => $redis,
        set => { segments_operations => 'all', proxy_read_timeout => '1s' });

    my $first = $nginx->create(key => 'k1');
    my $again = $nginx->create(key => 'k1');

    is($again->status, 201, 'replayed');
    is($again->body, $first->body, 'same body');
    is($again->header('Idempotent-Replayed'), 'true', 'marked');
    is($upstream->count(method => 'POST'), 1, 'one upstream request');

    # a request that the upstream holds until it is told to go on
    my $c = $nginx->connect;
    $c->send_request($nginx->create_request(key => 'k2', mock => 'hold=a'));
    $upstream->wait_held('a');
    is($nginx->create(key => 'k2')->status, 409, 'in progress');
    $upstream->release('a');
    is($c->read_response->status, 201, 'first one answered');

    is(($nginx->access(4))[-1]{outcome}, 'forwarded', 'logged');

    # 200 at once
    my @answers = parallel(map { [$nginx, $nginx->create_request(key => 'k3')] }
        1 .. 200);

    # a Redis that follows a script
    my $fake = fake_redis(
        [EXPECT => 'EVALSHA', qr/^[0-9a-f]{40}$/, '...'],
        [DRIBBLE => ['claimed']],
        ['CLOSE'],
    );
    my $other = nginx(upstream => $upstream, redis => $fake);
    ...
    ok($fake->played, 'dialogue');

    my ($code, $output) = check_config(set => { proxy_pass => undef });
    isnt($code, 0, 'refused');
    like($output, qr/proxy_pass/, 'says why');

    done_testing();

=head1 DESCRIPTION

Everything of Test::More is exported, and:

    upstream(...)      Segments::Upstream: what it does, and what it saw
    redis_server(...)  Segments::RedisServer: a real one
    fake_redis(...)    Segments::FakeRedis: a scripted one; with bare(),
                       bind_word(), bulk()
    nginx(...)         Segments::Nginx, started; nginx_new(...), not yet
    check_config(...)  nginx -t with the same arguments: code and output
    http(...)          Segments::HTTP: a request; parallel(...): many
    h2(...), h3(...)   Segments::HTTP2, HTTP3: a connection
    tls_front(...)     an https URL of an upstream
    certificate(...)   paths of a new certificate and its key
    envelope($answer)  "400 request/invalid_data", or what else it is
    wait_for {...} s   polls; slow(s), slow_ms(ms): more where it runs slowly
    tempdir()          of this test; free_port(), slurp($path), spew($path, $s)

What was started is ended with the test.  The test fails if nginx then had
logged an alert or an emergency (but see expect_alert()), or a sanitizer or
valgrind had found something.

run-tests runs every test that uses this module again with sanitizers, unless a
line of it says "# run: once"; the top of run-tests has the other words.
Time-outs that only have to be long enough are written as slow() and slow_ms().

Environment: TEST_NGINX_BINARY, TEST_NGINX_MODULE, TEST_NGINX_GLOBALS (text
for the top of nginx.conf), TEST_NGINX_VALGRIND=1, TEST_NGINX_SLOW (a factor
for time-outs), TEST_REDIS_SERVER, TEST_LEAVE=1 (keeps the files).

=cut

use strict;
use warnings;

use Test::More;

use Segments::FakeRedis qw(bare bind_word bulk);
use Segments::HTTP qw(http parallel);
use Segments::HTTP2;
use Segments::HTTP3;
use Segments::Nginx;
use Segments::Process;
use Segments::RedisServer;
use Segments::Upstream;
use Segments::Util qw(find_program free_port program_root slow slow_ms slurp
    spew tempdir wait_for);

use parent 'Exporter';

our @EXPORT = (@Test::More::EXPORT, qw(
    bare bind_word bulk certificate check_config envelope fake_redis free_port
    h2 h3 http nginx nginx_new parallel redis_server slow slow_ms slurp spew
    tempdir tls_front upstream wait_for
));

my $owner = $$;
my $certificates = 0;

$| = 1;
$SIG{PIPE} = 'IGNORE';

# a test that is told to end still ends what it has started

$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
$SIG{ALRM} = sub { die "the test hangs\n" };
alarm slow($ENV{TEST_TIMEOUT} // 180);


sub import {
    my ($class) = @_;

    strict->import;
    warnings->import;

    return $class->export_to_level(1, $class);
}


sub upstream     { return Segments::Upstream->start(@_) }
sub redis_server { return Segments::RedisServer->start(@_) }
sub fake_redis   { return Segments::FakeRedis->start(@_) }
sub nginx        { return Segments::Nginx->start(@_) }
sub nginx_new    { return Segments::Nginx->new(@_) }
sub check_config { return Segments::Nginx->check_config(@_) }
sub h2           { return Segments::HTTP2->connect(@_) }
sub h3           { return Segments::HTTP3->connect(@_) }


# a self-signed certificate for the name and 127.0.0.1

sub certificate {
    my ($name) = @_;

    $name //= 'localhost';

    my $base = tempdir() . '/certificate' . ++$certificates;

    my $openssl = Segments::Process->spawn(
        name   => 'openssl',
        argv   => [find_program('openssl'), qw(req -x509 -nodes -days 2
            -newkey ec -pkeyopt ec_paramgen_curve:prime256v1), '-subj',
            "/CN=$name", '-addext', "subjectAltName=DNS:$name,IP:127.0.0.1",
            '-keyout', "$base.key", '-out', "$base.crt"],
        output => "$base.output",
    );

    $openssl->wait(20) && $openssl->status == 0
        or die 'openssl failed: ' . slurp("$base.output");

    return ("$base.crt", "$base.key");
}


# A plain nginx that ends TLS and hands everything on; returns its URL and its
# certificate.  options: name, text at server level.

sub tls_front {
    my ($upstream, %args) = @_;

    my ($crt, $key) = certificate($args{name});
    my $port = $upstream->port;

    my $front = Segments::Nginx->start(module => 0, conf => <<"CONF");
%%MAIN%%
events { }
http {
%%HTTP%%
    server {
        listen 127.0.0.1:%%PORT%% ssl;
        ssl_certificate $crt;
        ssl_certificate_key $key;
        @{[ $args{server} // '' ]}
        location / {
            proxy_pass http://127.0.0.1:$port;
            proxy_http_version 1.1;
            proxy_set_header Host \$http_host;
            proxy_set_header Connection "";
            proxy_request_buffering off;
            proxy_buffering off;
        }
    }
}
CONF

    return ('https://127.0.0.1:' . $front->port, $crt);
}


# An answer that clients can read: its status, and the type and code of the
# documented envelope.  Whatever is wrong with it becomes part of the text.

sub envelope {
    my ($answer) = @_;

    return 'no answer' if !$answer;

    my $status = $answer->status;
    my $type = $answer->header('Content-Type') // 'no type';
    my $json = $answer->json;
    my $error = ref $json eq 'HASH' ? $json->{error} : undef;

    return "$status: $type: " . $answer->body
        if $type ne 'application/json' || ref $error ne 'HASH'
        || grep { !length($error->{$_} // '') } qw(type code message);

    my @members = (keys %$json, keys %$error);
    @members = grep { $_ ne 'details' } @members if well_formed($error);

    return "$status $error->{type}/$error->{code}"
        . ("@{[ sort @members ]}" eq 'code error message type' ? ''
            : " with @members");
}


# "details" are left out where there are none, never empty

sub well_formed {
    my ($error) = @_;

    my $details = $error->{details};

    return ref $details eq 'ARRAY' && @$details
        && !grep { ref ne 'HASH' || "@{[ sort keys %$_ ]}" ne 'field message' }
        @$details;
}


END {
    if ($$ == $owner) {
        my $status = $?;

        alarm 0;
        my @complaints = eval { Segments::Nginx::stop_all() };
        push @complaints, $@ if $@;
        Segments::Process::stop_all();

        diag("nginx: $_") for @complaints;
        $? = $status || (@complaints ? 1 : 0);
    }
}


1;
