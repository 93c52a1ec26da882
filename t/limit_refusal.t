#!/usr/bin/perl

# Over the limit: 429, when to come back, and no trace of the request.
# run: valgrind

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Limits;


my $upstream = upstream();
my $redis = redis_server();
my $gateway = nginx(upstream => $upstream, redis => $redis,
    http => 'log_format limit escape=json \'$segments_rate_limit_status\';',
    server => 'access_log %%DIR%%/access.log test;'
        . ' access_log %%DIR%%/limit.log limit;',
    set => {
        %Segments::Nginx::PATIENT,
        segments_rate_limit => 'rate=6r/h burst=1 key=$http_x_client',
    });
my $KEY = 'segments:{live:a%20b}:limit:default';
my @CLIENT = (headers => ['X-Client' => 'a b']);

for my $left (1, 0) {
    my $answer = $gateway->create(key => "k$left", @CLIENT);

    is($answer->summary, '201 recorded', "$left left");
    is(limits($answer, 600), qq("default";q=2;w=1200 "default";r=$left;t=600),
        "$left left, said so");
}

is(join(' ', grep { /limit/ } $redis->keys), $KEY, 'key in Redis');

my $owed = $redis->cmd('GET', $KEY);
my $records = $redis->cmd('DBSIZE');

for my $key ('refused', undef) {
    my $name = $key ? 'a key' : 'no key';
    my $answer = $gateway->create(key => $key, @CLIENT);

    is(envelope($answer), '429 request/rate_limit_exceeded', "$name: refused");
    is($answer->json->{error}{message},
        'The rate limit is exceeded: "default"', "$name: by which");
    like(limits($answer), qr/\A"default";q=2;w=1200 "default";r=0;t=(\d+)\z/,
        "$name: what is left");

    my ($reset) = limits($answer) =~ /t=(\d+)/;

    is($answer->header('Retry-After'), $reset, "$name: when to come back");
    ok($reset > 560 && $reset <= 600, "$name: in ten minutes") or diag $reset;
    is($answer->header('Idempotency-Status'), undef, "$name: no status");
    is($answer->header('Idempotent-Replayed'), undef, "$name: no replay");
    is($upstream->count, 2, "$name: not sent");
}

is($redis->cmd('DBSIZE'), $records, 'no record is left, nor a receipt');
is($redis->cmd('GET', $KEY), $owed, 'nothing more is owed');

# another client has its own, and who has no name is not limited

is($gateway->create(key => 'k2', headers => ['X-Client' => 'other'])->summary,
    '201 recorded', 'another client');

for my $n (1 .. 3) {
    my $answer = $gateway->create(key => "free$n");

    is($answer->summary, '201 recorded', "no name $n");
    is(limits($answer), ' ', "no name $n, no limit");
}

# what is said to come, comes: one create, and not one more

earn($redis, $KEY, 600);

is($gateway->create(key => 'refused', @CLIENT)->summary, '201 recorded',
    'the refused key after Retry-After');
is($upstream->count, 2 + 1 + 3 + 1, 'sent once');
is($gateway->create(key => 'more', @CLIENT)->status, 429, 'no more');
is($gateway->create(key => 'refused', @CLIENT)->summary,
    '201 replayed marked', 'the answer is kept');

# the log names the limit, not the client

my @lines = $gateway->error_log
    =~ /\[(\w+)\] .*?: \*\d+ (limiting creates by .*?), client: /g;

is("@lines", join(' ', ('error', 'limiting creates by "default"') x 3), 'log');
unlike($gateway->error_log, qr/a b|a%20b/, 'no key in the log');

my @access = $gateway->access(11);

is(join(' ', map { $_->{outcome} } @access), join(' ',
    qw(forwarded forwarded rate_limited rate_limited), ('forwarded') x 5,
    qw(rate_limited replayed)), 'outcomes');
like($access[3]{redis_time}, qr/\A[0-9]+\.[0-9]{3}\z/, 'time without a key');
is($access[3]{record}, '', 'no record without a key');
wait_for { 11 == (() = slurp($gateway->dir . '/limit.log') =~ /\n/g) };
is(join(',', split /\n/, slurp($gateway->dir . '/limit.log')),
    'PASSED,PASSED,REJECTED,REJECTED,PASSED,,,,PASSED,REJECTED', 'status');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
