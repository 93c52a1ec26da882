#!/usr/bin/env perl

# The files in conf-examples, but for addresses and paths as they are: nginx
# takes them, and a create and its retry go through.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;

use Segments::Process;
use Segments::Test;
use Segments::Util qw(find_program program_root);

my $LIVE = 'sk_live_0123456789abcdef';
my $SANDBOX = 'test_sk_0123456789abcdef';

my $secrets = tempdir() . '/secrets';
mkdir $secrets or die "$secrets: $!";

spew("$secrets/qonversion", "$LIVE\n");
spew("$secrets/qonversion-live", "$LIVE\n");
spew("$secrets/qonversion-sandbox", "$SANDBOX\n");

my $redis = redis_server();
my $here = upstream();
my $there = upstream();
my $address = tempdir() . '/address';
my $resolver = start_resolver();
my ($ca, $front) = start_front();

minimal();
sandbox_and_production();
tls_upstream();
tls_upstream_unverified();

done_testing();


sub minimal {
    my $nginx = start_example('minimal.conf',
        'api.qonversion.io:443' => '127.0.0.1:' . $front->port);

    created_once($nginx, $here, 'minimal');

    my $request = ($here->requests)[-1];

    is($request->uri, '/v4/segments', 'minimal: path');
    is($request->header('Authorization'), "Bearer $LIVE",
        'minimal: Secret Key');
    is($request->header('X-Front-Name'), 'api.qonversion.io',
        'minimal: name in the TLS handshake');
    is($nginx->request('GET', '/v4/segments')->status, 405,
        'minimal: creates only');

    like(slurp($nginx->dir . '/example-access.log'),
        qr/ 201 replayed redis=[0-9.]+ record=segments:\{live:\}:create:/,
        'minimal: log line');

    return $nginx->stop;
}


sub sandbox_and_production {
    spew(tempdir() . '/clients', "alice:{PLAIN}one\nbob:{PLAIN}two\n");

    my $nginx = start_example('sandbox-and-production.conf',
        'api.qonversion.io:443' => '127.0.0.1:' . $front->port,
        '/etc/nginx/clients' => tempdir() . '/clients');

    # base64 of "alice:one" and "bob:two"
    my @alice = (Authorization => 'Basic YWxpY2U6b25l');
    my @bob = (Authorization => 'Basic Ym9iOnR3bw==');

    my $mark = $here->count;

    # one key: each environment and each client has its own

    for my $path ('/v4/segments', '/sandbox/segments') {
        for my $client (\@alice, \@bob) {
            my @create = ('POST', $path, key => 'one', headers => $client,
                body => {%Segments::Nginx::EXAMPLE});

            is($nginx->request(@create)->header('Idempotency-Status'),
                'created', "$path: first");
            is($nginx->request(@create)->header('Idempotency-Status'),
                'replayed', "$path: retry");
        }
    }

    my @requests = ($here->requests)[$mark .. $here->count - 1];

    is_deeply([map { $_->uri } @requests], [('/v4/segments') x 4],
        'environments: path');
    is_deeply([map { $_->header('Authorization') } @requests],
        ["Bearer $LIVE", "Bearer $LIVE", "Bearer $SANDBOX", "Bearer $SANDBOX"],
        'environments: Secret Keys');

    my %keys = map { $_->header('Idempotency-Key') => 1 } @requests;
    is(keys %keys, 2, 'environments: an upstream key for each client');

    is($nginx->create(headers => \@alice)->status, 400,
        'environments: no create without a key');
    is($nginx->create(key => 'one')->status, 401,
        'environments: no create without a client');
    is($nginx->request('GET', '/sandbox/segments', headers => \@alice)->status,
        200, 'environments: list in the sandbox');
    is($nginx->request('GET', '/v4/segments', headers => \@alice)->status,
        405, 'environments: no list in production');

    return $nginx->stop;
}


sub tls_upstream {
    resolve_to('127.0.0.1');

    my $nginx = start_tls_example($ca);

    created_once($nginx, $here, 'tls');

    my $request = ($here->requests)[-1];

    is($request->header('Authorization'), "Bearer $LIVE", 'tls: Secret Key');
    is($request->header('Host'), 'api.qonversion.io', 'tls: Host');
    is($request->header('X-Front-Name'), 'api.qonversion.io',
        'tls: name in the handshake');
    is($there->count, 0, 'tls: nothing at the other address');

    # the name's address changes while nginx runs

    resolve_to('127.0.0.2');

    my $n = 0;
    my $answer;

    wait_for {
        $answer = $nginx->create(key => 'moved-' . ++$n);
        $there->count;
    } 20, 'the new address to be used';

    is($answer->status, 201, 'tls: created at the new address');

    my $mark = $here->count;
    created_once($nginx, $there, 'tls, moved');
    is($here->count, $mark, 'tls: nothing at the old address any more');

    return $nginx->stop;
}


sub tls_upstream_unverified {
    my ($other) = certificate('api.qonversion.io');

    resolve_to('127.0.0.1');

    my $nginx = start_tls_example($other);
    my $mark = $here->count;
    my $answer = $nginx->create(key => 'unverified');

    is($answer->status, 502, 'tls: server with another certificate');
    is($answer->json->{error}{code}, 'network_error', 'tls: envelope');
    is($here->count, $mark, 'tls: nothing sent to it');

    return $nginx->stop;
}


# a create and its retry: one request at the upstream

sub created_once {
    my ($nginx, $upstream, $name) = @_;

    my $mark = $upstream->count;
    my $first = $nginx->create(key => "once at $name" =~ s/\W/-/gr);
    my $again = $nginx->create(key => "once at $name" =~ s/\W/-/gr);

    is($first->status, 201, "$name: created");
    is($first->header('Idempotency-Status'), 'created', "$name: recorded");
    is($again->status, 201, "$name: replayed");
    is($again->header('Idempotent-Replayed'), 'true', "$name: marked");
    is($again->body, $first->body, "$name: same body");
    is($upstream->count, $mark + 1, "$name: one upstream request");

    return;
}


sub start_tls_example {
    my ($trusted) = @_;

    return start_example('tls-upstream.conf',
        '$qonversion:443' => '$qonversion:' . $front->port,
        '127.0.0.53' => "127.0.0.1:$resolver",
        '/etc/ssl/certs/ca-certificates.crt' => $trusted);
}


# the pairs are what is replaced in the file, and by what

sub start_example {
    my ($file, %replace) = @_;

    my $conf = slurp(program_root() . "/conf-examples/$file");

    # said by the library for every nginx of a test

    for my $name (qw(user worker_processes pid error_log)) {
        $conf =~ s/^$name  [^;]+;\n//m or die "$file: no $name";
    }

    %replace = (
        'load_module  modules/ngx_http_segments_module.so;' => '%%MAIN%%',
        "\nhttp {\n"                    => "\nhttp {\n%%HTTP%%\n",
        '/var/log/nginx/'               => '%%DIR%%/example-',
        'redis://127.0.0.1:6379'        => $redis->tcp_url,
        '127.0.0.1:8080'                => '127.0.0.1:%%PORT%%',
        '/etc/nginx/secrets'            => $secrets,
        '/etc/ssl/certs/ca-certificates.crt' => $ca,
        %replace,
    );

    for my $text (sort keys %replace) {
        $conf =~ s/\Q$text\E/$replace{$text}/g or die "$file: no $text";
    }

    my ($code, $output) = do {

        # nginx -t leaves the configuration that it read to the system
        local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';
        check_config(conf => $conf);
    };

    is($code, 0, "$file: nginx -t") or diag($output);

    return nginx(conf => $conf);
}


# Two addresses of one name, and an upstream behind each.

sub start_front {
    my ($ca, $crt, $key) = server_certificate('api.qonversion.io');
    my @ports = map { $_->port } $here, $there;

    my $servers = join '', map {
        my $address = '127.0.0.' . ($_ + 1);
        <<"CONF" } 0, 1;
    server {
        listen $address:%%PORT%% ssl;
        location / {
            proxy_pass http://127.0.0.1:$ports[$_];
            proxy_set_header Host \$http_host;
            proxy_set_header X-Front-Name \$ssl_server_name;
        }
    }
CONF

    my $nginx = nginx(module => 0, conf => <<"CONF");
%%MAIN%%
events { }
http {
%%HTTP%%
    ssl_certificate $crt;
    ssl_certificate_key $key;
$servers
}
CONF

    return ($ca, $nginx);
}


# one that an authority of the test's own has signed

sub server_certificate {
    my ($name) = @_;

    my ($ca, $ca_key) = certificate('Authority');
    my $base = tempdir() . '/server';

    spew("$base.ext", "subjectAltName=DNS:$name\n");

    openssl(qw(req -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1),
        '-subj', "/CN=$name", '-keyout', "$base.key", '-out', "$base.csr");
    openssl(qw(x509 -req -days 2 -set_serial 1 -in), "$base.csr",
        '-CA', $ca, '-CAkey', $ca_key, '-extfile', "$base.ext",
        '-out', "$base.crt");

    return ($ca, "$base.crt", "$base.key");
}


sub openssl {
    my (@argv) = @_;

    my $output = tempdir() . '/openssl.output';
    my $openssl = Segments::Process->spawn(name => 'openssl',
        argv => [find_program('openssl'), @argv], output => $output);

    $openssl->wait(20) && $openssl->status == 0
        or die 'openssl failed: ' . slurp($output);

    return;
}


# A name server that gives every name one address, for a second; its port.

sub start_resolver {
    my $socket = IO::Socket::INET->new(Proto => 'udp',
        LocalAddr => '127.0.0.1') or die "cannot bind: $!";

    Segments::Process->spawn(name => 'resolver', code => sub {
        while (my $peer = recv $socket, my $query, 512, 0) {
            next if length $query < 17;
            send $socket, resolved($query), 0, $peer;
        }
    });

    return $socket->sockport;
}


sub resolved {
    my ($query) = @_;

    my $id = substr $query, 0, 2;
    my ($question) = substr($query, 12) =~ /\A([^\0]*\0.{4})/s;

    return $id . pack('n5', 0x8180, 1, 1, 0, 0) . $question
        . pack('n3 N n C4', 0xc00c, 1, 1, 1, 4, split /\./, slurp($address));
}


sub resolve_to {
    my ($to) = @_;

    spew("$address.new", $to);
    rename "$address.new", $address or die "$address: $!";

    return;
}
