#!/usr/bin/perl

# segments-record finds the master that sentinels know, and each master of a
# cluster, as the gateway does by the same URL.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;

use Segments::Authority;
use Segments::Cluster;
use Segments::RecordCommand qw(record);
use Segments::Sentinels;
use Segments::Test;

my %UNKNOWN = (state => 'unknown', fp => 'ab' x 32);

my $password = 'password_file=' . spew(tempdir() . '/password', "canary\n");

# the rights of the page, without those of a database
my @RIGHTS = ('on', '>canary', '~segments:*', '-@all', map { "+$_" }
    qw(select get pttl eval del scan getrange strlen));

sentinels();
cluster();
tls() if eval { require IO::Socket::SSL; 1 };

done_testing();


sub sentinels {
    my $s = Segments::Sentinels->start(replicas => 1, sentinels => 3);
    my $name = 'segments:{live:a:k}:create';

    for my $server ($s->servers) {
        $server->cmd('ACL', 'SETUSER', 'support', @RIGHTS, '+role');
    }

    my $put = sub {
        my ($master) = @_;

        delete $master->{client};               # sentinels cut them
        $master->cmd('SELECT', 1);
        $master->set_record($name, %UNKNOWN);
    };

    # the sentinels have no such user

    my $url = $s->url =~ s{//}{//support\@}r;
    my @url = ('-r', "$url/1 $password");

    $put->($s->master);

    my ($code, $out, $err) = record(@url, 'a', 'k');

    is($code, 0, 'sentinels: shown') or diag $err;
    like($out, qr/^state        unknown/m, 'from the master');
    is((record('-r', "$url $password", 'a', 'k'))[0], 1, 'another database');
    is((record(@url, '--scope', 'a'))[0], 0, 'listed');
    is((record(@url, '--purge', '--yes', 'a', 'k'))[0], 0, 'purged');
    is($s->master->cmd('EXISTS', $name), 0, 'it is gone');

    ($code, $out, $err) = record('-r', $s->url =~ s{[^/]*\z}{other}r, 'a', 'k');
    is($code, 4, 'no such master');
    like($err, qr/the sentinels know no master "other"/, 'and said');

    # one after the other, and where the master has gone

    my $new = $s->failover;

    for my $sentinel ($s->sentinels) {
        wait_for {
            eval { $sentinel->cmd('SENTINEL', 'GET-MASTER-ADDR-BY-NAME',
                $Segments::Sentinels::NAME)->[1] == $new->port };
        } 60, 'the sentinels to agree';
    }

    ($s->sentinels)[0]->stop;
    $put->($new);

    ($code, $out, $err) = record(@url, '--purge', '--yes', '--scope', 'a');
    is($code, 0, 'the next master, of the next sentinel') or diag $err;
    like($out, qr/^purged 1 record$/m, 'purged');
    is($new->cmd('EXISTS', $name), 0, 'it is gone');
    unlike($out . $err, qr/canary/, 'no password');

    return;
}


sub cluster {
    my $cluster = Segments::Cluster->start(options => {
        'cluster-node-timeout' => 60_000 });         # nobody is replaced
    my @names = map { "segments:{live:a:k$_}:create" } 1 .. 30;

    my $put = sub {
        for my $name (@_) {
            $cluster->owner($cluster->slot($name))
                ->set_record($name, %UNKNOWN);
        }
    };

    for my $server ($cluster->servers) {
        $server->cmd('ACL', 'SETUSER', 'support', @RIGHTS, '+asking',
            '+cluster|slots');
    }

    my $url = $cluster->url =~ s{//}{//support\@}r;
    my @url = ('-r', "$url $password");

    $put->(@names, 'segments:{live:b:k}:create');

    is(scalar(grep { $_->cmd('DBSIZE') } $cluster->masters), 3,
        'on all masters');

    # whoever is asked, and whoever has it

    for my $server ($cluster->masters) {
        my $one = 'redis+cluster://support@127.0.0.1:' . $server->port;

        for my $n (1 .. 5) {
            my ($code, $out, $err) = record('-r', "$one $password", 'a',
                "k$n");
            is($code, 0, "by one node: k$n") or diag $err;
        }
    }

    my $listed = sub {
        my ($what) = @_;

        my ($code, $out, $err) = record(@url, '--json', '--scope', 'a');
        is($code, 0, $what) or diag $err;

        return [map { $_->{record} } @{ decode_json($out)->{records} }];
    };

    is_deeply($listed->('listed'), [sort @names], 'of all masters, each once');

    # a slot on its way: some are here, some are there

    my $slot = $cluster->slot($names[0]);
    my $from = $cluster->owner($slot);
    my ($to) = grep { $_->port != $from->port } $cluster->masters;

    $cluster->migrate($slot, $to, sub {
        my ($code, $out, $err) = record(@url, 'a', 'k1');
        is($code, 0, 'on its way: shown') or diag $err;

        is_deeply($listed->('on its way: listed'), [sort @names],
            'all the same');

        ($code, $out, $err) = record(@url, '--purge', '--yes', 'a', 'k1');
        is($code, 0, 'on its way: purged') or diag $err;
    }, 1);

    $put->($names[0]);
    is($to->cmd('EXISTS', $names[0]), 1, 'at the other master now');
    is_deeply($listed->('moved: listed'), [sort @names], 'and found there');

    my ($code, $out, $err) = record(@url, '--purge', '--yes', '--scope', 'a');

    is($code, 0, 'purged') or diag $err;
    like($out, qr/^purged 30 records$/m, 'all of them');
    is_deeply([$cluster->keys], ['segments:{live:b:k}:create'],
        'and nothing else');

    # a master less: no list is better than half of one

    my ($gone) = ($cluster->masters)[1];

    $gone->pause;
    ($code, $out, $err) = record(@url, '--json', '--scope', 'a');
    $gone->resume;
    is($code, 4, 'a master is silent');
    is($out, '', 'nothing is listed');

    my $owner = $cluster->owner(0);

    $owner->cmd('CLUSTER', 'DELSLOTS', 0);
    ($code, $out, $err) = record('-r', 'redis+cluster://127.0.0.1:'
        . $owner->port, '--scope', 'a');
    is($code, 4, 'a slot without a master');
    like($err, qr/some slots of the cluster have no master/, 'and said');

    return;
}


sub tls {
    my $ca = Segments::Authority->new;
    my @files = ($ca->certificate('127.0.0.1'), $ca->file);
    my $trust = 'tls_trusted_certificate=' . $ca->file;
    my $name = 'segments:{live:a:k}:create';

    my $s = Segments::Sentinels->start(replicas => 0, sentinels => 1,
        tls => \@files);

    $s->master->set_record($name, %UNKNOWN);
    is((record('-r', $s->url . " $trust", 'a', 'k'))[0], 0,
        'sentinels with TLS');
    is((record('-r', $s->url, 'a', 'k'))[0], 4, 'whom nobody trusts');

    my $cluster = Segments::Cluster->start(tls => \@files);
    my @url = ('-r', $cluster->url . " $trust");

    for my $n (1 .. 10) {
        my $key = "segments:{live:a:k$n}:create";

        $cluster->owner($cluster->slot($key))->set_record($key, %UNKNOWN);
    }

    is((record(@url, 'a', "k$_"))[0], 0, "a cluster with TLS: k$_") for 1 .. 3;
    like((record(@url, '--scope', 'a'))[1], qr/^10 records/m, 'listed');

    return;
}
