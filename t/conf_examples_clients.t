#!/usr/bin/perl

# The examples in conf-examples that tell clients apart: each is exercised for
# what it is there for.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Example;
use Segments::Test;

my $LIVE = 'sk_live_0123456789abcdef';

my $secrets = tempdir() . '/secrets';
mkdir $secrets or die "$secrets: $!";
spew("$secrets/qonversion", "$LIVE\n");

my $redis = redis_server();
my $upstream = upstream();
my ($ca, $front) = start_front($upstream);
my $who = start_who();

my %there_is = (redis => $redis, ca => $ca, secrets => $secrets);
my @api = ('api.qonversion.io:443' => '127.0.0.1:' . $front->port);
my @service = ('127.0.0.1:9000' => '127.0.0.1:' . $who->port);

browser_clients();
auth_request();
auth_basic();
client_certificates();

done_testing();


# Whom the tokens belong to; alice has a new one.

sub start_who {
    return nginx(module => 0, conf => <<'CONF');
%%MAIN%%
events { }
http {
%%HTTP%%
    map $http_authorization $id {
        "Bearer alice-1"  alice;
        "Bearer alice-2"  alice;
        "Bearer bob-1"    bob;
        default           "";
    }
    server {
        listen 127.0.0.1:%%PORT%%;
        location = /who {
            add_header X-Client-Id $id;
            if ($id = "") { return 401; }
            return 204;
        }
    }
}
CONF
}


sub token { return (Authorization => "Bearer $_[0]") }


sub browser_clients {
    my $nginx = start_example('browser-clients.conf', \%there_is, @api,
        @service);
    my ($app, $admin, $evil) = map { "https://$_.example.com" }
        qw(app admin evil);

    # what a browser asks before it sends a create with a key

    my @ask = ('OPTIONS', '/v4/segments');
    my @wants = ('Access-Control-Request-Method' => 'POST',
        'Access-Control-Request-Headers' =>
            'authorization,content-type,idempotency-key');

    my $preflight = $nginx->request(@ask, headers => [Origin => $app, @wants]);

    is($preflight->status, 204, 'preflight');
    is(cors($preflight), $app, 'preflight: origin');
    like($preflight->header('Access-Control-Allow-Methods'), qr/\bPOST\b/,
        'preflight: method');
    is_deeply([missing(lc $preflight->header('Access-Control-Allow-Headers'),
        qw(authorization content-type idempotency-key traceparent))], [],
        'preflight: headers');

    like($preflight->header('Access-Control-Max-Age'), qr/\A[1-9][0-9]*\z/,
        'preflight: remembered by the browser');

    is(cors($nginx->request(@ask, headers => [Origin => $evil, @wants])),
        'none', 'preflight from another origin');
    is($who->access, 0, 'preflights: nobody was asked who it is');
    is($upstream->count, 0, 'preflights: nothing upstream');

    # an upstream that has an opinion of its own

    my %create = (key => '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
        mock => 'header=Location:/v4/segments/a;header=ETag:"1"'
            . ';header=X-Request-Id:its'
            . ';header=Access-Control-Allow-Origin:*'
            . ';header=Access-Control-Expose-Headers:X-Its'
            . ';header=Access-Control-Allow-Credentials:true');

    my $first = $nginx->create(%create,
        headers => [token('alice-1'), Origin => $app]);
    my $again = $nginx->create(%create,
        headers => [token('alice-1'), Origin => $admin]);
    my $other = $nginx->create(%create,
        headers => [token('alice-1'), Origin => $evil]);

    is($first->summary, '201 recorded', 'a create');
    same_id($nginx, $upstream, 'a page', $first);
    is(cors($first), $app, 'its origin');
    is($first->header('Access-Control-Allow-Credentials'), undef,
        'nothing that the upstream allows');

    is($again->summary, '201 replayed marked', 'the retry of another page');
    is(cors($again), $admin, 'the origin that asks now');
    is($other->summary, '201 replayed marked', 'of a page that may not');
    is(cors($other), 'none', 'no origin, and not the first one\'s');

    my ($name) = $redis->keys('*}:create');
    unlike(join("\n", %{ $redis->record($name) }),
        qr/access-control|origin|example\.com/i, 'none of it is stored');

    # whatever nginx answers by itself

    is(cors($nginx->create(headers => [Origin => $app])), $app,
        'not authenticated: the page may read that');

    my $invalid = $nginx->create(body => '{',
        headers => [token('bob-1'), Origin => $app]);
    is(envelope($invalid), '400 request/invalid_data', 'invalid');
    is(cors($invalid), $app, 'invalid: the page may read why');

    # bob has one and ten at once

    my $limited;

    for my $n (1 .. 30) {
        $limited = $nginx->create(key => "bob-$n",
            headers => [token('bob-1'), Origin => $app]);
        last if $limited->status == 429;
    }

    is($limited->status, 429, 'limited');
    is(cors($limited), $app, 'limited: the page may read when to come back');

    # so that the page can, also of a refusal

    is_deeply([missing($limited->header('Access-Control-Expose-Headers'),
        qw(Retry-After RateLimit RateLimit-Policy))], [],
        'limited: the fields that say when are exposed');
    is($nginx->create(key => 'alice',
        headers => [token('alice-1'), Origin => $app])->status, 201,
        'another client is not limited');

    # every field that a page may read is one that there is

    for my $name (split /, /, $first->header('Access-Control-Expose-Headers')) {
        ok(scalar(grep { defined $_->header($name) } $first, $again, $limited),
            "exposed: $name");
    }

    for my $name (qw(Idempotent-Replayed Idempotency-Status Retry-After
        RateLimit RateLimit-Policy Location ETag X-Request-Id))
    {
        is_deeply([missing($again->header('Access-Control-Expose-Headers'),
            $name)], [], "$name is exposed");
    }

    return $nginx->stop;
}


# the origin that an answer is for, if it says so once, and says that it differs

sub cors {
    my ($answer) = @_;

    my @origins = $answer->headers('Access-Control-Allow-Origin');

    return 'no Vary' if !grep { /\bOrigin\b/ } $answer->headers('Vary');
    return @origins ? "@origins" : 'none';
}


sub missing {
    my ($list, @names) = @_;

    my %has = map { $_ => 1 } split /,\s*/, $list;

    return grep { !$has{$_} } @names;
}


sub auth_request {
    $redis->cmd('FLUSHALL');

    my $nginx = start_example('auth-request.conf', \%there_is, @api, @service);
    my %create = (key => 'auth-request');

    is($nginx->create(%create)->status, 401, 'nobody');
    is($nginx->create(%create, headers => [token('alice-0')])->status, 401,
        'a token that is not known');

    my $first = $nginx->create(%create, headers => [token('alice-1')]);

    is($first->summary, '201 recorded', 'a client');
    is(($upstream->requests)[-1]->header('Authorization'), "Bearer $LIVE",
        'the client\'s token does not go upstream');
    is($nginx->create(%create, headers => [token('bob-1')])->summary,
        '201 recorded', 'another client, the same key');

    my $renewed = $nginx->create(%create, headers => [token('alice-2')]);

    is($renewed->summary, '201 replayed marked', 'a retry with a new token');
    is($renewed->body, $first->body, 'the answer of the first');
    like(example_log($nginx, 5),
        qr/ alice .* 201 replayed id=\w+ record=segments:\{live:alice:/,
        'log line');

    own_limit($nginx, [token('alice-2')], [token('bob-1')]);

    return $nginx->stop;
}


# One client that is over its limit takes nothing from another: its headers, or
# its door.

sub own_limit {
    my ($nginx, $greedy, $other) = @_;

    my ($answer, $beside);

    for my $n (1 .. 30) {
        $answer = $nginx->create(key => "greedy-$n", headers => $greedy);
        last if $answer->status == 429;
    }

    is(envelope($answer), '429 request/rate_limit_exceeded', 'over the limit');

    $beside = ref $other eq 'ARRAY'
        ? $nginx->create(key => 'modest', headers => $other)
        : $other->create(key => 'modest');
    is($beside->status, 201, 'another client is not');

    return;
}


sub auth_basic {
    spew(tempdir() . '/clients', "alice:{PLAIN}one\nbob:{PLAIN}two\n");
    $redis->cmd('FLUSHALL');

    my $nginx = start_example('auth-basic.conf', \%there_is, @api,
        '/etc/nginx/clients' => tempdir() . '/clients');

    # base64 of "alice:one", "bob:two", and "alice:two"
    my ($alice, $bob, $wrong) = map { [Authorization => "Basic $_"] }
        qw(YWxpY2U6b25l Ym9iOnR3bw== YWxpY2U6dHdv);
    my %create = (key => 'auth-basic');

    is($nginx->create(%create, headers => $alice)->summary, '201 recorded',
        'alice');
    is($nginx->create(%create, headers => $bob)->summary, '201 recorded',
        'bob, the same key');
    is($nginx->create(%create, headers => $alice)->summary,
        '201 replayed marked', 'alice again');

    my $refused = $nginx->create(%create, headers => $wrong);
    is(envelope($refused), '401 request/control_unauthorized',
        'a wrong password gets no answer of alice\'s');

    own_limit($nginx, $alice, $bob);

    # whoever guesses passwords is stopped

    my %statuses = map { $_->status => $_ }
        parallel(map { [$nginx, $nginx->create_request(headers => $wrong)] }
            1 .. 200);

    is_deeply([sort keys %statuses], [401, 429], 'guesses of passwords');
    is(envelope($statuses{429}), '429 request/rate_limit_exceeded',
        'too many of them');

    return $nginx->stop;
}


sub client_certificates {
    $redis->cmd('FLUSHALL');

    my ($clients, $clients_key) = certificate('Clients');
    my ($others, $others_key) = certificate('Others');
    my (undef, $crt, $key) = server_certificate('segments.example.com');

    my $nginx = start_example('client-certificates.conf', \%there_is, @api,
        '/etc/nginx/server.crt' => $crt, '/etc/nginx/server.key' => $key,
        '/etc/nginx/clients-ca.crt' => $clients);

    my $alice = door($nginx, signed_certificate($clients, $clients_key,
        'alice'));
    my $next = door($nginx, signed_certificate($clients, $clients_key,
        'alice'));
    my $bob = door($nginx, signed_certificate($clients, $clients_key, 'bob'));
    my $stranger = door($nginx, signed_certificate($others, $others_key,
        'alice'));
    my $odd = door($nginx, signed_certificate($clients, $clients_key,
        'al ice'));
    my %create = (key => 'certificate');

    is($alice->create(%create)->summary, '201 recorded', 'alice');
    is($bob->create(%create)->summary, '201 recorded', 'bob, the same key');
    is($next->create(%create)->summary, '201 replayed marked',
        'a retry with alice\'s next certificate');
    is(envelope($odd->create(%create)), '403 request/control_forbidden',
        'a name that is none');

    # another client's name, in what a client may choose of its own subject

    for my $subject ('/CN=mallory/O=x,CN=alice', '/CN=x,CN=alice',
        '/O=x,CN=alice', '/O=CN=alice', '/O=x\\\\,CN=alice',
        '/CN=mallory/CN=alice', '/CN=alice/CN=mallory')
    {
        my $mallory = door($nginx, signed_certificate($clients, $clients_key,
            'mallory', $subject));

        is(envelope($mallory->create(%create)),
            '403 request/control_forbidden', "not alice: $subject");
    }

    my $placed = door($nginx, signed_certificate($clients, $clients_key,
        'alice', '/C=DE/O=x, y/CN=alice/OU=a,b'));
    is($placed->create(%create)->summary, '201 replayed marked',
        'alice, with more in her subject');

    is($stranger->create(%create)->status, 400, 'another authority\'s');
    is(door($nginx)->create(%create)->status, 400, 'no certificate');

    own_limit($alice, [], $bob);

    return $nginx->stop;
}


# a plain nginx that is one client: what it gets goes on under its certificate

sub door {
    my ($nginx, $crt, $key) = @_;

    my $port = $nginx->port;
    my $identity = $crt ? "proxy_ssl_certificate $crt;"
        . " proxy_ssl_certificate_key $key;" : '';

    return nginx(module => 0, upstream => "https://127.0.0.1:$port",
        location => $identity);
}
