#!/usr/bin/perl

# Answers without a body: a 204 has neither length nor type, at first and in a
# replay; an empty 201 has a length of nothing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();
my %args = (upstream => $upstream, redis => $redis);

my @EMPTY_204 = ('', 'header=Content-Length:0', 'type=application/json',
    'type=application/json%3B charset=utf-8; header=Content-Length:0',
    'http10', 'no-length', 'keepalive=off', 'text=something',
    'type=text/plain; text=something; header=Content-Length:9');

my @EMPTY_201 = ('', 'chunked', 'no-length', 'http10', 'http10; no-length',
    'type=application/json', 'type=text/plain; chunked', 'header=ETag:"v1"',
    'status=200; chunked; type=application/json', 'status=205',
    'status=422; type=application/json');

my %WAYS = (
    'HTTP/1.1' => sub { my ($n, @r) = @_; return $n->request(@r) },
    'HTTP/1.0' => sub {
        my ($n, @r) = @_;
        return $n->request(@r, version => '1.0');
    },
    'HTTP/2'   => sub { my ($n, @r) = @_; return h2($n)->request(@r) },
);


# what an answer and its replay have in common

sub fields {
    my ($answer) = @_;

    return [map { lc($_->[0]) . ": $_->[1]" } grep { $_->[0] !~
        /^(?:Date|X-Request-Id|Idempot.*|Connection|Server|:.*)$/i }
        $answer->fields];
}


for my $buffering (qw(on off)) {
    my %set = (%Segments::Nginx::PATIENT,
        segments_redis_prefix => "$buffering:",
        proxy_buffering       => $buffering);
    my $plain = nginx(%args, set => \%set,
        http => 'gzip on; gzip_types *; gzip_min_length 0;');
    my $http2 = nginx(%args, set => \%set, listen => 'http2');

    for my $try (map({ "status=204; header=Link:</a>; $_" } @EMPTY_204),
        map { "empty; header=Link:</a>; $_" } @EMPTY_201)
    {
        my ($status) = $try =~ /status=([0-9]+)/ ? $1 : 201;

        for my $way (sort keys %WAYS) {
            my $key = "$try-$way" =~ tr/a-zA-Z0-9/-/cr;
            my $name = "$try, $way, buffering $buffering";
            my $nginx = $way eq 'HTTP/2' ? $http2 : $plain;
            my $first = $WAYS{$way}->($nginx,
                $nginx->create_request(key => $key, mock => $try));

            is($first->summary, "$status recorded", $name);
            is($first->body, '', 'empty');
            is($first->header('Content-Length'),
                $status == 204 ? undef : 0, 'its length');
            is($first->header('Content-Type'), $status == 204 ? undef
                : ($try =~ /type=([^;]+)/)[0], 'its type');
            is($first->header('Transfer-Encoding'), undef, 'no coding');

            for my $other (sort keys %WAYS) {
                my $nginx = $other eq 'HTTP/2' ? $http2 : $plain;
                my $again = $WAYS{$other}->($nginx,
                    $nginx->create_request(key => $key));

                is($again->summary, "$status replayed marked",
                    "replayed over $other");
                is($again->body, '', 'empty');
                is_deeply(fields($again), fields($first), 'the same fields');
            }
        }
    }

    # what comes behind an empty answer is an answer, too

    my $c = $plain->connect;

    for my $try ('status=204', 'empty', 'status=204; text=something') {
        my $key = "kept-$try" =~ tr/a-z0-9/-/cr;

        is($c->request($plain->create_request(key => $key, mock => $try))
            ->header('Idempotency-Status'), $_, "$try $_") for qw(recorded
            replayed);
    }

    ok($c->usable, 'connection still usable');
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
