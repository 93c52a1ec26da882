#!/usr/bin/perl

# Three real sentinels: the master is found through any of them and followed
# to where it goes, whether it dies or is moved.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Sentinels;


my $upstream = upstream();
my $s = Segments::Sentinels->start(replicas => 2, sentinels => 3);

my %set = (
    segments_redis_timeout         => slow_ms(300),
    segments_redis_connect_timeout => slow_ms(300),
    segments_redis_breaker         => 'failures=5 retry=' . slow_ms(300),
    segments_idempotency_lease     => '60s',
);

sub gateway {
    my ($url, %more) = @_;

    return nginx(upstream => $upstream, redis => $url,
        set => { %set, %more });
}


# on a connection of its own: sentinels cut the others

sub keys_of {
    my ($server) = @_;

    my $keys = wait_for {
        delete $server->{client};
        eval { $server->cmd('SELECT', 1); [$server->keys] };
    } 20, 'the keys';

    return @$keys;
}


# found, and used

my $master = $s->master;
my $rule = 'on >password ~segments:* -@all +ping +select +eval +evalsha '
    . '+script|load +set +get +del +append +pexpire +pttl +time +info +role';

for my $server ($s->servers) {
    is($server->cmd('ACL', 'SETUSER', 'gateway', split ' ', $rule), 'OK',
        'ACL');
}

spew(tempdir() . '/password', 'password');

# the sentinels have no such user, which is no reason not to answer

my $gateway = gateway($s->url =~ s{//}{//gateway\@}r . '/1 password_file='
    . tempdir() . '/password');
my %first;

for my $n (1 .. 10) {
    my $answer = $gateway->create(key => "k$n");

    is($answer->summary, '201 recorded', "create $n");
    $first{"k$n"} = $answer->body;
}

is(scalar(keys_of($master)), 10, 'on the master, in the database');


# a duplicate that waits hears of the answer, wherever that was stored

my $waiting = nginx(upstream => $upstream, redis => $s->url,
    set => { %set, segments_idempotency_wait => slow(20) . 's' });
my @both = map { $waiting->connect } 1, 2;

$both[0]->send_request($waiting->create_request(key => 'w', mock => 'hold=w'));
$upstream->wait_held('w');
$both[1]->send_request($waiting->create_request(key => 'w'));
wait_for { grep { @{ $_->cmd('PUBSUB', 'CHANNELS', 'segments:*') } }
        $s->master } 20,
    'the subscription';
$upstream->release('w');
is($both[0]->read_response->summary, '201 recorded', 'the first of two');
is($both[1]->read_response->summary, '201 replayed marked',
    'the second has waited');
$waiting->quit;


# a master that dies under load

$master->wait_replicas(1);
$s->kill_master;

my (%statuses, %created);
my $round = 0;

wait_for {
    my @keys = map { "load-$round-$_" } 1 .. 5;
    my @answers = parallel(map {
        [$gateway, $gateway->create_request(key => $_)]
    } @keys);

    $round++;

    for my $i (0 .. $#keys) {
        my $summary = $answers[$i] ? $answers[$i]->summary : 'none';
        $statuses{$summary}++;
        $created{ $keys[$i] } = $answers[$i]->body
            if $summary eq '201 recorded';
    }

    5 <= keys %created;
} 60, 'the gateway to follow';

is_deeply([grep { !/\A(?:503 - storage_error|201 recorded|201 unstored)\z/ }
    sort keys %statuses], [], 'no other answers meanwhile')
    or diag explain \%statuses;

my $new = $s->wait_master($master);

isnt($new->port, $master->port, 'another master');
is($gateway->create(key => $_)->body, $first{$_}, "$_, the same answer")
    for sort keys %first;
is($gateway->create(key => $_)->body, $created{$_}, "$_, the same answer")
    for sort keys %created;

like($gateway->error_log,
    qr/\[notice\] .* redis master "the-master" is now at 127\.0\.0\.1:/, 'log');


# the old one comes back as a replica; then an operator moves the master

$master->start;
$master->cmd('ACL', 'SETUSER', 'gateway', split ' ', $rule);

# the gateway may hear of it first

my $mark = length $gateway->error_log;
my $moved = $s->failover;

my ($after, %unexpected) = (0);

# for a while the old one takes writes as if nothing had been

wait_for {
    my $summary = $gateway->create(key => 'm' . $after++)->summary;

    $unexpected{$summary}++ if $summary !~ /\A(?:503\ -\ storage_error|
        201\ recorded|201\ unstored)\z/x;
    grep { /:m[^:}]*\}:create\z/ } keys_of($moved);
} 60, 'the gateway to follow again';

is_deeply(\%unexpected, {}, 'moved, no other answers meanwhile');
like($gateway->error_log($mark), qr/"the-master" is now at 127\.0\.0\.1:/,
    'moved, log');
is($gateway->create(key => $_)->body, $first{$_}, "$_, still the same")
    for sort keys %first;
$gateway->quit;


# through any of them: the first is gone, the second silent

my @sentinels = $s->sentinels;

$sentinels[0]->stop;
$sentinels[1]->process->signal('STOP');

$gateway = gateway($s->url . '/1', segments_redis_timeout => slow_ms(2000));
is($gateway->create(key => 'k1')->summary, '201 replayed marked',
    'through the third one');
$gateway->quit;
$sentinels[1]->process->signal('CONT');


# a name that they do not know

$gateway = gateway($s->url =~ s/the-master\z/another/r);
is(envelope($gateway->create(key => 'x')), '503 internal/storage_error',
    'another name');
like($gateway->error_log, qr/\[error\] .* sentinel names no master "another"/,
    'another name, log');
cmp_ok(scalar(() = $gateway->error_log =~ /names no master/g), '<', 20,
    'not too often');
$gateway->stop;

done_testing();
