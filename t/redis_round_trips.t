#!/usr/bin/perl

# One round trip to Redis admits a create with a key, one completes it, and
# nothing else makes any.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();
my $gateway = nginx(upstream => $upstream, redis => $redis, set => {
    segments_operations               => 'all',
    segments_redis_timeout            => slow_ms(3000),
    segments_redis_connect_timeout    => slow_ms(2000),
    segments_idempotency_wait         => 'off',
    segments_idempotency_lease        => '300s',
    segments_idempotency_max_response => '1k',
});

my @URI = ('/v4/segments', headers => ['Idempotency-Key' => 'k9']);


# what clients have sent, but for this test, and what scripts have called

sub sent { return $redis->commands }


# what it takes: a claim is one command, as is an answer where Redis has IFEQ;
# each script reads, and writes at most once

my %claim = (set => 1);
my %found = (set => 1);
my %script = (evalsha => 1, get => 1);
my %settle = $redis->can_ifeq ? (set => 1) : (%script, set => 1);

sub all {
    my @parts = @_;

    my %all;

    for my $part (@parts) {
        $all{$_} += $part->{$_} for keys %$part;
    }

    return %all;
}

sub trips {
    my ($name, $code, %expected) = @_;

    my $before = sent();
    my $answer = $code->();
    my $after = sent();
    my %more = map { $_ => $after->{$_} - ($before->{$_} // 0) } keys %$after;

    delete @more{ grep { !$more{$_} } keys %more };

    is_deeply(\%more, \%expected, $name)
        or diag $answer ? $answer->summary : 'no answer', explain \%more;

    return $answer;
}

sub create {
    my @args = @_;

    return sub { $gateway->create(@args) };
}


trips('no key', create());
trips('refused body', create(key => 'k0', body => {}));
trips('refused key', create(key => ''));
trips('refused type', create(key => 'k0', headers =>
    ['Content-Type' => 'text/plain']));
trips('list', sub { $gateway->request('GET', @URI) });
trips('delete', sub { $gateway->request('DELETE', '/v4/segments/id',
    @URI[1 .. $#URI]) });
trips('update', sub { $gateway->request('PUT', '/v4/segments/id',
    @URI[1 .. $#URI], body => { name => 'a' }) });

is($redis->cmd('DBSIZE'), 0, 'no record');
is(scalar(() = $redis->cmd('CLIENT', 'LIST') =~ /\n/g), 1, 'no connection');

# what it can do is not known yet, nor are the scripts; a rejected EVALSHA is
# counted as a call

trips('the very first', create(key => 'k1'), all({ ping => 1,
    'script|load' => 1, evalsha => 1 }, { %script, set => 1 },
    \%settle, $redis->can_ifeq ? () : { 'script|load' => 1, evalsha => 1 }));
trips('a create', create(key => 'k2'), all(\%claim, \%settle));
trips('its retry', create(key => 'k2'), %found);
trips('another request', create(key => 'k2', body => { name => 'b' }),
    %found);
trips('refused upstream', create(key => 'k3', mock => 'status=400'),
    all(\%claim, \%settle));

$gateway->create(key => 'loads', mock => 'status=429');

trips('not executed', create(key => 'k4', mock => 'status=429'),
    all(\%claim, \%script, { del => 1 }));
trips('failed upstream', create(key => 'k5', mock => 'status=500'),
    all(\%claim, \%script, { set => 1 }));
trips('cut upstream', create(key => 'k6', mock => 'close=after-read'),
    all(\%claim, \%script, { set => 1 }));
trips('a large answer', create(key => 'k7', mock => 'body=5000'),
    all(\%claim, \%settle));
trips('its retry', create(key => 'k7'), %found);
trips('a duplicate', sub {
    my $c = $gateway->connect;
    $c->send_request($gateway->create_request(key => 'k8', mock => 'hold=a'));
    $upstream->wait_held('a');
    is($gateway->create(key => 'k8')->status, 409, 'in progress');
    $upstream->release('a');
    return $c->read_response;
}, all(\%claim, \%settle, \%found, \%script, { pttl => 1 }));

# limits take no trip of their own, or the only one

my $limited = nginx(upstream => $upstream, redis => $redis, set => {
    segments_redis_timeout         => slow_ms(3000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => '300s',
    segments_rate_limit            => ['rate=1r/h burst=3',
        'rate=1r/d burst=9 name=b key=$remote_addr',
        'rate=1r/d burst=9 name=c key=$http_x_none'],
});

$limited->create(key => 'l0');
$limited->create;

sub limited {
    my @args = @_;

    return sub { $limited->create(@args) };
}

my %look = (time => 1, get => 2);
my %spend = (%look, set => 2);

trips('limited', limited(key => 'l1'),
    all(\%script, { set => 1 }, \%spend, \%settle));
trips('limited, its retry', limited(key => 'l1'), all(\%script, \%look));
trips('limited, no key', limited(), all(\%script, { set => 1 }, \%spend));
trips('refused', limited(key => 'l2'), all(\%script, \%look));
trips('refused, no key', limited(), all(\%script, \%look));
trips('limited, broken', limited(key => 'l2', body => {}));
$limited->stop;

is_deeply([$redis->keys_without_expiry], [], 'every key expires');


# while the upstream works, the lease is renewed, and no more often than needed

my $slow = nginx(upstream => $upstream, redis => $redis, set => {
    segments_redis_timeout         => slow_ms(300),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => slow_ms(900),
});

$slow->create(key => 'warm');

my $c = $slow->connect;
my $before = sent()->{pexpire} // 0;

$c->send_request($slow->create_request(key => 's1', mock => 'hold=s1'));
$upstream->wait_held('s1');

my ($name) = grep { /:s1\}:create\z/ } $redis->keys;
my $lease = $redis->record($name)->{lease};

wait_for {
    my $now = $redis->record($name)->{lease};
    $now - $lease >= 2 * slow(900);
} 20, 'two leases to pass';

$upstream->release('s1');
is($c->read_response->summary, '201 recorded', 'slow upstream');

my $trips = sent()->{pexpire} - $before;

cmp_ok($trips, '>=', 4, 'lease renewed');
cmp_ok($trips, '<=', 9, 'three times for each') or diag $trips;

is_deeply([$redis->keys_without_expiry], [], 'every key expires, still');

done_testing();
