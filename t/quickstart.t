#!/usr/bin/env perl

# What a newcomer sees first: ./quickstart says what the gateway did, and
# notices when that was wrong.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Spec;

use Segments::Process;
use Segments::Test;
use Segments::Util qw(program_root);

# its temporary directory goes here, so that one left behind is seen

my $tmp = tempdir() . '/tmp';
mkdir $tmp or die "$tmp: $!";
chmod 0755, tempdir(), $tmp;

answers_right();
answers_wrong();
serves();
usage();

done_testing();


sub answers_right {
    my ($code, $output) = run(['--once']);

    is($code, 0, 'success');

    ok($output =~ m{^HTTP/1\.1\ 201\ Created\n .*\n
        Idempotency-Status:\ recorded\n \n \{.*"object":"segment"}mx,
        'recorded');
    ok($output =~ m{^HTTP/1\.1\ 201\ Created\n .*\n
        Idempotent-Replayed:\ true\n Idempotency-Status:\ replayed\n
        \n \{.*"object":"segment"}mx, 'replayed');
    ok($output =~ m{^HTTP/1\.1 400 Bad Request\n}m, 'refused');

    my @fields = $output =~ /^    \{"field":"([^"]+)"/mg;

    is_deeply([sort @fields], ['colour', map({ "conditions[0].$_" }
        qw(comparator negate value)), 'name'], 'every violation');

    ok($output =~ m{^    POST /v4/segments HTTP/1\.1\n}m, 'upstream request');
    ok($output =~ m{^    Authorization: Bearer test_sk_}m, 'Secret Key');
    is(() = $output =~ m{^    (?:POST|GET) /}mg, 1, 'one upstream request');
    ok($output !~ /FAILED/, 'no failure') or diag($output);

    return;
}


sub answers_wrong {
    my ($code, $output) = run(['--once'], STAND_IN => 'status=500');

    isnt($code, 0, 'upstream fails: no success');
    ok($output =~ /FAILED: created/, 'upstream fails: said');

    ($code, $output) = run(['--once'], STAND_IN => 'status=201;close=mid-body');

    isnt($code, 0, 'answer is cut: no success');
    ok($output =~ /FAILED: created/, 'answer is cut: said');

    ($code, $output) = run(['--once'], MODULE => "$tmp/none.so");

    isnt($code, 0, 'no module: no success');
    like($output, qr/did not start.*none\.so/s, 'no module: said');

    return;
}


sub serves {
    my $process = start([]);

    wait_for {
        output() =~ /^    tools\/segments-record/m
            || !$process->alive && die output();
    } 60, 'quickstart to serve';

    my ($port) = output() =~ /listens on 127\.0\.0\.1:([0-9]+)/;
    my $answer = http($port, 'POST', '/v4/segments', key => 'quickstart-1',
        body => { name => 'Others' });

    is($answer->status, 422, 'serves');

    my ($try) = output() =~ /^== Serving .*?\n\n(.*)\z/ms;
    my %calls = $try =~ /^(\w.*)\n((?:    .*\n)+)/mg;
    my %said = map { $_ => said($calls{$_}) }
        grep { $calls{$_} !~ /^ *tail / } keys %calls;

    for my $row (
        ['another body', qr/\A422 mismatch\z/],
        ['a client that waits', qr/\A201 replayed\z/],
        ['an upstream that fails', qr/\A500 unstored 201 recorded\z/],
        ['the other operations', qr/\A200 200 200 204 400\z/],
        ['what Redis holds', qr/^state +answered\b/m],
    ) {
        my ($name, $pattern) = @$row;
        my ($call) = grep { /^$name/ } keys %said;

        like(delete $said{$call // ''}, $pattern, $name);
    }

    is_deeply([keys %said], [], 'and no other call');

    my ($logs) = $calls{(grep { /terminal/ } keys %calls)[0]} =~ /tail -f (.*)/;

    unlike(slurp((split ' ', $logs)[-1]), qr/\[(?:warn|error)\]|may not/,
        'nothing to worry about in the log');

    my $connection = Segments::HTTP->connect($port);

    $process->stop('INT');

    is($process->status, 0, 'success after Ctrl-C');
    ok($connection->wait_closed, 'nginx ended');
    is_deeply([glob "$tmp/*"], [], 'nothing is left');

    return;
}


# the answers' status, and what the gateway says of it, or else all

sub said {
    my $all = shell(@_);
    my @words = $all =~ /^(?:HTTP\S+|Idempotency-Status:) (\w+)/mg;

    return @words ? "@words" : $all;
}


# as somebody who copies it

sub shell {
    my ($command) = @_;

    my $file = tempdir() . '/shell';

    unlink $file;

    Segments::Process->spawn(name => 'shell', output => $file,
        argv => ['/bin/sh', '-c', "cd '@{[program_root()]}'\n$command"])
        ->wait(slow(30));

    return slurp($file);
}


sub usage {
    my ($code, $output) = run(['--twice']);

    is($code, 2, 'unknown option');
    like($output, qr/^quickstart --once /m, 'says what there is');

    return;
}


sub run {
    my ($argv, %env) = @_;

    my $process = start($argv, %env);

    $process->wait(60) or die 'quickstart hangs: ' . output();

    is_deeply([glob "$tmp/*"], [], 'nothing is left');

    return ($process->status >> 8, output());
}


sub start {
    my ($argv, %env) = @_;

    unlink tempdir() . '/output';

    return Segments::Process->spawn(
        name   => 'quickstart',
        argv   => [program_root() . '/quickstart', @$argv],
        env    => {
            MODULE   => File::Spec->rel2abs($ENV{TEST_NGINX_MODULE}
                // program_root() . '/build/ngx_http_segments_module.so'),
            STAND_IN => '',
            TMPDIR   => $tmp,
            %env,
        },
        output => tempdir() . '/output',
    );
}


sub output {
    return slurp(tempdir() . '/output');
}
