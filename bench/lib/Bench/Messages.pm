package Bench::Messages;

# What is sent and answered: requests of an ordinary client, and the answers of
# an upstream and of a gateway to them.

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();

our @EXPORT_OK = qw(segment broken answer envelope headers);

my $json = JSON::PP->new->canonical;

my @METRICS = qw(renewable country total_spent app_version platform);


# a create of at least that many bytes, and few more

sub segment {
    my ($size) = @_;

    my @conditions = condition(0);

    push @conditions, condition(scalar @conditions)
        while length(encode(@conditions)) < $size;

    return encode(@conditions);
}


sub encode {
    my (@conditions) = @_;

    # members in the order of the documentation, as a client writes them

    return '{"name":"Premium users","conditions":[' . join(',', @conditions)
        . ']}';
}


sub condition {
    my ($i) = @_;

    my $metric = $METRICS[$i % @METRICS];

    return qq({"metric":"$metric","comparator":"eq","value":"$i",)
        . '"negate":false}';
}


# the same with one mistake

sub broken {
    my ($size) = @_;

    return segment($size) =~ s/"eq"/"equals"/r;
}


# the upstream's answer, of some bytes where they are given

sub answer {
    my ($size) = @_;

    my $answer = '{"id":"seg_0123456789abcdef","type":"custom",'
        . '"name":"Premium users","conditions":['
        . join(',', map { condition($_) } 0, 1)
        . '],"created_at":1700000000,"updated_at":1700000000}';
    my $more = ($size // 0) - length $answer;

    $answer =~ s/(?<="name":")/'x' x $more/e if $more > 0;

    return $answer;
}


# the gateway's answer to the broken one

sub envelope {
    return '{"error":{"type":"request","code":"invalid_data",'
        . '"message":"Validation failed","details":[{'
        . '"field":"conditions[0].comparator","message":"Must be one of eq, '
        . 'ne, gt, gte, lt, lte, contains, not_contains"}]}}';
}


# what a client library sends besides Host and Content-Length

sub headers {
    my ($key) = @_;

    return (
        'User-Agent'   => 'okhttp/4.12.0',
        'Accept'       => 'application/json',
        'Content-Type' => 'application/json; charset=utf-8',
        defined $key ? ('Idempotency-Key' => $key) : (),
    );
}


1;
