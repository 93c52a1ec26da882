#!/usr/bin/perl

# What a request makes a worker keep beyond its own body, which nginx has in a
# file here, is bounded: an answer that nobody reads is small however many
# violations it names, and a body that was looked at is not kept beside the file
# for as long as the upstream takes.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $MEGABYTE = 1024 * 1024 - 1024;      # nginx takes one by default
my $MORE = 20;                          # requests at once
my $KEPT = 192;                         # KB of each, at most

plan(skip_all => 'no /proc') if !-r "/proc/$$/status";

my $upstream = upstream();
my $redis = redis_server();

# a new one for each: what an earlier request left in the heap is used again

my $nginx;

sub start_nginx {
    $nginx = nginx(upstream => $upstream, redis => $redis, set => {
        %Segments::Nginx::PATIENT,
        segments_operations => 'all',
    });
}

sub resident {
    my ($worker) = $nginx->worker_pids;

    return slurp("/proc/$worker/status") =~ /^VmRSS:\s+([0-9]+)/m ? $1 : die;
}

sub filled {
    my ($start, $piece, $end) = @_;

    my $n = int(($MEGABYTE - length($start) - length $end) / length $piece);

    return $start . substr($piece x $n, 0, -1) . $end;
}

sub numbered {
    my ($start, $end) = @_;

    return join '', $start, map({ sprintf ',"x%07d":0', $_ }
        1 .. int(($MEGABYTE - 100) / 13)), $end;
}

# the first make room for what is given back at once, others use it again

sub kept {
    my ($name, $ready, @request) = @_;

    my @open = map { start($ready, $_, @request) } 1 .. 4;
    my $before = resident();

    push @open, map { start($ready, $_, @request) } 5 .. 4 + $MORE;

    my $each = (resident() - $before) / $MORE;

    cmp_ok($each, '<', $KEPT, "$name: kilobytes for each");

    return @open;
}

sub start {
    my ($ready, $n, @request) = @_;

    my $c = $nginx->connect;
    $c->send_request(@request, headers => ['X-Number' => $n]);
    $ready->($c, $n);

    return $c;
}

sub answered {
    my ($c) = @_;

    IO::Select->new($c->{socket})->can_read(slow(20)) or die 'no answer';

    return;
}

# answers that nobody reads

for (
    ['violations', filled('{"name":"a","conditions":[', '{},', ']}'),
        qr/: [0-9]+ violations, of which the first 100 are listed\z/],
    ['unknown members', numbered('{"name":"a"', '}'),
        qr/: [0-9]+ violations, of which the first 100 are listed\z/],
    ['a long name of a member',
        '{"name":"a","' . 'x' x ($MEGABYTE - 30) . '":0}',
        qr/\AValidation failed\z/],
) {
    my ($name, $body, $message) = @$_;
    my @request = ('POST', '/v4/segments', body => $body);

    start_nginx();
    kept($name, \&answered, @request);

    my $error = $nginx->request(@request)->json->{error};

    like($error->{message}, $message, "$name: message");
    cmp_ok(scalar @{ $error->{details} }, '<=', 100, "$name: details");
    cmp_ok(length $_->{field}, '<=', 259, "$name: field")
        for $error->{details}[0];
}

my $query = $nginx->request('GET', '/v4/segments?' . 'a&' x 3000);

like($query->json->{error}{message}, qr/: 3000 violations, of which the first/,
    'query: message');
is(scalar @{ $query->json->{error}{details} }, 100, 'query: details');

# bodies of which the upstream says nothing yet

my $valid = filled('{"name":"a","conditions":[',
    '{"metric":"m","comparator":"eq","value":"v"},', ']}');

start_nginx();

my @open = kept('sent', sub { $upstream->wait_held('sent', $_[1]) },
    'POST', '/v4/segments', body => $valid, mock => 'hold=sent');

$upstream->release('sent');
is($_->read_response->status, 201, 'answered') for @open;

# a body where none may be is not even looked at

is($nginx->request('DELETE', '/v4/segments/a', body => $valid)->summary,
    '400 - invalid_data', 'unexpected');

done_testing();
