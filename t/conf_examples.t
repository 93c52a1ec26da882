#!/usr/bin/env perl

# The files in conf-examples, but for addresses and paths as they are: nginx
# takes them, and a create and its retry go through.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;

use Segments::Example;
use Segments::Process;
use Segments::Test;
use Segments::Util qw(program_root);

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
my ($ca, $front) = start_front($here, $there);
my %there_is = (redis => $redis, ca => $ca, secrets => $secrets);

ids();
minimal();
sandbox_and_production();
tls_upstream();
tls_upstream_unverified();

done_testing();


# Each example has an id for each request: for its log, the client and the
# upstream.  gateway.conf, which is for a nginx that has its own, has none.

sub ids {
    for my $path (glob program_root() . '/conf-examples/*.conf') {
        my ($name) = $path =~ m{([^/]+)\z};
        my $conf = slurp($path);

        next if $name eq 'gateway.conf';

        like($conf, qr/log_format  segments  [^;]*\$request_id/,
            "$name: an id in the log");

        for my $line ('proxy_set_header +X-Request-Id \$request_id',
            'proxy_hide_header +X-Request-Id',
            'add_header +X-Request-Id +\$request_id +always')
        {
            like($conf, qr/^ +$line;$/m, "$name: $line");
        }
    }

    return;
}


sub minimal {
    my $nginx = start_example('minimal.conf', \%there_is,
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

    like(example_log($nginx, 3),
        qr/ 201 replayed redis=[0-9.]+ id=[0-9a-f]+ record=segments:\{live:/,
        'minimal: log line');

    return $nginx->stop;
}


sub sandbox_and_production {
    spew(tempdir() . '/clients', "alice:{PLAIN}one\nbob:{PLAIN}two\n");

    my $nginx = start_example('sandbox-and-production.conf', \%there_is,
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
                'recorded', "$path: first");
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


sub start_tls_example {
    my ($trusted) = @_;

    return start_example('tls-upstream.conf', { %there_is, ca => $trusted },
        '$qonversion:443' => '$qonversion:' . $front->port,
        '127.0.0.53' => "127.0.0.1:$resolver");
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
