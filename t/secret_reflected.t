#!/usr/bin/perl

# An upstream that sends the Secret Key back does not make it public: a header
# field with it is dropped, in a body it is overwritten.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

# a key whose beginning comes twice in it

my $SECRET = 'sk_sk_sk_abcdefsk_sk_sk_abcdegz0123456789';
my $MASK = '*' x length $SECRET;

my $upstream = upstream();
my $redis = redis_server();
my %args = (
    upstream => $upstream,
    redis    => $redis,
    secret   => $SECRET,
    http     => 'log_format seen "$upstream_http_x_echo $sent_http_x_echo'
        . ' $upstream_http_location";'
        . ' access_log %%DIR%%/seen.log seen;',
);
my %set = (segments_operations => 'all');

my $nginx = nginx(%args, set => { %set });
my @answers;

# header fields

my @requests = (
    ['create with a key', $nginx->create_request(key => 'headers')],
    ['create', $nginx->create_request],
    ['list', 'GET', '/v4/segments'],
    ['delete', 'DELETE', '/v4/segments/a'],
);

for (@requests) {
    my ($name, @request) = @$_;

    $upstream->next(join ';', map({ "header=$_" }
        "X-Echo:Bearer $SECRET", "Location:/v4/segments?key=$SECRET&x=1",
        "ETag:\"$SECRET\"", "Link:<https://localhost/$SECRET>", 'X-Kept:sk_',
        'Authorization:Bearer other', 'Proxy-Authenticate:Basic',
        'Proxy-Authorization:Basic YTpi', 'X-Accel-Expires:60',
        'X-Accel-Anything:1', 'Idempotency-Status:replayed',
        'Idempotent-Replayed:true', "Cache-Control:$SECRET"),
        "header=X-$SECRET:1", "reason=OK $SECRET",
        "type=application/json+$SECRET%3B charset=$SECRET");

    my $answer = $nginx->request(@request);

    push @answers, $answer;

    like($answer->status, qr/^2/, "$name: served");
    is($answer->header('X-Kept'), 'sk_', "$name: other fields pass");
    like($answer->header('Content-Type') // '', qr{^application/json\+\*}a,
        "$name: masked where nothing can be dropped");
    is(scalar(my @fields = grep { $_->[0] =~ /^(?:X-Echo|Location|ETag|Link
        |Authorization|Proxy-.*|X-Accel-.*|Cache-Control|X-sk_.*)$/xi }
        $answer->fields), 0, "$name: fields dropped");
    is($answer->header('Idempotent-Replayed'), undef, "$name: no replay");
    isnt($answer->header('Idempotency-Status') // '', 'replayed',
        "$name: nor called one");
}

like($nginx->error_log, qr/\[error\].*sent the Secret Key back in header/,
    'said in the error log');

push @answers, my $replay = $nginx->request(
    $nginx->create_request(key => 'headers'));

is($replay->header('Idempotent-Replayed'), 'true', 'replayed');
is($replay->header('X-Echo'), undef, 'nothing dropped comes back');

$upstream->next("status=201;early-hints;header=X-Echo:$SECRET");
push @answers, $nginx->create;
push @answers, $answers[-1]->interim;

# bodies

my @texts = (
    ['alone', $SECRET],
    ['at both ends', "$SECRET middle $SECRET"],
    ['twice in a row', $SECRET x 2],
    ['in JSON', qq({"error":{"message":"Bearer $SECRET is invalid"}})],
    ['after its own beginning', "sk_$SECRET sk_sk_$SECRET"],
    ['after half of it', substr($SECRET, 0, 25) . $SECRET],
    ['after most of it', substr($SECRET, 0, -1) . $SECRET],
    ['before its own beginning', $SECRET . substr $SECRET, 0, -1],
    ['far behind', 'x' x 3000 . $SECRET . 'y' x 3000],
);

my @harmless = (
    ['its beginning', substr $SECRET, 0, -1],
    ['its beginning, again and again', substr($SECRET, 0, -1) x 3],
    ['its end', substr $SECRET, 1],
    ['its prefix', 'sk_' x 50],
    ['other letters', uc $SECRET],
);

my %ways = (
    'as it comes'     => ['', {}],
    'chunked'         => ['chunked', {}],
    'to the end'      => ['no-length', {}],
    'unbuffered'      => ['', { proxy_buffering => 'off' }],
    'byte by byte'    => ['dribble=1', { proxy_buffering => 'off' }],
    'small buffers'   => ['dribble=7', { proxy_buffer_size => '512',
                          proxy_buffers => '2 512',
                          proxy_busy_buffers_size => '512' }],
    'chunks, byte by byte' => ['chunked;dribble=1',
                          { proxy_buffering => 'off' }],
    'too large to keep' => ['dribble=11',
                          { segments_idempotency_max_response => '16',
                            proxy_buffering => 'off' }],
);

my $n = 0;

for my $way (sort keys %ways) {
    my ($words, $set) = @{ $ways{$way} };
    my $server = nginx(%args, set => { %set, %$set,
        segments_idempotency_scope => $n++ });
    my @checks;

    for (@texts, @harmless) {
        my ($name, $text) = @$_;

        next if length $text > 5000 && $words =~ /dribble/;

        my $masked = $text =~ s/\Q$SECRET/$MASK/gr;
        my $mock = "text=$text;$words";
        my $key = $name =~ tr/a-zA-Z/-/cr;

        push @checks, map { [$name, $masked, @$_] } (
            ['create with a key', $server->create_request(mock => $mock,
                key => $key)],
            ['create', $server->create_request(mock => $mock)],
            ['list', 'GET', '/v4/segments', mock => $mock],
            ['error', 'GET', '/v4/segments/a', mock => "$mock;status=400"],
        );
    }

    my @got = parallel(map { [$server, @$_[3 .. $#$_]] } @checks);

    for my $i (0 .. $#checks) {
        my ($name, $masked, $what) = @{ $checks[$i] };
        my $answer = $got[$i];

        ok($answer && !$answer->truncated && $answer->body eq $masked,
            "$way, $what: $name")
            or diag(substr $answer ? $answer->body : 'none', 0, 300);
    }

    push @answers, grep { $_ } @got;
}

# what is remembered is what was sent

my $again = nginx(%args,
    set => { %set, segments_idempotency_scope => 'again' });

for my $status (201, 422) {
    $upstream->next("status=$status;text=<$SECRET>");

    push @answers, map { $again->create(key => "again-$status") } 1 .. 2;

    is($answers[-1]->status, $status, "$status again");
    is($answers[-1]->header('Idempotent-Replayed'), 'true', "$status replayed");
    is($answers[-1]->body, "<$MASK>", "$status replayed, masked");
}

like($again->error_log, qr/\[error\].*sent the Secret Key back in a body/,
    'said in the error log');

# what is not passed on at all

$upstream->next("status=401;text=$SECRET;header=WWW-Authenticate:$SECRET");
push @answers, $nginx->create;
is(envelope($answers[-1]), '502 internal/upstream_unauthorized', 'refused key');

# nobody has it

is(scalar(grep { join("\n", $_->raw, $_->body) =~ /\Q$SECRET/ } @answers), 0,
    'no answer has it');

my @records = $redis->keys;

cmp_ok(scalar @records, '>', 50, 'many records');
is(scalar(grep { join("\n", $_, %{ $redis->record($_) }) =~ /\Q$SECRET/ }
    @records), 0, 'no record has it');

my $logs = join '', map { slurp($_) } glob tempdir() . '/nginx*/*.log';

cmp_ok(length $logs, '>', 10_000, 'long logs');
unlike($logs, qr/\Q$SECRET/, 'no log has it, $upstream_http_... included');

done_testing();
