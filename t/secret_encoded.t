#!/usr/bin/perl

# A Secret Key with "/", "+", "=" or "~" is also masked as JSON and URLs may
# write it, in any mixture, and wherever the reads fall.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

# begins twice, and an escape follows both times

my $SECRET = 'sk_/sk_/a+b~c/==';

my $upstream = upstream();
my $redis = redis_server();
my %args = (
    upstream => $upstream,
    redis    => $redis,
    secret   => $SECRET,
    http     => 'log_format seen "$upstream_http_server";'
        . ' access_log %%DIR%%/seen.log seen;'
        . ' access_log %%DIR%%/access.log test;',
);

my %set = (segments_operations => 'all');

my %servers = (
    buffered   => nginx(%args, set => { %set }),
    unbuffered => nginx(%args, set => { %set, proxy_buffering => 'off',
        segments_idempotency_scope => 'unbuffered' }),
);

my %spellings = (
    'as it is'            => $SECRET,
    'JSON'                => escaped('/', '\\/'),
    'URL'                 => escaped(qw(/ %2F + %2B = %3D ~ %7E)),
    'URL, lower case'     => escaped(qw(/ %2f + %2b = %3d ~ %7e)),
    'encodeURIComponent'  => escaped(qw(/ %2F + %2B = %3D)),
    'a query'             => escaped(qw(+ %2B = %3D)),
    'mixed'               => 'sk_\\/sk_%2fa%2Bb~c/=%3D',
    'mixed, otherwise'    => 'sk_/sk_\\/a+b%7ec%2F%3d=',
);

# what is like a key, but none

my @harmless = ('sk_\\\\/sk_/a+b~c/==', 'sk_%252Fsk_/a+b~c/==',
    'sk_%2/sk_/a+b~c/==', 'sk_\\sk_', 'sk_%', 'sk_%2', 'sk_\\/sk_\\/a+b~c\\',
    'sk_/sk_/a%2Db~c/==', 'sk_/sk_/a%3Cb~c/==');

my @texts = (
    map({
        my ($name, $key) = ($_, $spellings{$_});
        my $mask = '*' x length $key;
        my @half = (substr($key, 0, 9), substr $key, 0, -1);

        ([$name, "<$key>", "<$mask>"],
            ["$name, at both ends", "$key $key", "$mask $mask"],
            ["$name, twice in a row", "$key$key", "$mask$mask"],
            ["$name, behind its beginning", "sk_%2F$key", "sk_%2F$mask"],
            ["$name, behind a bad escape", "sk_%2$key", "sk_%2$mask"],
            ["$name, behind half an escape", "sk_\\$key", "sk_\\$mask"],
            ["$name, behind a bit of it", $half[0] . $key, $half[0] . $mask],
            ["$name, behind most of it", $half[1] . $key, $half[1] . $mask])
    } sort keys %spellings),
    map({ [$_, $_, $_] } @harmless),
);

my @answers;
my $n = 0;

for my $server (sort keys %servers) {
    my $nginx = $servers{$server};

    for my $way ('', 'dribble=1', 'dribble=7', 'chunked;dribble=5') {
        my @checks;

        for (@texts) {
            my ($name, $text, $masked) = @$_;
            my $mock = "text=$text;$way";

            push @checks, map { [$name, $masked, @$_] } (
                ['create', $nginx->create_request(mock => $mock,
                    key => 'encoded-' . ++$n)],
                ['list', 'GET', '/v4/segments', mock => $mock],
            );
        }

        my @got = parallel(map { [$nginx, @$_[3 .. $#$_]] } @checks);

        for my $i (0 .. $#checks) {
            my ($name, $masked, $what) = @{ $checks[$i] };
            my $answer = $got[$i];

            ok($answer && $answer->body eq $masked,
                "$server, $way, $what: $name")
                or diag($answer ? $answer->body : 'none');
        }

        push @answers, grep { $_ } @got;
    }

    for my $name (sort keys %spellings) {
        for my $way ('', 'dribble=1') {
            my $key = $spellings{$name};

            $upstream->next("header=X-Echo:<$key>;header=Server:$key;$way");
            push @answers, my $answer = $nginx->create(
                key => 'encoded-' . ++$n);

            is($answer->status, 201, "$server, $way: $name");
            is($answer->header('X-Echo'), undef,
                "$server, $way: $name, field dropped");
        }
    }

    my $seen = slurp($nginx->dir . '/seen.log');

    like($seen, qr/^\*{16}$/m, "$server: a variable has the mask");
}

# nobody has it

my $any = join '|', map { quotemeta } values %spellings;

is(scalar(grep { join("\n", $_->raw, $_->body) =~ /$any/ } @answers), 0,
    'no answer has it');
is(scalar(grep { join("\n", $_, %{ $redis->record($_) }) =~ /$any/ }
    $redis->keys), 0, 'no record has it');
unlike(join('', map { slurp($_) } glob tempdir() . '/nginx*/*.log'), qr/$any/,
    'no log has it');

done_testing();


sub escaped {
    my (%escapes) = @_;

    return $SECRET =~ s/(.)/$escapes{$1} \/\/ $1/ger;
}
