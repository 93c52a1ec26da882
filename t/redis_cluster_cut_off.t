#!/usr/bin/perl

# A master that is cut off from its cluster and still answers: what it says of
# the slots is old.  Errors end with the cluster's own recovery, wherever the
# node stands in the URL, and whether or not it may be asked how it is.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Machine qw(lateness);
use Segments::Test;
use Segments::Cluster;
use Segments::Redis;

use IO::Socket::INET;
use Time::HiRes qw(time);


my $upstream = upstream();
my $cluster = Segments::Cluster->start(bus => 1);
my @masters = @{ $cluster->{servers} }[0 .. 2];
my $victim = $masters[0];

my %set = (
    segments_redis_timeout         => slow_ms(200),
    segments_redis_connect_timeout => slow_ms(200),
    segments_idempotency_lease     => '60s',
    segments_idempotency_scope     => '$http_x_scope',
);

# as a user that may ask, and as one that may not

my $rule = 'on >password ~segments:* -@all +ping +eval +evalsha '
    . '+script|load +set +get +del +append +pexpire +pttl +time +info '
    . '+cluster|slots +asking';

for my $server ($cluster->servers) {
    is($server->cmd('ACL', 'SETUSER', @$_), 'OK', 'ACL')
        for ['knows', split(' ', $rule), '+cluster|info'],
            ['not', split ' ', $rule];
}

spew(tempdir() . '/password', 'password');

sub gateway {
    my ($user, @servers) = @_;

    return nginx(upstream => $upstream, set => \%set,
        redis => $cluster->url(@servers) =~ s{//}{//$user\@}r
            . ' password_file=' . tempdir() . '/password');
}

my %gateways = (
    first     => gateway('knows', @masters),
    last      => gateway('knows', reverse @masters),
    alone     => gateway('knows', $victim),
    'no INFO' => gateway('not', @masters),
);
my @names = sort keys %gateways;

# keys of the node's slots, and of another's: as it was before

my @slots = @{ $masters[1]->cmd('CLUSTER', 'SLOTS') };

sub port_of {
    my ($tag) = @_;

    my $slot = $masters[1]->cmd('CLUSTER', 'KEYSLOT', "{$tag}");

    return (map { $_->[2][1] } grep { $_->[0] <= $slot && $slot <= $_->[1] }
        @slots)[0];
}

sub key_of {
    my ($server, $name) = @_;

    my $n = 0;

    $n++ while port_of("live:s:$name-$n") != $server->port;

    return "$name-$n";
}

my $written = 'segments:{live:s:' . key_of($victim, 'written') . '}';

my $requests = 0;

sub all {
    my ($server) = @_;

    $requests++;

    my @answers = parallel(map {
        [$gateways{$_}, $gateways{$_}->create_request(key => key_of($server,
            "$_-$requests" =~ s/ //r), headers => ['X-Scope' => 's'])]
    } @names);

    return map { $names[$_] => $answers[$_] ? $answers[$_]->status : 0 }
        0 .. $#names;
}

my %ready;

wait_for {
    my %said = all($victim);
    $said{$_} == 201 and $ready{$_} = 1 for @names;
    @names == keys %ready;
} 20, 'all to work';


# a client that knows nothing: has it a write that gets through?

sub writes {
    my $port = $masters[1]->port;

    for (1 .. 5) {
        my $client = eval {
            my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port",
                Timeout => 1) or die 'no connection';

            bless { socket => $socket, buffer => '' }, 'Segments::Redis';
        } or return 0;

        my $said = eval { $client->command('SET', $written, 1) }
            // return 0;

        return 1 if "$said" eq 'OK';
        ($port) = "$said" =~ /\AMOVED [0-9]+ \S*:([0-9]+)\z/ or return 0;
    }

    return 0;
}

$cluster->cut_off($victim);

wait_for { $victim->cmd('CLUSTER', 'INFO') =~ /cluster_state:fail/ } 30,
    'the node to notice';
ok(!writes(), 'no write gets through');

my (%last, $recovered, $before, $until);

while (!defined $until || time < $until) {
    if (!defined $recovered && writes()) {
        $recovered = time;
        $before = lateness();
        $until = $recovered + slow(3);
    }

    # without its slots the cluster may refuse all others, too

    for my $asked ($victim, $masters[1]) {
        my %said = all($asked);
        my $now = time;

        # but for what the machine is late

        $now -= (lateness() - $before) / 1000
            if defined $recovered && grep { $_ != 201 } values %said;
        $said{$_} == 201 or $last{$_} = $now for @names;
    }
}

for my $name (@names) {
    cmp_ok(($last{$name} // 0) - $recovered, '<=', slow(0.5),
        "$name, errors end half a second after the cluster's recovery");
}

like($gateways{first}->error_log,
    qr/\[warn\] .* redis says that its cluster fails, and is not believed/,
    'log');
cmp_ok(scalar(() = $gateways{first}->error_log =~ /cluster fails/g), '<=', 3,
    'not too often');
is(scalar(() = $gateways{'no INFO'}->error_log =~ /cluster fails/g), 0,
    'unless it may not be asked');


# one that is started now, and knows only what the node says

my $late = gateway('knows', $victim);
my $answer;

wait_for {
    $answer = $late->request($late->create_request(
        key => key_of($victim, 'late' . $requests++),
        headers => ['X-Scope' => 's']));
    $answer->status == 201;
} slow(2), 'the others to be asked';
is($answer->summary, '201 recorded', 'believed while no other answers');
$late->quit;


# it comes back, as a replica

$cluster->join_again;
wait_for { $victim->cmd('ROLE')->[0] eq 'slave'
    && $victim->cmd('CLUSTER', 'INFO') =~ /cluster_state:ok/ } 60,
    'the node to be back';
is_deeply({ all($victim) }, { map { $_ => 201 } @names }, 'all work again');

$_->quit for values %gateways;

done_testing();
