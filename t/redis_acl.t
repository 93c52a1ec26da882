#!/usr/bin/perl

# The Redis user that the documentation recommends can do all that a gateway
# does, and nothing that it does not.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


# what docs/operations.md says: what goes there as it is, what the scripts
# call, and what is needed for waiting

my @RULE = qw(resetkeys resetchannels -@all ~segments:* &segments:*);
my @COMMANDS = qw(ping info set get del append pexpire pttl time eval evalsha
    script|load publish subscribe);

my $upstream = upstream();
my $redis = redis_server();
my $users = 0;

spew(tempdir() . '/password', 'secret');

sub gateway {
    my ($commands, %more) = @_;

    my $user = 'user' . ++$users;

    my $set = $redis->cmd('ACL', 'SETUSER', $user, 'on', '>secret', @RULE,
        map { "+$_" } @$commands);
    "$set" eq 'OK' or die $set;

    $redis->cmd('FLUSHALL');
    $redis->cmd('SCRIPT', 'FLUSH');

    return nginx(upstream => $upstream, redis => "redis://$user\@127.0.0.1:"
        . $redis->port . ' password_file=' . tempdir() . '/password',
        set => {
            segments_redis_timeout            => slow_ms(300),
            segments_redis_connect_timeout    => slow_ms(2000),
            segments_idempotency_lease        => slow_ms(900),
            segments_idempotency_ttl          => slow_ms(900),
            segments_idempotency_max_response => '1k',
            segments_rate_limit               => 'rate=1r/h burst=20',
            segments_idempotency_wait         => slow_ms(10_000),
            %more,
        });
}


# every way that a record's life can take

sub life {
    my ($gateway) = @_;

    my @said = map { $_->summary } (
        $gateway->create(key => 'a'),
        $gateway->create(key => 'a'),
        $gateway->create(key => 'a', body => { name => 'b' }),
        $gateway->create(key => 'b', mock => 'body=5000'),
        $gateway->create(key => 'b'),
        $gateway->create(key => 'c', mock => 'status=429'),
        $gateway->create(key => 'c', mock => 'status=500'),
        $gateway->create(key => 'c'),
        $gateway->create,
    );

    return join "\n", @said;
}

my $whole = <<'END' =~ s/\n\z//r;
201 recorded
201 replayed marked
422 mismatch idempotency_key_reused
201 recorded
409 replayed marked idempotency_answer_not_kept
429 unstored mock_429
500 unstored mock_500
201 recorded
201 -
END

# "no such permission" is written down by Redis itself

sub denied {
    return map { { @$_ }->{object} } @{ $redis->cmd('ACL', 'LOG') };
}


my $gateway = gateway(\@COMMANDS,
    segments_redis_timeout     => slow_ms(2000),
    segments_idempotency_lease => slow_ms(6000),
    segments_idempotency_ttl   => '60s');

is(life($gateway), $whole, 'a whole life');
is(waits($gateway, 'e'), '201 replayed marked', 'waited for');

unlike($gateway->error_log, qr/\[(?:error|warn)\]/, 'log');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');
$gateway->quit;

$gateway = gateway(\@COMMANDS);

is(renewals($gateway, 'd'), '201 recorded', 'renewed');
is_deeply([denied()], [], 'nothing was denied');
$gateway->quit;


# each of them is needed

for my $left_out (@COMMANDS) {
    $redis->cmd('ACL', 'LOG', 'RESET');
    my $waits = $left_out =~ /publish|subscribe|append|pttl/;

    # EVAL is for servers that take no scripts otherwise

    my %without = map { $_ => 1 } $left_out,
        $left_out eq 'eval' ? 'script|load' : ();

    $gateway = gateway([grep { !$without{$_} } @COMMANDS],
        $waits ? () : (segments_idempotency_wait => 'off'));

    life($gateway);
    renewals($gateway, 'd') if $left_out eq 'pexpire';
    waits($gateway, 'e') if $waits;

    is_deeply([grep { !$without{$_} } denied()], [],
        "without $left_out, nothing else denied");
    is(scalar(grep { $_ eq $left_out } denied()) ? 'denied' : 'unused',
        'denied', "without $left_out");
    is_deeply([$redis->keys_without_expiry], [],
        "without $left_out, nothing stays for ever");

    $gateway->stop;
}


# other keys are out of reach

$gateway = gateway(\@COMMANDS, segments_redis_prefix => 'other:');

is(envelope($gateway->create(key => 'e')), '503 internal/storage_error',
    'another prefix');
is($redis->cmd('DBSIZE'), 0, 'another prefix, nothing written');
$gateway->stop;

done_testing();


# a duplicate that comes early

sub waits {
    my ($gateway, $key) = @_;

    my $hold = "wait$users";
    my ($first, $second) = map { $gateway->connect } 1, 2;

    $first->send_request($gateway->create_request(key => $key,
        mock => "hold=$hold"));
    $upstream->wait_held($hold);

    my $asked = $redis->commands->{evalsha};

    $second->send_request($gateway->create_request(key => $key));
    wait_for { denied() || $redis->commands->{evalsha} >= $asked + 2 } 10,
        'a duplicate';
    $upstream->release($hold);
    $first->read_response;

    return $second->read_response->summary;
}


# an upstream that takes longer than the lease

sub renewals {
    my ($gateway, $key) = @_;

    my $c = $gateway->connect;
    my $start = $redis->cmd('TIME')->[0];
    my $hold = "hold$users";

    $c->send_request($gateway->create_request(key => $key,
        mock => "hold=$hold"));
    $upstream->wait_held($hold);
    wait_for {
        my ($name) = grep { /:$key\}:create\z/ } $redis->keys;
        my $lease = $name && $redis->record($name)->{lease};

        denied() || !$lease
            || $lease > 1000 * ($start + 1) + 2 * slow(900);
    } 20, 'the lease to be renewed';

    $upstream->release($hold);

    return $c->read_response->summary;
}
