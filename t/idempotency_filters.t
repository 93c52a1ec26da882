#!/usr/bin/perl

# What nginx' own filters make of a first answer they make of its replay: they
# find the same type, length and fields.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

use IO::Uncompress::Gunzip qw(gunzip);


my $upstream = upstream();
my $redis = redis_server();

my $LONG = 'segment-' x 300;

my $FIELDS = join '; ', map { "header=$_" } 'Content-Language:en',
    'ETag:"v1"', 'Last-Modified:Thu, 15 Jan 2026 10:30:00 GMT',
    'Link:</a>', 'Link:</b>, </c>', 'Link:</a>',
    'Cache-Control:private', 'Cache-Control:no-cache', 'X-Version:2',
    'X-Version:', 'X-Version:1', 'Expires:Thu, 01 Jan 2036 00:00:00 GMT',
    'Accept-Ranges:bytes';

# gzip is for 200, not for 201

my %ANSWERS = (
    'JSON'                 => "text=$LONG",
    'of no length'         => "text=$LONG; chunked",
    'up to the end'        => "text=$LONG; no-length",
    'short'                => 'text=short',
    'short, of no length'  => 'text=short; chunked',
    'empty'                => 'empty; chunked',
    'text'                 => "text=$LONG; type=text/plain",
    'charset'              => "text=$LONG; type=text/plain%3Bcharset=utf-8",
    'other charset'        => 'type=TEXT/HTML%3B  Charset="koi8-r"; text='
                              . $LONG,
    'no charset'           => "text=$LONG; type=text/plain%3B charset=",
    'parameter'            => "text=$LONG; type=text/plain%3B format=flowed",
    'parameters'           => "text=$LONG; type=text/plain%3B format=flowed"
                              . '%3B charset=us-ascii',
    'separators'           => "text=$LONG; type=text/plain%3B%3B",
    'no type'              => "text=$LONG; no-type",
    'empty type'           => "text=$LONG; type=",
    'odd type'             => "text=$LONG; type=nothing",
    'gzip'                 => "text=$LONG; gzip",
    'gzip of no length'    => "text=$LONG; gzip; chunked",
    'other coding'         => "text=$LONG; header=Content-Encoding:br",
);

my %FILTERS = (
    'none'        => '',
    'gzip'        => 'gzip on; gzip_types *; gzip_vary on; gzip_min_length 100;'
                     . ' gzip_proxied any;',
    'gzip of text' => 'gzip on; gzip_types text/plain;',
    'gzip by Cache-Control' => 'gzip on; gzip_types *; gzip_proxied no-cache;',
    'gzip by ETag' => 'gzip on; gzip_types *; gzip_proxied no_last_modified;',
    'gunzip'      => 'gunzip on;',
    'expires'     => 'expires max;',
    'no cache'    => 'expires epoch; add_header Cache-Control no-store;'
                     . ' add_header Last-Modified ""; add_header Link "</d>";',
    'charset'     => 'charset utf-8; charset_types *;',
    'sub_filter'  => 'sub_filter segment part; sub_filter_types *;'
                     . ' sub_filter_once off;',
    'sub_filter that keeps' => 'sub_filter segment part; sub_filter_types *;'
                     . ' sub_filter_last_modified on;',
    'hidden'      => 'proxy_hide_header Link; proxy_hide_header ETag;',
    'passed'      => 'proxy_pass_header Server; proxy_pass_header Date;',
    'ranges'      => 'proxy_force_ranges on;',
    'unbuffered'  => 'proxy_buffering off; gzip on; gzip_types *;',
    'default type' => 'default_type image/png;',
);

my @CLIENTS = (
    ['a client', []],
    ['a client of gzip', ['Accept-Encoding' => 'gzip']],
    ['a proxy', ['Accept-Encoding' => 'gzip', Via => '1.1 proxy',
        Range => 'bytes=0-3']],
);


# all but what belongs to one exchange

sub look {
    my ($answer) = @_;

    return {
        status => $answer->status,
        fields => [map { "$_->[0]: $_->[1]" } grep { $_->[0] !~
            /^(?:Date|Server|X-Request-Id|Idempot.*)$/i } $answer->fields],
        body   => $answer->body,
    };
}


# with and without gzip, which changes nothing of what is stored

sub plain {
    my ($answer) = @_;

    return $answer->body if ($answer->header('Content-Encoding') // '')
        ne 'gzip';

    gunzip(\$answer->body, \my $text);

    return $text;
}


my ($without) = check_config(location => 'sub_filter a b;');

for my $filter (sort keys %FILTERS) {
    next if $filter =~ /sub_filter/ && $without;
    next if $filter eq 'gunzip'
        && (check_config(location => 'gunzip on;'))[0];

    my $nginx = nginx(upstream => $upstream, redis => $redis,
        location => $FILTERS{$filter}, set => { %Segments::Nginx::PATIENT,
            segments_redis_prefix        => $filter =~ tr/a-zA-Z/-/cr,
            segments_idempotency_headers => 'X-Version Expires Accept-Ranges',
        });
    my @tries;

    for my $answer (sort keys %ANSWERS) {
        for my $client (@CLIENTS) {
            push @tries, ["$filter, $answer, $client->[0]",
                "status=200; $FIELDS; $ANSWERS{$answer}", @$client];
        }
    }

    my @requests = map { [$nginx, $nginx->create_request(key => "k$_",
        headers => [@{ $tries[$_][3] }, 'Content-Type' =>
            'application/json'], mock => $tries[$_][1])] } 0 .. $#tries;
    my @first = parallel(@requests);
    my @again = parallel(@requests);

    for my $i (0 .. $#tries) {
        my ($name) = @{ $tries[$i] };

        is($first[$i]->summary, '200 recorded', $name);
        is($again[$i]->summary, '200 replayed marked', 'replayed');
        is_deeply(look($again[$i]), look($first[$i]), 'the same answer');
    }

    is(plain($first[0]), $filter =~ /sub_filter/ ? plain($again[0]) : $LONG,
        "$filter, body");
}

is($upstream->count, grep({ $_->{event} eq 'answer' } $upstream->events),
    'each answered');

# it does come to what nginx calls a gzipped, an expiring, a changed answer

my %SHOWS = (
    'gzip on; gzip_types *; gzip_vary on;' => [Vary => 'Accept-Encoding'],
    'gzip on; gzip_types *; gzip_proxied any;' => ['Content-Encoding' => 'gzip',
        ETag => 'W/"v1"'],
    'expires epoch;' => ['Cache-Control' => 'no-cache'],
    'charset utf-8; charset_types *;' => ['Content-Type' =>
        'application/json; charset=utf-8'],
);

for my $text (sort keys %SHOWS) {
    my $nginx = nginx(upstream => $upstream, redis => $redis,
        location => $text, set => { %Segments::Nginx::PATIENT,
            segments_redis_prefix => "shows $text" =~ tr/a-z/-/cr });
    my %fields = @{ $SHOWS{$text} };

    for my $status ('recorded', 'replayed') {
        my $answer = $nginx->create(key => 'k', headers =>
            ['Accept-Encoding' => 'gzip'], mock => "status=200; $FIELDS; "
            . "text=$LONG");

        is($answer->header('Idempotency-Status'), $status, "$text $status");
        is_deeply([$answer->headers($_)], [$fields{$_}], $_)
            for sort keys %fields;
    }
}

done_testing();
