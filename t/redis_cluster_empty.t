#!/usr/bin/perl

# Slots that move to nodes of a cluster which do not have the script yet: what
# comes in the first burst, retries and copies included, is asked for with
# ASKING, found to need the script, and asked for once more.  Nobody gets
# another one's answer, and nothing is sent twice.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Cluster;


my $ROUNDS = 6;

my $upstream = upstream();
my $cluster = Segments::Cluster->start;

my $gateway = nginx(upstream => $upstream, redis => $cluster->url, set => {
    segments_redis_timeout         => slow_ms(3000),
    segments_redis_connect_timeout => slow_ms(3000),
    segments_idempotency_wait      => 'off',
    segments_idempotency_lease     => '300s',
    segments_idempotency_scope     => '$http_x_scope',
});


sub create {
    my ($scope, $key) = @_;

    return [$gateway, $gateway->create_request(
        key => Segments::Cluster::key_in_slot($scope, $key),
        headers => ['X-Scope' => $scope], body => { name => "$scope/$key" })];
}

sub slot {
    my ($scope) = @_;

    return $cluster->slot("segments:{live:$scope:x}:create");
}


# scopes by their master, one to be moved in each round and one that stays

my %owned;

push @{ $owned{ $cluster->owner(slot("s$_"))->port } }, "s$_" for 1 .. 60;

my @masters = $cluster->masters;
my (%answers, %wrong, %said);


# each answer is the one of its own request, and of its first one

sub check {
    my ($name, @asked) = @_;

    my @heard = parallel(map { create(@$_) } @asked);

    for my $i (0 .. $#asked) {
        my ($asked, $answer) = ("$asked[$i][0]/$asked[$i][1]", $heard[$i]);
        my $summary = $answer ? $answer->summary : 'none';

        $said{$summary}++;
        next if $summary !~ /\A201 (?:recorded|replayed marked)\z/;

        $wrong{"$asked has another one's"}++
            if $answer->json->{name} ne $asked;
        $wrong{"$asked has two"}++
            if ($answers{$asked} //= $answer->body) ne $answer->body;
    }

    return;
}


for my $round (1 .. $ROUNDS) {
    my ($from, $to) = @masters[$round % 3, ($round + 1) % 3];
    my $moving = shift @{ $owned{ $from->port } };
    my $staying = $owned{ $to->port }[-1];
    my @old = map { [$moving, "old$_"] } 1 .. 10;
    my @new = map { [$moving, "r$round-$_"] } 1 .. 15;
    my @near = map { [$staying, "r$round-$_"] } 1 .. 5;

    check('before', @old, [$staying, 'warm']);

    # half of what is known has moved, and nobody there has the script

    $cluster->migrate(slot($moving), $to, sub {
        $to->cmd('SCRIPT', 'FLUSH');
        check('in the burst', map { ($new[$_], $old[$_ % 10], $new[$_],
            $near[$_ % 5]) } 0 .. 14);
        check('behind it', @new, @old, @near);
    }, 5);

    check('moved', @new, @old, @near);
}

is_deeply(\%wrong, {}, 'no answer is another one\'s') or diag explain \%wrong;
is_deeply([grep { !/\A(?:201 recorded|201 replayed marked|409 in-progress .*)\z/
    } keys %said], [], 'no other answers') or diag explain \%said;

my %sent;

$sent{ $_->header('Idempotency-Key') }++ for $upstream->requests;

is(scalar(keys %sent), scalar(keys %answers), 'every key was sent');
is_deeply([grep { $sent{$_} > 1 } keys %sent], [], 'and none twice');
is($said{'201 recorded'}, scalar(keys %answers), 'each created once');

cmp_ok($_->commands->{'script|load'} // 0, '>', 0, 'the script was loaded')
    for @masters;

unlike($gateway->error_log, qr/cannot be to its command|to no command/,
    'no connection was out of step');

done_testing();
