#!/usr/bin/perl

# A connection to the upstream is kept for the next request only when its
# exchange came to its end: an answer that is still to come would otherwise be
# taken for another request's.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $redis = redis_server();
my $n = 0;


# An exchange that the gateway gives up, of which the rest comes when another
# client's create has been sent.

sub given_up {
    my ($name, $expected, $mock, %args) = @_;

    my $key = 'k' . ++$n;
    my $upstream = upstream();
    my $nginx = gateway($upstream, %{ delete $args{set} // {} });
    my @request = $args{uri} ? ('GET', $args{uri}, mock => $mock)
        : $nginx->create_request(%args, mock => $mock);

    is($nginx->request(@request)->summary, $expected, $name);

    my $other = $nginx->connect;
    my @create = $nginx->create_request(key => $key, mock => 'text=other');

    $other->send_request(@create);
    ok(eval { $upstream->wait_requests(2) }, "$name: a connection of its own");
    $upstream->release('rest');

    is($other->read_response->body, 'other', "$name: its own answer");
    is($nginx->create(key => $key)->body, 'other', "$name: stored");
    is($upstream->connections, 2, "$name: connections");

    return;
}


sub gateway {
    my ($upstream, %set) = @_;

    return nginx(upstream => 'http://api', redis => $redis,
        http => 'upstream api { server 127.0.0.1:' . $upstream->port
            . '; keepalive 4; }',
        set => {
            %Segments::Nginx::PATIENT,
            segments_redis_prefix => ++$n . ':',
            segments_operations   => 'all',
            %set,
        });
}


# an interim answer that nginx takes for the final one, and for an empty one

my $empty = 'interim-field=Content-Length: 0; hold-final=rest; text=first';

for my $interim ('100', '102', '199') {
    my $mock = "interim=$interim; $empty";

    given_up("status $interim", '502 unstored network_error', $mock,
        key => 'a');
    given_up("status $interim under hold", '502 held network_error', $mock,
        key => 'a', set => { segments_idempotency_unknown => 'hold' });
}

my $mock = "interim=100; $empty";

given_up('status 100 unbuffered', '502 unstored network_error', $mock,
    key => 'a', set => { proxy_buffering => 'off' });
given_up('status 100 without a key', '502 - network_error', $mock);
given_up('status 100 to a get', '502 - network_error', $mock,
    uri => '/v4/segments/a');

# a body that cannot be read

for my $buffering (qw(on off)) {
    my %set = (proxy_buffering => $buffering);
    my $name = "a malformed body, buffering $buffering";

    given_up($name, '502 unstored network_error', 'chunked; '
        . 'bad-chunk=behind; keepalive=on; hold-end=rest', key => 'a',
        set => \%set);
}

# what was read to its end leaves its connection to the next one

for my $buffering (qw(on off)) {
    my $upstream = upstream();
    my $nginx = gateway($upstream, proxy_buffering => $buffering,
        segments_idempotency_max_response => '1k');

    my @whole = (
        'status=401', 'status=401; empty', 'status=402; chunked',
        'status=403; body=5000', 'status=418; dribble=7', 'body=5000',
        'body=5000; chunked', 'status=500', 'status=204; empty', 'empty',
    );

    for my $mock (@whole) {
        for my $key (undef, 'k' . ++$n) {
            $nginx->create(mock => $mock, $key ? (key => $key) : ());
        }
    }

    is($upstream->count, 2 * @whole, "whole answers, buffering $buffering");
    is_deeply([grep { $_->{event} eq 'closed' } $upstream->events], [],
        'none closed its connection');
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
