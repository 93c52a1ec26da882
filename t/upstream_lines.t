#!/usr/bin/perl

# What an upstream does with each answer, or a client with each request, is told
# of in a few lines, which say how many there were.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Lines;

my $SECRET = $Segments::Nginx::SECRET;
my $COUNT = 500;

my $upstream = upstream();
my $redis = redis_server();
my %args = (upstream => $upstream, redis => $redis);
my %set = (
    segments_redis_timeout     => slow_ms(3000),
    segments_idempotency_lease => '300s',
    segments_operations        => 'all',
);

sub flood {
    my ($gateway, $status, $request) = @_;

    my $n = 0;

    while ($n < $COUNT) {
        my @answers = parallel(map { [$gateway, $request->(++$n)] } 1 .. 100);

        return "$n: " . ($answers[0] ? $answers[0]->status : 'none')
            if grep { !$_ || $_->status != $status } @answers;
    }

    return 'all';
}

sub is_told {
    my ($name, $text, $set, $status, $request, %more) = @_;

    my $gateway = nginx(%args, %more, set => { %set, %$set });

    is(flood($gateway, $status, sub { $request->($gateway, @_) }), 'all',
        $name);
    $gateway->quit;

    my @lines = grep { /$text/ } told($gateway, 0);

    cmp_ok(scalar(@lines), '<=', 10, "$name, few lines")
        or diag join "\n", @lines[0 .. 9];
    like($lines[0], qr/$text.*, client: /, "$name, the first one says whose");
    is(counted($text, @lines), $COUNT, "$name, all counted");
    unlike($gateway->error_log, qr/\Q$SECRET/, "$name, the key is not told");

    return;
}


# the Secret Key comes back

my %back = (
    'in a header'         => [qr/back in header "X-Echo"/,
        "header=X-Echo:$SECRET"],
    'in the type'         => [qr/back in "[^"]*", where/,
        "type=application/json+$SECRET"],
    'in a body'           => [qr/back in a body/, "text=$SECRET"],
    'in front of a body'  => [qr/back in front of a body/, "reason=$SECRET"],
);

for my $where (sort keys %back) {
    my ($text, $mock) = @{ $back{$where} };

    for my $key (1, 0) {
        is_told("the key $where, " . ($key ? 'recorded' : 'not recorded'),
            $text, { segments_idempotency_scope => $where =~ tr/a-z/-/cr }, 201,
            sub { $_[0]->create_request($key ? (key => "k$_[1]") : (),
                mock => $mock) });
    }
}


# a proxy_pass that the client's request leads astray

is_told('a URL with a URI', qr/it must not have a URI/,
    { proxy_pass => '$http_x_url' }, 500,
    sub { $_[0]->create_request(headers => ['X-Url' => 'http://127.0.0.1/x',
        'Content-Type' => 'application/json']) });
is_told('a URL of another host', qr/the Secret Key would travel unprotected/,
    { proxy_pass => '$http_x_url' }, 500,
    sub { $_[0]->create_request(headers => ['X-Url' => 'http://192.0.2.1',
        'Content-Type' => 'application/json']) });

done_testing();
