#!/usr/bin/perl

# A request that something else than the gateway answers, as "return" does for
# a preflight, is none of its requests: its variables are empty, and it is not
# counted.  One whose client leaves before it comes to the gateway is aborted.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Metrics;
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();

my $nginx = nginx(upstream => $upstream, redis => $redis,
    set    => { segments_operations => 'all' },
    http   => 'segments_zone segments 1m; limit_req_zone $arg_limit zone=l:1m'
        . ' rate=1r/m;',
    server => <<'CONF',
        location /metrics { access_log off; segments_metrics; }
        location = /who { internal; proxy_pass %%UPSTREAM%%; }
        location = /here { return 204; }
        location @here { return 204; }
        location /slow/segments {
            segments_gateway on;
            segments_secret_key_file %%DIR%%/secret;
            segments_idempotency off;
            segments_operations all;
            auth_request /who;
            proxy_pass %%UPSTREAM%%;
        }
        location /away/segments {
            segments_gateway on;
            segments_secret_key_file %%DIR%%/secret;
            segments_idempotency off;
            segments_operations all;
            try_files /nothing @here;
            proxy_pass %%UPSTREAM%%;
        }
        location /code/segments {
            segments_gateway on;
            segments_secret_key_file %%DIR%%/secret;
            segments_redis unix:%%DIR%%/no-redis.sock;
            segments_operations all;
            try_files /nothing =204;
            proxy_pass %%UPSTREAM%%;
        }
CONF
    location => <<'CONF');
            limit_req zone=l burst=5;
            limit_req_status 429;
            if ($request_method = OPTIONS) { return 204; }
            if ($arg_return = text) { return 200 text; }
            if ($arg_return = 301) { return 301 /elsewhere; }
            if ($arg_return = 308) { return 308 https://example.com/; }
            if ($arg_return = 444) { return 444; }
            if ($arg_return = 403) { return 403; }
            if ($arg_return = 503) { return 503; }
            if ($arg_return = rewrite) { rewrite ^ /here? last; }
            if ($arg_return = redirect) { rewrite ^ /here? redirect; }
CONF

my ($lines, %counted) = (0);

for (
    ['preflight',       204, '', 'OPTIONS', '/v4/segments'],
    ['text',            200, '', 'GET', '/v4/segments?return=text'],
    ['text to HEAD',    200, '', 'HEAD', '/v4/segments?return=text'],
    ['text to POST',    200, '', 'POST', '/v4/segments?return=text',
        body => '{}'],
    ['redirect',        301, '', 'GET', '/v4/segments?return=301'],
    ['other redirect',  308, '', 'GET', '/v4/segments?return=308'],
    ['rewrite',         204, '', 'GET', '/v4/segments?return=rewrite'],
    ['rewrite to redirect', 302, '', 'GET', '/v4/segments?return=redirect'],
    ['no answer',       444, '', 'GET', '/v4/segments?return=444'],

    # an error has the envelope

    ['return of a 403', 403, 'refused', 'GET', '/v4/segments?return=403'],
    ['return of a 503', 503, 'failed', 'GET', '/v4/segments?return=503'],

    # checked, and then answered by the place that "try_files" led to

    ['answered elsewhere', 204, '', 'GET', '/away/segments'],
    ['a code, elsewhere', 204, '', 'GET', '/code/segments'],

    ['list', 200, 'forwarded', 'GET', '/v4/segments'],
) {
    my ($name, $status, $outcome, @request) = @$_;

    my $answer = $nginx->request(@request);
    my $line = ($nginx->access(++$lines))[-1];

    is($line->{status}, $status, $name);
    is($line->{outcome}, $outcome, "$name: outcome");
    is($line->{operation}, '', "$name: operation")
        if !$outcome && $name !~ /elsewhere/;
    $counted{$outcome}++ if $outcome;
}

is_deeply(Segments::Metrics->of($nginx)->outcomes, \%counted, 'counted')
    or diag explain(Segments::Metrics->of($nginx)->outcomes);

# the client leaves while nginx' own checks keep its request

my $c = $nginx->connect;
$c->send_request('GET', '/slow/segments', mock => 'hold=who');
$upstream->wait_held('who');
$c->close;

my $line = ($nginx->access(++$lines))[-1];

is($line->{status}, 499, 'left during auth_request');
is($line->{outcome}, 'aborted', 'left during auth_request: outcome');
$upstream->release('who');

is($nginx->request('GET', '/v4/segments?limit=7')->status, 200, 'let through');
$lines++;

$c = $nginx->connect;
$c->send_request('GET', '/v4/segments?limit=7');
wait_for { $nginx->error_log =~ /delaying request/ } 10, 'the delay';
$c->close;

$line = ($nginx->access(++$lines))[-1];

is($line->{status}, 499, 'left while limit_req delays');
is($line->{outcome}, 'aborted', 'left while limit_req delays: outcome');

is_deeply(Segments::Metrics->of($nginx)->outcomes,
    { %counted, aborted => 2, forwarded => $counted{forwarded} + 1 },
    'those are counted')
    or diag explain(Segments::Metrics->of($nginx)->outcomes);

done_testing();
