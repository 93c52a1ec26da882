#!/usr/bin/perl

# Servers that join a group while nginx runs ("resolve", nginx 1.27.3 on): by
# http the Secret Key reaches this host and no other, whatever the names' server
# says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::DNS;
use Segments::Test;
use Segments::Util qw(find_program);

my $binary = find_program($ENV{TEST_NGINX_BINARY} // 'nginx');
my ($major, $minor, $patch) = `$binary -v 2>&1` =~ m{/(\d+)\.(\d+)\.(\d+)};

plan skip_all => 'nginx before 1.27.3 resolves no servers of a group'
    if $major * 1e6 + $minor * 1e3 + $patch < 1_027_003;

my ($certificate) = certificate();
my $upstream = upstream();
my $port = $upstream->port;
my $dns = Segments::DNS->start('api.test' => ['127.0.0.1']);
my $resolver = 'resolver ' . $dns->address . ' valid=1s ipv6=off;';

sub group {
    return "$resolver upstream group { zone group 128k; @_ }";
}

my $local = 'server 127.0.0.1:1;';

# which names a server has, is not known when the configuration is read

for (
    ['alone',       'server api.test resolve;'],
    ['beside',      "$local server api.test resolve;"],
    ['in front',    "server api.test resolve; $local"],
    ['backup',      "$local server api.test resolve backup;"],
    ['down',        "$local server api.test resolve down;"],
    ['down backup', "$local server api.test resolve down backup;"],
    ['least_conn',  "least_conn; $local server api.test resolve;"],
    ['kept',        "$local server api.test resolve; keepalive 4;"],
    ['localhost',   'server localhost resolve;'],
) {
    my ($name, $servers) = @$_;
    my %http = (http => group($servers));
    my %to = (proxy_pass => 'http://group');

    my ($code, $output) = check_config(%http, set => {%to});

    isnt($code, 0, "$name: refused");
    like($output, qr/\[emerg\].* unencrypted, to addresses that "resolve" find/,
        "$name: why");

    ($code, $output) = check_config(%http, set => { %to,
        segments_upstream_insecure => 'on' });

    is($code, 0, "$name: permitted") or diag $output;

    ($code, $output) = check_config(%http, set => {
        proxy_pass                    => 'https://group',
        proxy_ssl_verify              => 'on',
        proxy_ssl_trusted_certificate => $certificate,
    });

    is($code, 0, "$name: by https") or diag $output;
}

is((check_config(http => group($local), set => { proxy_pass =>
    'http://group' }))[0], 0, 'a zone without such a server');

# a variable shows it in a request

my $nginx = nginx(upstream => $upstream, redis => redis_server(),
    set  => { proxy_pass => 'http://$group', segments_operations => 'all' },
    http => group("server 127.0.0.1:$port; server api.test:$port resolve;"
        . ' keepalive 4;') . ' map "" $group { default group; }');

wait_for { $dns->queries('api.test') } 10, 'the name to be asked for';

is($nginx->create(key => 'a')->summary, '201 recorded', 'on this host');

# names come and go while requests run

my $until = time + 3;
my ($n, $wrong) = (0, 0);

while (time < $until) {
    $dns->set('api.test' => ['127.0.0.1', ('127.0.0.2') x ($n % 2)])
        if $n % 20 == 0;

    my $status = $nginx->request('GET', '/v4/segments')->status;

    $wrong++ if $status != 200 && $status != 502;
    $n++;
}

is($wrong, 0, 'addresses of this host that come and go');

my $count;

$dns->set('api.test' => ['192.0.2.1']);
wait_for {
    $count = $upstream->count;
    $nginx->request('GET', '/v4/segments')->status == 500;
} 20, 'the other host';

is($upstream->count, $count, 'another host joins: nothing is sent');
like($nginx->error_log, qr/\[error\].*"http:\/\/group": the Secret Key would t/,
    'another host joins: why');
is($nginx->create(key => 'a')->status, 500,
    'another host joins: a retry, too');

$dns->set('api.test' => ['127.0.0.1']);
wait_for { $nginx->request('GET', '/v4/segments')->status == 200 } 20,
    'this host alone';

is($nginx->create(key => 'a')->summary, '201 replayed marked',
    'it has left: served');

# by https the name may lead anywhere, and no variable is needed

my ($url, $ca) = tls_front($upstream, name => 'api.test');
my ($tls) = $url =~ /:([0-9]+)\z/;

$dns->set('front.test' => ['127.0.0.1']);

my $https = nginx(redis => redis_server(),
    http => group("server front.test:$tls resolve; keepalive 4;"),
    set  => {
        segments_operations           => 'all',
        proxy_pass                    => 'https://group',
        proxy_ssl_name                => 'api.test',
        proxy_ssl_server_name         => 'on',
        proxy_ssl_verify              => 'on',
        proxy_ssl_trusted_certificate => $ca,
    });

wait_for { $https->request('GET', '/v4/segments')->status == 200 } 20,
    'the name to be resolved';

my $asked = $dns->queries('front.test');

wait_for { $dns->queries('front.test') > $asked } 20,
    'the name to be resolved again';
is($https->create(key => 'a')->summary, '201 recorded', 'by https');
is($https->create(key => 'a')->summary, '201 replayed marked',
    'by https: replayed');

done_testing();
