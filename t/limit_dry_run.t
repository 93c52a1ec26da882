#!/usr/bin/perl

# segments_rate_limit_dry_run: creates are counted and told apart in logs, and
# all of them pass.  segments_rate_limit_log_level.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Limits;


my $upstream = upstream();
my $redis = redis_server();
my $KEY = 'segments:{live:}:limit:default';

sub gateway {
    my (%set) = @_;

    return nginx(upstream => $upstream, redis => $redis,
        http => 'log_format limit escape=json'
            . ' \'$status $segments_outcome $segments_rate_limit_status\';',
        server => 'access_log %%DIR%%/limit.log limit;',
        set => { %Segments::Nginx::PATIENT,
            segments_rate_limit => 'rate=1r/h burst=1', %set });
}

sub lines {
    my ($gateway, $count) = @_;

    my $path = $gateway->dir . '/limit.log';

    wait_for { $count <= (() = slurp($path) =~ /\n/g) };

    return join ', ', split /\n/, slurp($path);
}

my $gateway = gateway(segments_rate_limit_dry_run => 'on',
    segments_rate_limit_log_level => 'notice');

for my $n (1 .. 4) {
    my $answer = $gateway->create($n == 4 ? () : (key => "k$n"));

    is($answer->summary, $n == 4 ? '201 -' : '201 recorded', "create $n");
    is(limits($answer), ' ', "create $n: nothing is said");
}

is($upstream->count, 4, 'all are sent');
cmp_ok(owed($redis, $KEY), '<=', 7200, 'what is too much is not charged');
cmp_ok(owed($redis, $KEY), '>', 7000, 'what is not too much is');
is(lines($gateway, 4), '201 forwarded PASSED, 201 forwarded PASSED, '
    . '201 forwarded REJECTED_DRY_RUN, 201 forwarded REJECTED_DRY_RUN',
    'status');

my @lines = $gateway->error_log =~ /(\[\w+\]).*?(limiting .*?), client: /g;

is("@lines", join(' ', ('[notice] limiting creates by "default", dry run') x 2),
    'log');

is($gateway->create(key => 'k1')->summary, '201 replayed marked', 'a replay');
is($gateway->create(key => 'k1', body => { name => 'a' })->status, 422,
    'a mismatch');

$gateway->stop;

# the same limit in earnest

for my $level (qw(info notice warn error)) {
    $gateway = gateway($level eq 'error' ? ()
        : (segments_rate_limit_log_level => $level));

    is($gateway->create(key => $level)->status, 429, "$level: refused");
    like($gateway->error_log, qr/\[$level\].*limiting creates by "default", c/,
        "$level: log");
    is(lines($gateway, 1), '429 rate_limited REJECTED', "$level: status");
    $gateway->stop;
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
