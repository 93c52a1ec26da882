#!/usr/bin/perl

# The Secret Key is masked before nginx reads an upstream's header: it is in no
# variable, no access log and no line of nginx's own, however the header ends,
# and however it is cut into reads.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Process;
use Segments::Test;

# its beginning comes twice in it

my $SECRET = 'sk_sk_abcdef0123456789';
my $MASK = '*' x length $SECRET;

my $version = nginx_version();
my $upstream = upstream();
my $redis = redis_server();

my @shown = qw(server date x_hidden x_echo x_accel_x set_cookie location
    refresh content_length link);
my @variables = ((map { "upstream_http_$_" } @shown), 'upstream_cookie_sid',
    $version >= 1027002 ? 'upstream_trailer_x_echo' : ());

my %args = (
    upstream => $upstream,
    redis    => $redis,
    secret   => $SECRET,
    http     => "log_format seen ' "
        . join(' ', map { "$_=\$$_" } @variables) . " ';"
        . ' access_log %%DIR%%/seen.log seen;'
        . ' access_log %%DIR%%/access.log test;',
    location => 'add_header X-Shown "$upstream_http_server" always;'
        . ($version >= 1029000 ? ' early_hints 1;' : '')
        . ($version >= 1027002 ? ' proxy_pass_trailers on;' : ''),
);
my %set = (
    segments_operations => 'all',
    proxy_hide_header   => 'X-Hidden',
    proxy_redirect      => '/from/ /to/',
    proxy_cookie_path   => '/from/ /to/',
    proxy_buffer_size   => '1k',
    proxy_buffers       => '4 1k',
    proxy_busy_buffers_size => '1k',
);

my %servers = (
    'buffered'   => nginx(%args, set => { %set }),
    'unbuffered' => nginx(%args, set => { %set, proxy_buffering => 'off',
        segments_idempotency_scope => 'unbuffered' }),
    'tried again' => nginx(%args,
        http => "$args{http} upstream two { "
            . join(' ', map { 'server 127.0.0.1:' . $upstream->port
                . " max_fails=0$_;" } '', ' backup') . ' }',
        set => { %set, proxy_pass => 'http://two',
            proxy_next_upstream => 'error timeout invalid_header',
            segments_idempotency_scope => 'again' }),
);

my $STATUS = "HTTP/1.1 201 Created\r\nConnection: close\r\n";
my $INVALID = 'HTTP/1.1 200 OK%0D%0AConnection: close%0D%0A'
    . "Server: $SECRET%00%0D%0A%0D%0A";
my $END = "Content-Length: 2\r\n\r\n{}";

# name, answer, status, what nginx' error log has to show

my @cases = (
    ['hidden', "${STATUS}Server: $SECRET\r\nDate: $SECRET\r\n"
        . "X-Hidden: a $SECRET b\r\nX-Accel-X: $SECRET\r\n$END", 201],
    ['rewritten', "${STATUS}Location: /from/$SECRET\r\n"
        . "Set-Cookie: sid=$SECRET; path=/from/\r\n"
        . "Refresh: 1; url=/from/$SECRET\r\nServer: s\r\n$END", 201],
    ['in a name', "${STATUS}X-$SECRET: 1\r\nServer: s\r\n$END", 201],
    ['in the reason', "HTTP/1.1 201 $SECRET\r\nConnection: close\r\n"
        . "Server: $SECRET\r\n$END", 201],
    ['cut', "${STATUS}X-Echo: $SECRET\r\nServer: $SECRET\r\nX-Hidden: 1", 502],
    ['cut in it', "${STATUS}Server: $SECRET\r\nX-Echo: "
        . substr($SECRET, 0, -1), 502],
    ['invalid', "${STATUS}Server: $SECRET\r\nX-Echo: $SECRET\0\r\n$END", 502,
        qr/invalid header: "X-Echo: \Q$MASK/],
    ['invalid length', "${STATUS}Content-Length: $SECRET\r\n"
        . "Content-Length: $SECRET\r\n\r\n", $version >= 1023000
        ? (502, qr/"Content-Length.*\Q$MASK/) : undef],
    ['too large', "${STATUS}Server: $SECRET\r\nX-Echo: $SECRET\r\nX-Hidden: "
        . 'x' x 1000 . "$SECRET\r\n$END", 502, qr/too big header/],
    ['no HTTP', "$SECRET\r\n\r\n", 502],
    ['103', "HTTP/1.1 103 Early Hints\r\nLink: </$SECRET>\r\n"
        . "X-Echo: $SECRET\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
        . "${STATUS}Server: $SECRET\r\n$END",
        $version >= 1029000 ? 201 : 502],
    ['trailer', "${STATUS}Transfer-Encoding: chunked\r\nServer: $SECRET\r\n\r\n"
        . "2\r\n{}\r\n0\r\nX-Echo: $SECRET\r\nX-Other: 1\r\n\r\n", 201],
    ['invalid trailer', "${STATUS}Transfer-Encoding: chunked\r\n"
        . "Server: s\r\n\r\n2\r\n{}\r\n0\r\nX-Echo: $SECRET\0\r\n\r\n",
        undef],
    ['with the body', "${STATUS}Server: s\r\nContent-Length: "
        . (2 + length $SECRET) . "\r\n\r\n<$SECRET>", 201],
);

my %cuts = (
    'in one piece' => '',
    'in two reads of a key' => 'half',
    'byte by byte' => 'dribble=1',
    'in pieces'    => 'dribble=13',
);

my @answers;
my $n = 0;

for my $server (sort keys %servers) {
    my $nginx = $servers{$server};

    for my $cut (sort keys %cuts) {
        for (@cases) {
            my ($name, $bytes, $status, $line) = @$_;

            # the second half of each key comes later

            my $size = $cuts{$cut};
            $size = 'dribble=' . (index($bytes, $SECRET) + 9)
                if $size eq 'half';

            next if $size eq 'dribble=1' && length $bytes > 1000;

            my $raw = $bytes =~ s/([^\w .:=])/sprintf '%%%02X', ord $1/ger;
            my $mark = length $nginx->error_log;

            my $again = $server eq 'tried again';

            for my $key ($again ? () : 'entrance-' . ++$n, undef) {

                # what may be sent twice is no create

                $upstream->next("raw=$INVALID;$size") if $again;
                $upstream->next("raw=$raw;$size");

                my $answer = $again ? $nginx->request('GET', '/v4/segments')
                    : $nginx->create(key => $key);
                my $what = "$server, $cut: $name" . ($key ? ', with key' : '');

                push @answers, grep { $_ } $answer;

                is($answer->status, $status, $what) if $status;
                next if !$answer;

                push @answers, $answer->interim;

                is(scalar(my @fields = grep { $_->[0] =~ /\A(?:Link|X-Echo
                    |X-Hidden|X-Accel-X|Location|Set-Cookie|Refresh|X-sk_.*
                    |X-\*.*)\z/xi && $_->[1] ne '1' } $answer->fields), 0,
                    "$what: dropped");
                is(scalar(my @early = $answer->interim), 0,
                    "$what: no early hints");

                next if !$status || $status != 201
                    || $bytes !~ /Server: \Q$SECRET/;

                is($answer->header('X-Shown'), $MASK, "$what: variable");
            }

            next if !$line;

            like($nginx->error_log($mark), $line, "$server, $cut: $name, log");
        }
    }
}

# nobody has it

cmp_ok(scalar @answers, '>', 200, 'answers');
is(scalar(grep { join("\n", $_->raw, $_->body) =~ /\Q$SECRET/ } @answers), 0,
    'no answer has it');

my @records = $redis->keys;

cmp_ok(scalar @records, '>', 50, 'records');
is(scalar(grep { join("\n", $_, %{ $redis->record($_) }) =~ /\Q$SECRET/ }
    @records), 0, 'no record has it');

for my $server (sort keys %servers) {
    my $dir = $servers{$server}->dir;
    my $seen = slurp("$dir/seen.log");

    for my $name (qw(server date x_hidden x_echo set_cookie location refresh)) {
        like($seen, qr/ upstream_http_$name=(?:(?! upstream_).)*\Q$MASK/,
            "$server: \$upstream_http_$name");
    }

    like($seen, qr/ upstream_cookie_sid=\Q$MASK\E /, "$server: cookie");
    unlike($seen, qr/ upstream_trailer_x_echo=[^-]/, "$server: no trailer");

    my $log = slurp("$dir/error.log");

    like($log, qr/\[error\].*sent the Secret Key back in front of a body/,
        "$server: said");
    like($log, qr/\[error\].*sent the Secret Key back in a body/,
        "$server: said of a body");

    my @found = grep { slurp($_) =~ /\Q$SECRET/ } glob "$dir/*.log";

    is("@found", '', "$server: no log has it");
}

# an upstream whose header would be quoted before it could be masked

if ($version >= 1029004) {
    my ($code, $said) = check_config(%args,
        set => { %set, proxy_http_version => '2' });

    isnt($code, 0, 'HTTP/2 to the upstream: refused');
    like($said, qr/"proxy_http_version 2" in a guarded location/, 'says why');
}

done_testing();


sub nginx_version {
    my $output = tempdir() . '/version';

    Segments::Process->spawn(name => 'nginx -v', output => $output,
        argv => [$ENV{TEST_NGINX_BINARY} // 'nginx', '-v'])->wait(20);

    slurp($output) =~ m{nginx/(\d+)\.(\d+)\.(\d+)} or die 'no version';

    return $1 * 1_000_000 + $2 * 1000 + $3;
}
