#!/usr/bin/perl

# Very many header fields, very long ones and odd ones come back as they were,
# over both versions of HTTP; those that nginx cannot read are an answer of
# unknown outcome.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();

my $ODD = "x!#\$%&'*+-.^_`|~9";

my %SET = (%Segments::Nginx::PATIENT,
    segments_idempotency_headers => "X-Version $ODD");
my %args = (upstream => $upstream, redis => $redis);
my %large = (set => { %SET,
    proxy_buffer_size       => '64k',
    proxy_buffers           => '8 64k',
    proxy_busy_buffers_size => '128k',
});

my %FIELDS = (
    'many lines'      => [map { [Link => "</$_>; rel=\"item\""] } 1 .. 500],
    'many lines of two names' => [map { ["X-Version", $_],
        ['Cache-Control', "max-age=$_"] } 1 .. 300],
    'a long value'    => [[ETag => '"' . 'v' x 30_000 . '"']],
    'long values'     => [map { [Link => $_ x 10_000] } qw(a b c)],
    'odd values'      => [
        ['X-Version', ''], ['X-Version', 'a: b, c'], ['X-Version', "a\tb"],
        ['X-Version', "\xc3\xa4\xff"], ['X-Version', '"a\\"b"'],
        ['X-Version', 'X-Version: x'], ['X-Version', '%0d%0aX: y'],
    ],
    'an odd name'     => [[$ODD, 1], [uc $ODD, 2]],
    'names of any case' => [[LINK => '</a>'], [link => '</b>'],
        ['x-VERSION', 1], ['cache-CONTROL', 'private']],
    'no stored one'   => [['X-Other', 'x' x 20_000]],
);

my %STORED = map { $_ => 1 } 'content-type', 'content-length', 'link', 'etag',
    'cache-control', 'x-version', $ODD;


# names in lower case: so they are in HTTP/2

sub fields {
    my ($answer) = @_;

    return [map { lc($_->[0]) . ": $_->[1]" }
        grep { $STORED{ lc $_->[0] } } $answer->fields];
}


my $plain = nginx(%args, %large);
my $http2 = nginx(%args, %large, listen => 'http2');

my %WAYS = (
    'HTTP/1.1' => sub { return $plain->create(@_) },
    'HTTP/2'   => sub { return h2($http2)->request(
        $http2->create_request(@_)) },
);

for my $what (sort keys %FIELDS) {
    my @sent = @{ $FIELDS{$what} };
    my @kept = map { lc($_->[0]) . ": $_->[1]" }
        grep { $STORED{ lc $_->[0] } } @sent;

    for my $way (sort keys %WAYS) {
        my $key = "$what-$way" =~ tr/a-zA-Z0-9/-/cr;

        $upstream->next(join ';', map { "header=$_->[0]:"
            . $_->[1] =~ s/;/%3B/gr } @sent);

        my $first = $WAYS{$way}->(key => $key);

        is($first->summary, '201 recorded', "$what, $way");
        is_deeply([grep { !/^content-/ } @{ fields($first) }], \@kept,
            'as they were sent');

        for my $other (sort keys %WAYS) {
            my $again = $WAYS{$other}->(key => $key);

            is($again->summary, '201 replayed marked', "replayed over $other");
            is_deeply([sort @{ fields($again) }], [sort @{ fields($first) }],
                'the same fields');
            is_deeply([grep { !/^content-/ } @{ fields($again) }], \@kept,
                'in their order');
            is($again->body, $first->body, 'body');
        }
    }
}

# up to the size of nginx' buffer, and above

my $small = nginx(%args, set => { %SET, proxy_buffer_size => '4k' });
my ($fits, $above) = (0, 0);

for my $size (3900 .. 3999) {
    my $value = 'v' x $size;
    my $first = $small->create(key => "small-$size",
        mock => "header=Link:$value");

    if ($first->status == 502) {
        $above++;
        is($first->summary, '502 unstored network_error', "$size above");
        is($small->create(key => "small-$size")->summary, '201 recorded',
            'retry is sent');
        next;
    }

    $fits++;
    is($above, 0, "$size fits");
    is($first->header('Link'), $value, 'it');
    is($small->create(key => "small-$size")->header('Link'), $value,
        'replayed');
}

cmp_ok($fits, '>', 0, 'some fit');
cmp_ok($above, '>', 0, 'some do not');

done_testing();
