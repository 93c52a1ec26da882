#!/usr/bin/perl

# Sandbox and production on one Redis.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my ($LIVE, $TEST) = ('sk_0123456789', 'test_sk_0123456789');

my $upstream = upstream();
my $redis = redis_server();
my $other = free_port();

# side by side in one nginx, each with its own key file

my $nginx = nginx_new(upstream => $upstream, redis => $redis, secret => $LIVE,
    set => { %Segments::Nginx::PATIENT });

spew($nginx->dir . '/sandbox', "$TEST\n");

$nginx->configure(server => <<"CONF")->start;
        location /sandbox/segments {
            segments_gateway on;
            segments_secret_key_file %%DIR%%/sandbox;
            segments_redis @{[ $redis->url ]};
            segments_redis_timeout @{[ slow_ms(3000) ]};
            segments_redis_connect_timeout @{[ slow_ms(3000) ]};
            segments_idempotency_lease @{[ slow_ms(10_000) ]};
            proxy_pass %%UPSTREAM%%;
        }
CONF

my %uri = (live => '/v4/segments', sandbox => '/sandbox/segments');


sub create {
    my ($environment, $key, %more) = @_;

    my ($method, undef, %request) = $nginx->create_request(%more);

    return $nginx->request($method, $uri{$environment}, %request, key => $key);
}


my $live = create('live', 'k1');
my $test = create('sandbox', 'k1');

is($live->summary, '201 recorded', 'production');
is($test->summary, '201 recorded', 'sandbox, same key');
isnt($test->body, $live->body, 'a segment of its own');

is(create('live', 'k1')->body, $live->body, 'production again');
is(create('sandbox', 'k1')->body, $test->body, 'sandbox again');

my @sent = $upstream->requests;

is(scalar @sent, 2, 'one upstream request each');
is($sent[0]->header('Authorization'), "Bearer $LIVE", 'key of production');
is($sent[1]->header('Authorization'), "Bearer $TEST", 'key of the sandbox');
is($sent[1]->uri, '/v4/segments', 'documented path');

# nor does one refuse what the other has seen

create('live', 'k2');
is(create('sandbox', 'k2', body => { name => 'Other' })->summary,
    '201 recorded', 'another body is no mismatch');

# nor wait for it

my $c = $nginx->connect;
$c->send_request($nginx->create_request(key => 'k3', mock => 'hold=a'));
$upstream->wait_held('a');
is(create('sandbox', 'k3')->summary, '201 recorded', 'not in progress here');
$upstream->release('a');
is($c->read_response->summary, '201 recorded', 'and finished there');

my @log = $nginx->access(8);
isnt($log[0]{record}, $log[1]{record}, 'records of two names');
is(scalar(my @names = $redis->keys), 6, 'one record for each');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

# two gateways of one environment do share

my $second = nginx(upstream => $upstream, redis => $redis, secret => $TEST,
    set => { %Segments::Nginx::PATIENT });

is($second->create(key => 'k1')->body, $test->body,
    'another gateway of the sandbox');

# unless a prefix keeps them apart

my $apart = nginx(upstream => $upstream, redis => $redis, secret => $TEST,
    set => { %Segments::Nginx::PATIENT,
             segments_redis_prefix => 'project2:' });

is($apart->create(key => 'k1')->summary, '201 recorded', 'another prefix');
is(scalar(my @own = $redis->keys('project2:*')), 1, 'a record of its own');

done_testing();
