#!/usr/bin/perl

# However the upstream frames an answer, and whatever its size: a replay has
# the same status, header fields and bytes, and the same framing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $MAX = 5000;

my %FRAMES = (
    'length'   => '',
    'chunked'  => 'chunked',
    'close'    => 'no-length',
    'HTTP/1.0' => 'http10; header=ETag: "v1"',
    'HTTP/1.0 to its end' => 'http10; no-length',
    'unkept'   => 'keepalive=off',
);

my @SIZES = (0, 1, 4095, 4096, 4097, $MAX);

my $upstream = upstream();
my $redis = redis_server();

my %GATEWAYS = (
    'kept connections' => {
        proxy_pass         => 'http://kept',
    },
    'unbuffered' => {
        proxy_pass         => 'http://kept',
        proxy_buffering    => 'off',
    },
    'HTTP/1.0' => {
        proxy_http_version => '1.0',
        proxy_set_header   => 'Connection close',
    },
    'HTTP/1.0, unbuffered' => {
        proxy_http_version => '1.0',
        proxy_set_header   => 'Connection close',
        proxy_buffering    => 'off',
    },
    'small buffers' => {
        proxy_buffer_size       => '512',
        proxy_buffers           => '2 512',
        proxy_busy_buffers_size => '512',
    },
);


sub gateway {
    my ($name, %set) = @_;

    return nginx(upstream => $upstream, redis => $redis,
        http => 'upstream kept { server 127.0.0.1:' . $upstream->port
            . '; keepalive 8; }',
        set => { %Segments::Nginx::PATIENT, %{ $GATEWAYS{$name} }, %set,
            segments_redis_prefix             => $name =~ tr/a-zA-Z0-9/-/cr,
            segments_idempotency_max_response => $MAX,
        });
}


sub body {
    my ($size) = @_;

    return substr '0123456789abcdef' x ($size / 16 + 1), 0, $size;
}


# status, and all that an answer and its replay have in common

sub look {
    my ($answer) = @_;

    return {
        status => $answer->status,
        fields => [map { "$_->[0]: $_->[1]" } grep { $_->[0] !~
            /^(?:Date|X-Request-Id|Idempot.*)$/i } $answer->fields],
        body   => $answer->body,
        cut    => $answer->truncated ? 1 : 0,
    };
}


for my $name (sort keys %GATEWAYS) {
    my $nginx = gateway($name);
    my @tries;

    for my $frame (sort keys %FRAMES) {
        for my $size (@SIZES, $MAX + 1) {
            for my $pieces ('', $size ? 'dribble=700' : ()) {
                push @tries, [$size, "$frame, $size bytes, $pieces",
                    "type=application/json; $FRAMES{$frame}; $pieces; "
                    . ($size ? "body=$size" : 'empty')];
            }
        }
    }

    my $n = 0;
    my @keys = map { 'k' . $n++ } @tries;
    my $before = $upstream->count;

    my @first = parallel(map { [$nginx, $nginx->create_request(
        key => $keys[$_], mock => $tries[$_][2])] } 0 .. $#tries);
    my @again = parallel(map { [$nginx, $nginx->create_request(
        key => $_)] } @keys);

    for my $i (0 .. $#tries) {
        my ($size, $what) = @{ $tries[$i] };
        my ($first, $again) = ($first[$i], $again[$i]);

        is($first->summary, '201 recorded', "$name, $what");
        ok($first->body eq body($size), 'whole body');

        if ($size > $MAX) {
            is($again->summary,
                '409 replayed marked idempotency_answer_not_kept',
                'too large to keep');
            next;
        }

        is($again->summary, '201 replayed marked', 'replayed');
        is_deeply(look($again), look($first), 'the same answer');
    }

    is($upstream->count, $before + @tries, 'one upstream request each');
}

# HTTP/2 has a framing of its own

my $http2 = gateway('unbuffered', segments_idempotency_scope => 'h2');

$http2->configure(listen => 'http2')->reload;

for my $frame (sort keys %FRAMES) {
    for my $size (@SIZES) {
        my $key = "h2-$frame-$size" =~ tr/a-zA-Z0-9/-/cr;
        my $c = h2($http2);
        my ($first, $again) = map { $c->request($http2->create_request(
            key => $key, mock => "type=application/json; $FRAMES{$frame}; "
                . ($size ? "body=$size; dribble=700" : 'empty'))) } 1, 2;

        is($first->summary, '201 recorded', "HTTP/2, $frame, $size bytes");
        is($again->summary, '201 replayed marked', 'replayed');
        ok($first->body eq body($size), 'whole body');
        is_deeply(look($again), look($first), 'the same answer');
        is($again->header('Content-Length'), $size, 'its length');
    }
}

# A body that ends with the connection: nobody can tell its end from a cut,
# unless the connection breaks.

for my $name ('kept connections', 'unbuffered', 'HTTP/1.0') {
    my $nginx = gateway($name, proxy_read_timeout => slow_ms(500),
        segments_idempotency_scope => 'cut');

    is($nginx->create(key => 'close',
        mock => 'no-length; truncate; body=3000')->body, body(1500),
        "$name, closed in the middle");
    is($nginx->create(key => 'close')->body, body(1500), 'as if complete');

    for my $mock ('no-length; truncate; rst; body=3000',
        'no-length; hold-body=never; body=3000',
        'http10; truncate; body=3000')
    {
        my $key = $mock =~ s/\W+/-/gr;

        # nginx tells a time-out from a cut where it does not buffer

        my $status = $name eq 'unbuffered' && $mock =~ /hold/ ? 504 : 502;

        is($nginx->create(key => $key, mock => $mock)->summary,
            "$status unstored network_error", "$name, $mock");
        is($nginx->create(key => $key)->summary, '201 recorded',
            'not stored');
    }
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
