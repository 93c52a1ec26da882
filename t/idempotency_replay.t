#!/usr/bin/perl

# The documented example, and its retry.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


# spaces and line ends are the client's own, and stay

my $BODY = <<'END';
{
  "name": "Premium \u0075sers \u00fc",
  "conditions": [
    { "metric":"renewable", "comparator":"eq", "value":"1", "negate": false },
    {"value": "prod", "metric": "environment" , "comparator": "ne"}
  ]
}
END

my $ANSWER = '{"object":"segment",  "id":"premium-users"}';

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, listen => 'http2',
    set => { %Segments::Nginx::PATIENT });
my $plain = nginx(upstream => $upstream, redis => $redis,
    set => { %Segments::Nginx::PATIENT });

my @ask = ('POST', '/v4/segments', body => $BODY);
my @say = (mock => "text=$ANSWER; header=Location: /v4/segments/premium-users;"
    . ' header=ETag: "v1"; header=X-Other: 1; reason=Made');

my $c = $plain->connect;

my $first = $c->request(@ask, key => 'k1', @say);

is($first->summary, '201 recorded', 'first answer');
is($first->reason, 'Made', 'reason phrase as the upstream sent it');
is($first->body, $ANSWER, 'body as the upstream sent it');
is($first->header('X-Other'), '1', 'other headers as the upstream sent them');

my ($sent) = $upstream->requests;

is($sent->body, $BODY, 'body upstream byte for byte');
is($sent->{line}, 'POST /v4/segments HTTP/1.1', 'request line upstream');
is($sent->header('Authorization'), "Bearer $Segments::Nginx::SECRET",
    'Secret Key upstream');
is($sent->header('Content-Type'), 'application/json', 'its type');

# another order of members is the same request

my $reordered = '{"conditions":[{"negate":false,"comparator":"eq",'
    . '"metric":"renewable","value":"1"},{"value":"prod","metric":'
    . '"environment","comparator":"ne"}],"name":"Premium users '
    . "\xc3\xbc\"}";

my %retries = (
    'retry'                  => sub { $c->request(@ask, key => 'k1') },
    'retry with a quoted key' => sub { $c->request(@ask, key => '"k1"') },
    'retry with other white space' => sub {
        $c->request(@ask[0, 1], body => $reordered, key => 'k1') },
    'retry in chunks' => sub {
        $c->request(@ask, chunked => [unpack '(a7)*', $BODY], key => 'k1') },
    'retry over HTTP/1.0' => sub {
        $plain->request(@ask, key => 'k1', version => '1.0') },
    'retry at another gateway' => sub {
        my $r = h2($nginx)->request(@ask, key => 'k1'); $r },
    'retry with expectations' => sub {
        $c->request(@ask, key => 'k1',
            headers => [Expect => '100-continue']) },
);

for my $name (sort keys %retries) {
    my $again = $retries{$name}->();

    is($again->summary, '201 replayed marked', $name);
    is($again->body, $ANSWER, "$name, body");

    for my $field (qw(Content-Type Location ETag)) {
        is($again->header($field), $first->header($field), "$name, $field");
    }

    is($again->header('X-Other'), undef, "$name, nothing else");
    is($again->header('Content-Length'), length $ANSWER, "$name, length");
}

ok($c->usable, 'connection still usable');
is($upstream->count, 1, 'one upstream request');

my @log = $plain->access(2);

is($log[0]{outcome}, 'forwarded', 'outcome of the first');
is($log[1]{outcome}, 'replayed', 'outcome of the retry');
is_deeply([$log[0]{record}], [$redis->keys], 'record named in the log');
is($log[1]{record}, $log[0]{record}, 'the same for the retry');
like($log[0]{redis_time}, qr/\A[0-9]+\.[0-9]{3}\z/, 'time spent on Redis');

# without a key nothing is remembered

is($plain->request(@ask)->summary, '201 -', 'no key');
is($plain->request(@ask)->summary, '201 -', 'no key again');
is($upstream->count, 3, 'each sent');
is_deeply([$redis->keys], [$log[0]{record}], 'no record');

# the time to live is counted from the answer

$c->send_request(@ask, key => 'k2', mock => 'hold=k2');
$upstream->wait_held('k2');

my ($name) = grep { /k2/ } $redis->keys;

cmp_ok($redis->cmd('PTTL', $name), '>', 86000_000, 'claim expires');
$redis->cmd('PEXPIRE', $name, 60_000);

$upstream->release('k2');
is($c->read_response->summary, '201 recorded', 'answered');
cmp_ok($redis->cmd('PTTL', $name), '>', 86000_000, 'expiry set anew');

$redis->cmd('PEXPIRE', $name, 1);
wait_for { $redis->cmd('EXISTS', $name) == 0 } 10, 'the record to expire';
is($plain->request(@ask, key => 'k2')->summary, '201 recorded',
    'runs again after that');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
