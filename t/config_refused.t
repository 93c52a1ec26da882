#!/usr/bin/perl

# "nginx -t" refuses what cannot work, and says what to change; what looks
# alike and works, it accepts.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $dir = tempdir();
my ($certificate, $key) = certificate();

my $file = 0;
my $keyfile = sub { return spew("$dir/key" . ++$file, $_[0]) };
my $unused = 'redis://127.0.0.1:1';

# two sealing keys, in either writing, and one for names

my %key = (
    one   => $keyfile->(join('', map { sprintf '%02x', $_ } 1 .. 32) . "\n"),
    two   => $keyfile->('QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI='),
    names => $keyfile->('Q0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0M'),
);
my $sealed = sub { return set(segments_idempotency_encryption => @_) };

my %https = (
    proxy_pass                    => 'https://127.0.0.1:1',
    proxy_ssl_verify              => 'on',
    proxy_ssl_trusted_certificate => $certificate,
);

sub set { return [set => {@_}] }
sub at  { return [@_] }


# a second guarded location, with other directives than the first

sub beside {
    my (%set) = @_;

    %set = (
        segments_gateway         => 'on',
        segments_secret_key_file => '%%DIR%%/secret',
        segments_redis           => $unused,
        proxy_pass               => 'http://127.0.0.1:1',
        %set,
    );

    return [set => { segments_redis => $unused }, server =>
        'location /other { ' . join(' ', map { "$_ $set{$_};" }
        grep { defined $set{$_} } sort keys %set) . ' }'];
}


my @refused = (

    # the key file

    ['no key file', set(segments_secret_key_file => undef),
        qr/"segments_gateway" needs "segments_secret_key_file"/],
    ['missing key file', set(segments_secret_key_file => "$dir/none"),
        qr/key file "\Q$dir\E\/none" failed \(2: No such file/],
    ['directory as key file', set(segments_secret_key_file => $dir),
        qr/key file "\Q$dir\E" failed/],
    map({ ["key file: $_->[0]",
        set(segments_secret_key_file => $keyfile->($_->[1])),
        qr/key file "[^"]*" $_->[2]/] }
        ['empty', '', 'is empty'],
        ['blank', " \n\t\n", 'is empty'],
        ['no key', "hello\n", 'has no Secret Key'],
        ['project key', "pk_abc\n", 'has no Secret Key'],
        ['upper case', "SK_abc\n", 'has no Secret Key'],
        ['prefix only', "sk_\n", 'has no Secret Key'],
        ['sandbox prefix only', 'test_sk_', 'has no Secret Key'],
        ['two keys', "sk_a\nsk_b\n", 'must hold one Secret Key and nothing'],
        ['key with a space', 'sk_a b', 'must hold one Secret Key and nothing'],
        ['key with a quote', 'sk_a"b', 'must hold one Secret Key and nothing'],
        ['key with a NUL', "sk_a\0b", 'must hold one Secret Key and nothing'],
        ['key that is not ASCII', "sk_\xc3\xa4",
            'must hold one Secret Key and nothing'],
        ['large', 'sk_' . 'x' x 100_000, 'is too large']),

    # the location

    ['named location', at(path => '@named'), qr/cannot guard a named location/],
    ['regex location', at(path => '~ ^/v4/segments'),
        qr/cannot guard a location given by a regular expression/],
    ['regex location, any case', at(path => '~* segments$'),
        qr/cannot guard a location given by a regular expression/],
    ['trailing slash', at(path => '/v4/segments/'),
        qr/cannot guard a location whose name ends in "\/"/],
    ['root', at(path => '/'),
        qr/cannot guard a location whose name ends in "\/"/],
    map({ ["gateway at $_", at($_ => 'segments_gateway on;'),
        qr/"segments_gateway" directive is not allowed here/] }
        qw(http server)),
    ['gateway inside "if"',
        at(location => 'if ($arg_a) { segments_gateway on; }'),
        qr/"segments_gateway" directive is not allowed here/],

    # proxy_pass and what goes with it

    ['no proxy_pass', set(proxy_pass => undef),
        qr/"segments_gateway" needs "proxy_pass" in its location/],
    ['fastcgi_pass', set(proxy_pass => undef, fastcgi_pass => '127.0.0.1:1'),
        qr/"segments_gateway" needs "proxy_pass" in its location/],
    map({ ["URI $_", set(proxy_pass => "http://127.0.0.1:1$_"),
        qr/"proxy_pass" must not have a URI .* remove "\Q$_\E"/] }
        qw(/ /v4/segments /?a=1)),
    ['URI behind a socket', set(proxy_pass => 'http://unix:/a.sock:/'),
        qr/"proxy_pass" must not have a URI/],
    ['proxy_pass_request_headers off',
        set(proxy_pass_request_headers => 'off'),
        qr/"proxy_pass_request_headers off" .* would hold back the Secret Key/],
    ['proxy_pass_request_body off', set(proxy_pass_request_body => 'off'),
        qr/"proxy_pass_request_body off" in a guarded location would forward/],
    ['proxy_set_body', set(proxy_set_body => '$request_body'),
        qr/"proxy_set_body" in a guarded location would forward another body/],
    ['empty proxy_set_body', set(proxy_set_body => '""'),
        qr/"proxy_set_body" in a guarded location would forward another body/],
    ['proxy_method', set(proxy_method => 'POST'),
        qr/"proxy_method" in a guarded location would forward another method/],
    ['proxy_cache', [http => "proxy_cache_path $dir/cache keys_zone=c:1m;",
        @{ set(proxy_cache => 'c') }],
        qr/"proxy_cache" cannot be used in a guarded location/],
    ['proxy_cache with a variable',
        [http => "proxy_cache_path $dir/cache keys_zone=c:1m;",
        @{ set(proxy_cache => '$arg_a') }],
        qr/"proxy_cache" cannot be used in a guarded location/],
    ['proxy_store', set(proxy_store => "$dir/store"),
        qr/"proxy_store" cannot be used in a guarded location/],
    ['proxy_store on', set(proxy_store => 'on', root => $dir),
        qr/"proxy_store" cannot be used in a guarded location/],
    ['proxy_intercept_errors', set(proxy_intercept_errors => 'on'),
        qr/"proxy_intercept_errors on" .* before it is recorded/],
    ['proxy_next_upstream', set(proxy_next_upstream =>
        'error non_idempotent'),
        qr/"proxy_next_upstream non_idempotent" .* create a segment twice/],
    ['post_action', set(post_action => '/after'),
        qr/"post_action" cannot be used in a guarded location/],
    map({ ["proxy_set_header $_", set(proxy_set_header => "$_ x"),
        qr/"proxy_set_header \Q$_\E" cannot be used in a guarded location/] }
        qw(Authorization authorization AUTHORIZATION Idempotency-Key
        Content-Type Content-Length Content-Encoding Transfer-Encoding
        Accept-Encoding Cookie cookie)),
    ['empty proxy_set_header', set(proxy_set_header => 'Cookie ""'),
        qr/"proxy_set_header Cookie" cannot be used/],

    # whatever else would answer: the last of several directives does

    map({ my ($pass, $to) = @$_;
        (["$pass behind proxy_pass", at(location => "$pass $to;"),
            qr/"$pass" cannot be used in a guarded location/],
        ["$pass before proxy_pass", [
            @{ set(proxy_pass => undef, $pass => $to) },
            location => 'proxy_pass http://127.0.0.1:1;'],
            qr/"$pass" cannot be used in a guarded location/],
        ["$pass in \"if\"", at(location => "if (\$arg_a) { $pass $to; }"),
            qr/"$pass" cannot be used in a guarded location/]) }
        [fastcgi_pass => '127.0.0.1:1'], [uwsgi_pass => '127.0.0.1:1'],
        [scgi_pass => 'unix:/a.sock'], [grpc_pass => 'grpc://127.0.0.1:1'],
        [memcached_pass => '127.0.0.1:1']),
    map({ ["$_->[0] in \"if\"", at(location =>
        "if (\$arg_a) { $_->[0] $_->[1]; }"),
        qr/another directive than "proxy_pass" answers/] }
        [fastcgi_pass => '$arg_a'], [uwsgi_pass => '$arg_a'],
        [scgi_pass => '$arg_a'], [grpc_pass => '$arg_a']),
    ['stub_status', at(location => 'stub_status;'),
        qr/another directive than "proxy_pass" answers/],
    ['segments_metrics', [http => 'segments_zone z 1m;',
        location => 'segments_metrics;'],
        qr/"segments_metrics" cannot be used in a guarded location/],

    # the same from outside, and inside a part of the location

    map({ ["$_->[0] at $_->[1]", at($_->[1] => $_->[2]), $_->[3]] }
        ['proxy_method', 'http', 'proxy_method PUT;', qr/"proxy_method"/],
        ['proxy_intercept_errors', 'server', 'proxy_intercept_errors on;',
            qr/"proxy_intercept_errors on"/],
        ['proxy_next_upstream', 'http',
            'proxy_next_upstream error non_idempotent;', qr/non_idempotent/],
        ['post_action', 'server', 'post_action /after;', qr/"post_action"/],
        ['proxy_pass in "if"', 'location',
            'if ($arg_a) { proxy_pass http://127.0.0.1:1/a; }',
            qr/"proxy_pass" cannot have URI part/],
        map({ ["$_ with its own proxy_pass", 'location',
            "$_ { proxy_pass http://192.0.2.1; }",
            qr/the Secret Key would leave this host unencrypted/] }
            'if ($arg_a)', 'limit_except GET')),
    ['proxy_set_header at http', [http => 'proxy_set_header Cookie x;',
        @{ set(proxy_set_header => undef) }],
        qr/"proxy_set_header Cookie" cannot be used/],

    # where the Secret Key would go

    ['http to another host', set(proxy_pass => 'http://192.0.2.1'),
        qr/Secret Key would leave this host unencrypted: use https/],
    ['http to all addresses', set(proxy_pass => 'http://0.0.0.0'),
        qr/Secret Key would leave this host unencrypted/],
    ['http to another host, IPv6', set(proxy_pass => 'http://[2001:db8::1]'),
        qr/Secret Key would leave this host unencrypted/],
    ['http to a group with one other host',
        [http => 'upstream u { server 127.0.0.1; server 192.0.2.1 backup; }',
        @{ set(proxy_pass => 'http://u') }],
        qr/Secret Key would leave this host unencrypted/],
    ['http to a group that is defined behind',
        [http => 'server { location /u { segments_gateway on;'
        . ' segments_secret_key_file %%DIR%%/secret; segments_redis '
        . "$unused; proxy_pass http://u; } }"
        . ' upstream u { server 192.0.2.1; }'],
        qr/Secret Key would leave this host unencrypted/],
    ['https without verification', set(%https, proxy_ssl_verify => undef),
        qr/Secret Key would go to an unverified server: set "proxy_ssl_verify/],
    ['https with verification off', set(%https, proxy_ssl_verify => 'off'),
        qr/Secret Key would go to an unverified server/],

    # idempotency

    ['no Redis', set(segments_redis => undef),
        qr/"segments_idempotency" needs "segments_redis"/],
    ['no Redis, required', set(segments_redis => undef,
        segments_idempotency => 'required'),
        qr/"segments_idempotency" needs "segments_redis"/],
    ['Redis as slow as clients', set(segments_redis_timeout => '2s',
        send_timeout => '2s'),
        qr/"segments_redis_timeout" must be below "send_timeout"/],
    ['short lease', set(segments_idempotency_lease => '599ms'),
        qr/"segments_idempotency_lease" is too short .* three times/],
    ['short lease for a slow Redis', set(segments_redis_timeout => '4s'),
        qr/"segments_idempotency_lease" is too short/],
    ['lease longer than the ttl', set(segments_idempotency_ttl => '9s'),
        qr/"segments_idempotency_lease" must not be longer than "segments_id/],
    ['no upstream key', set(segments_idempotency_upstream_key => 'off'),
        qr/upstream_key off" needs "segments_idempotency_unknown hold"/],
    map({ ["status $_", set(segments_idempotency_statuses => "2xx $_"),
        qr/status "$_" cannot be remembered/] }
        qw(100 199 300 301 399 401 402 403 408 418 425 429 500 502 504 599)),
    map({ ["status $_", set(segments_idempotency_statuses => "2xx $_"),
        qr/invalid status "$_"/] } qw(1xx 3xx 4xx 5xx 20 2000 99 600 abc 2x
        2XX 000)),
    ['no 2xx', set(segments_idempotency_statuses => '400 404'),
        qr/"segments_idempotency_statuses" .*remembers no 2xx/],
    map({ ["stored header $_", set(segments_idempotency_headers => "X-A $_"),
        qr/header "\Q$_\E" cannot be stored/] }
        qw(Connection connection Keep-Alive TE Trailer Transfer-Encoding
        Upgrade Proxy-Authenticate Set-Cookie set-cookie X-Accel-Redirect
        Access-Control-Allow-Origin
        X-Accel-Anything RateLimit RateLimit-Policy ratelimit-remaining)),
    map({ ["stored header $_", set(segments_idempotency_headers => "X-A $_"),
        qr/"\Q$_\E" is no name of a header/] } qw(X:A X-A: X(A) X-\xc3\xa4)),

    # values

    map({ ["$_ 0", set($_ => 0), qr/"$_" directive must not be zero/],
          ["$_ 0ms", set($_ => '0ms'), qr/"$_" directive must not be zero/],
          ["$_ overflowing", set($_ => '99999999999999999999s'),
              qr/"$_" directive invalid value|is too long/],
          ["$_ too long", set($_ => '24856d'), qr/"$_" directive is too long/],
          ["$_ negative", set($_ => '-1s'), qr/"$_" directive invalid value/] }
        qw(segments_redis_connect_timeout segments_redis_timeout
        segments_idempotency_ttl segments_idempotency_lease)),
    map({ ["$_->[0] $_->[1]", set(@$_),
        qr/invalid value "$_->[1]"/] }
        [segments_gateway => 'yes'], [segments_operations => 'create,list'],
        [segments_operations => 'post'], [segments_unknown_fields => 'on'],
        [segments_upstream_insecure => 'yes'],
        [segments_redis_failure => 'ignore'],
        [segments_redis_breaker => 'on'], [segments_redis_breaker => 'fails=1'],
        [segments_idempotency => 'yes'],
        [segments_idempotency_unknown => 'retries'],
        [segments_idempotency_wait => 'on'],
        [segments_idempotency_wait => '-1s'],
        [segments_idempotency_wait => '99999999999999999999s'],
        [segments_idempotency_upstream_key => 'none']),
    map({ ["$_->[0] $_->[1], what is allowed", set(@$_[0, 1]),
        qr/invalid value "$_->[1]": expected \Q$_->[2]\E in/] }
        [segments_operations => 'post',
            '"create", "list", "list_system", "get", "update", "delete" or '
            . '"all"'],
        [segments_unknown_fields => 'on', '"reject" or "pass"'],
        [segments_redis_failure => 'ignore', '"reject" or "pass"'],
        [segments_idempotency => 'yes', '"off", "on" or "required"'],
        [segments_idempotency_unknown => 'retries', '"retry" or "hold"'],
        [segments_idempotency_upstream_key => 'none',
            '"derived", "original" or "off"'],
        [segments_rate_limit_log_level => 'crit',
            '"info", "notice", "warn" or "error"'],
        [segments_idempotency_wait => 'on', '"off" or a time'],
        [segments_redis_breaker => 'on',
            '"off", or "failures=" and "retry="'],
        [segments_redis_wait => 'on',
            '"off", or "replicas=" and "timeout="'],
        [segments_contract => 'on', '"off" or "log"'],
        [segments_contract => 'sample=2', '"off" or "log"']),
    ['parameter of the wait, what is allowed', set(
        segments_idempotency_wait => '5s waiter=1'),
        qr/"waiter=1": expected "waiters=" or "per_key=" and a number/],
    map({ ["breaker $_->[0]", set(segments_redis_breaker => $_->[0]), $_->[1]] }
        ['failures=0', qr/invalid number in "failures=0"/],
        ['failures=x retry=1s', qr/invalid number in "failures=x"/],
        ['failures=1 failures=2', qr/duplicate "failures="/],
        ['retry=0', qr/invalid time in "retry=0"/],
        ['retry=25d', qr/invalid time in "retry=25d"/],
        ['retry=1s retry=2s', qr/duplicate "retry="/],
        ['off retry=1s', qr/invalid value "off"/]),
    map({ ["wait $_->[0]", set(segments_idempotency_wait => $_->[0]),
        qr/$_->[1]/] }
        ['0', 'must not be zero'], ['24856d', 'is too long'],
        ['off per_key=1', 'has parameters besides "off"'],
        map { ["5s $_", qq(invalid parameter "$_")] } qw(waiters=0 waiters=
            waiters=-1 waiters=all per_key=0 per_key waiter=1 5
            per_key=99999999999999999999)),
    map({ ["contract $_->[0]", set(segments_contract => $_->[0]),
        qr/$_->[1]/] }
        ['off sample=2', 'has parameters besides "off"'],
        ['log sample=2 sample=3', 'invalid number of arguments'],
        map { ["log $_", qq(invalid parameter "$_": expected "sample=" and a)]
            } qw(sample=0 sample= sample=-1 sample=all sample 5 samples=1
            sample=99999999999999999999)),
    map({ ["encryption: $_->[0]", $sealed->($_->[0]), qr/$_->[1]/] }
        ['on', 'invalid value "on": expected "off", or "key_file=", '],
        ["off key_file=$key{one}", 'has parameters besides "off"'],
        ["key_file=$key{one} write=on",
            'invalid value "on" of "write=": expected "off"'],
        ["key_file=$key{one} key_file=$key{two}", 'duplicate "key_file="'],
        ["key_file=$key{one} write=off write=off", 'duplicate "write="'],
        ["key_file=$key{one} names_key_file=$key{names}"
            . " names_key_file=$key{names}", 'duplicate "names_key_file="'],
        ['key_file=', '"key_file=" has no value'],
        ["key_file=$key{one} previous=", '"previous=" has no value'],
        ["previous=$key{one}", 'needs "key_file="'],
        ["key_file=$key{one} previous=$key{one}", 'is named twice'],
        ["key_file=$key{one} previous=$key{two} previous=$key{two}",
            'is named twice'],
        ["key_file=$key{one} names_key_file=$key{one}",
            'is for answers, whose keys change: give "names_key_file="'],
        ["key_file=$key{one} previous=$key{two} names_key_file=$key{two}",
            'is for answers, whose keys change'],
        ["key_file=$dir/none", 'key file "[^"]*" failed \(2: No such file'],
        ["key_file=$key{one} previous=$dir/none", 'failed \(2: No such'],
        ["key_file=$key{one} names_key_file=$dir/none", 'failed \(2: No such'],
        ["key_file=$dir", 'key file "[^"]*" failed']),
    map({ ["sealing key: $_->[0]",
        $sealed->('key_file=' . $keyfile->($_->[1])),
        qr/key file "[^"]*" $_->[2]/] }
        ['empty', '', 'is empty'],
        ['blank', "\n", 'is empty'],
        ['large', 'a' x 5000, 'is too large'],
        map { [$_->[0], $_->[1], 'must hold 32 bytes, in base64 or as hex'] }
            ['short', 'QkJC'], ['a Secret Key', 'sk_live'],
            ['two lines', 'QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI='
                . "\nQkJC"]),
    map({ ["$_->[0] that is none", $sealed->("key_file=$key{one} $_->[1]="
        . $keyfile->('QkJC')), qr/key file "[^"]*" must hold 32 bytes/] }
        ['previous key', 'previous'], ["names' key", 'names_key_file']),
    map({ ["encryption: $_->[0]", [set => { segments_redis => $unused,
        segments_idempotency_encryption => "key_file=$key{one}" },
        @{ beside(segments_idempotency_encryption => $_->[1]) }[2, 3]],
        qr/"segments_idempotency_encryption" has other keys than in another/] }
        ['not beside', undef],
        ['another key beside', "key_file=$key{two}"],
        ['one more beside', "key_file=$key{one} previous=$key{two}"],
        ['names beside', "key_file=$key{one} names_key_file=$key{names}"]),
    ['encryption twice', $sealed->(["key_file=$key{one}", 'off']),
        qr/"segments_idempotency_encryption" directive is duplicate/],
    ['contract twice', set(segments_contract => ['off', 'log']),
        qr/"segments_contract" directive is duplicate/],
    ['max_response', set(segments_idempotency_max_response => 'much'),
        qr/"segments_idempotency_max_response" directive invalid value/],
    ['prefix with a brace', set(segments_redis_prefix => '"a{b"'),
        qr/"segments_redis_prefix" .*must not contain braces/],
    ['scope with an unknown variable',
        set(segments_idempotency_scope => '$no_such_variable'),
        qr/unknown "no_such_variable" variable/],
    map({ ["$_->[0] twice", set($_->[0] => [$_->[1], $_->[1]]),
        qr/"$_->[0]" directive is duplicate/] }
        [segments_secret_key_file => 'a'], [segments_gateway => 'on'],
        [segments_redis => $unused],
        [segments_redis_timeout => '1s'], [segments_redis_breaker => 'off'],
        [segments_redis_prefix => 'a'],
        [segments_idempotency => 'on'], [segments_idempotency_scope => 'a'],
        [segments_idempotency_statuses => '2xx'],
        [segments_idempotency_headers => 'X-A'],
        [segments_unknown_fields => 'pass']),

    # Redis URLs

    ['user without a password',
        set(segments_redis => 'redis://user@127.0.0.1'),
        qr/a user in a Redis URL needs "password_file="/],
    ['password in a URL',
        set(segments_redis => 'redis://user:hidden@127.0.0.1'),
        qr/no password, stands before "@" .* use "password_file="/],
    ['missing password file', set(segments_redis =>
        "$unused password_file=$dir/none"), qr/"\Q$dir\E\/none" failed/],
    ['empty password file', set(segments_redis =>
        "$unused password_file=" . $keyfile->("\n")),
        qr/Redis password file "[^"]*" must hold one line/],
    ['password of two lines', set(segments_redis =>
        "$unused password_file=" . $keyfile->("hidden\nhidden\n")),
        qr/Redis password file "[^"]*" must hold one line/],
    ['database', set(segments_redis => 'redis://127.0.0.1/x'),
        qr/invalid database number in Redis URL/],
    ['database of a socket', set(segments_redis => 'unix:/a?db=x'),
        qr/invalid database number in Redis URL "unix:\/a\?db=x"/],
    ['databases of a socket', set(segments_redis => 'unix:/a?db=1&db=2'),
        qr/duplicate "db" in Redis URL "unix:\/a\?db=1&db=2"/],
    ['a password for a parameter of a socket', set(segments_redis =>
        'unix:/a?password=hidden'),
        qr/other than "db" in Redis URL "unix:\/a"/],
    ['a password behind a bad database of a socket', set(segments_redis =>
        'unix:/a?db=x&password=hidden'),
        qr/invalid database number in Redis URL "unix:\/a\?db=x"/],
    ['port', set(segments_redis => 'redis://127.0.0.1:0'),
        qr/in Redis URL/],
    ['relative socket', set(segments_redis => 'unix:a.sock'),
        qr/path in Redis URL "unix:a.sock" is not absolute/],
    ['other scheme', set(segments_redis => 'http://127.0.0.1'),
        qr/a Redis URL begins with "redis:\/\/", /],
    ['no scheme', set(segments_redis => '127.0.0.1:6379'),
        qr/a Redis URL begins with "redis:\/\/", /],
    ['unknown parameter', set(segments_redis => "$unused timeout=1s"),
        qr/unknown Redis parameter "timeout"/],
    ['no parameter', set(segments_redis => "$unused x"),
        qr/what follows a Redis URL is "name=value"/],

    # two projects on one Redis

    ['two keys of production', beside(segments_secret_key_file =>
        $keyfile->('sk_other')),
        qr/key files "[^"]+" and "[^"]+" are of one environment .* give each/],
    ['two keys, one Redis written in two ways', beside(
        segments_redis           => "$unused/0",
        segments_secret_key_file => $keyfile->('sk_other')),
        qr/key files "[^"]+" and "[^"]+" are of one environment .* give each/],

    # TLS where there is none

    map({ ["parameter $_", set(segments_redis => "$unused $_"),
        qr/Redis parameter "\w+" needs TLS: a URL that begins with "rediss"/] }
        "tls_trusted_certificate=$certificate", qw(tls_verify=on
        tls_verify=off tls_name=a tls_certificate=a tls_certificate_key=a)),
);

for (@refused) {
    my ($name, $args, $sentence) = @$_;

    my ($code, $output) = check_config(@$args);

    isnt($code, 0, "$name: refused");
    like($output, qr/\[emerg\].*$sentence/, "$name: why");
    unlike($output, qr/hidden/, "$name: no password") if $name =~ /password/;
}

# what is found at the end of the configuration is found in a location

for (
    ['key file', set(segments_secret_key_file => undef)],
    ['empty key file', set(segments_secret_key_file => $keyfile->(''))],
    ['proxy_pass', set(proxy_pass => 'http://192.0.2.1')],
    ['limit', set(segments_redis => undef, segments_idempotency => 'off',
        segments_rate_limit => 'rate=1r/s')],
    ['"if"', at(location => 'if ($arg_a) { proxy_pass http://192.0.2.1; }')],
    ['metrics', set(segments_gateway => 'off',
        proxy_pass => undef, segments_metrics => '')],
) {
    my ($name, $args) = @$_;
    my ($code, $output) = check_config(@$args,
        server => 'server_name api.example.com b.example.com;');

    my $place = 'while checking location "/v4/segments" of server'
        . ' "api.example.com" in ';

    like($output, qr{ \Q$place\E\S+/nginx\.conf:[0-9]+$}m,
        "$name: its place");
}

my @accepted = (
    ['defaults', []],
    ['sandbox key', [secret => 'test_sk_abc']],
    ['key without an end of line', set(segments_secret_key_file =>
        $keyfile->('sk_abc'))],
    ['exact location', at(path => '= /v4/segments')],
    ['stopping location', at(path => '^~ /v4/segments')],
    ['other name', at(path => '/a/b.c')],
    ['guard off', set(segments_gateway => 'off',
        segments_secret_key_file => undef, proxy_pass => 'http://192.0.2.1/',
        proxy_set_header => 'Cookie a')],
    map({ ["http to $_", set(proxy_pass => "http://$_")] }
        qw(127.0.0.1 127.9.9.9:8080 [::1] unix:/a.sock localhost)),
    ['http to a local group',
        [http => 'upstream u { server 127.0.0.1; server unix:/a.sock backup; }',
        @{ set(proxy_pass => 'http://u') }]],
    ['http to a local group that is defined behind',
        [http => 'server { location /u { segments_gateway on;'
        . ' segments_secret_key_file %%DIR%%/secret; segments_redis '
        . "$unused; proxy_pass http://u; } } upstream u { least_conn;"
        . ' server 127.0.0.1; keepalive 4; }',
        @{ set(segments_redis => $unused) }]],
    ['https, verified', set(%https)],
    ['https, verified, to another host', set(%https,
        proxy_pass => 'https://192.0.2.1')],
    ['http to another host, permitted', set(proxy_pass => 'http://192.0.2.1',
        segments_upstream_insecure => 'on')],
    ['https, unverified, permitted', set(proxy_pass => 'https://192.0.2.1',
        segments_upstream_insecure => 'on')],
    ['variable URL', set(proxy_pass => 'http://$arg_a')],
    map({ ["operations: @$_", set(segments_operations => $_)] }
        ['create all'], ['all create'], ['get all list'], ['ALL'],
        [qw(create all)], [qw(all create)], ['all all'], ['create', 'get']),
    ['other proxy_set_header', set(proxy_set_header =>
        ['Host a', 'X-A $http_authorization', 'Connection ""'])],
    ['proxy_set_header elsewhere', at(http =>
        'proxy_set_header Authorization x;')],
    ['proxy_next_upstream', set(proxy_next_upstream => 'error http_500')],
    ['no Redis, no idempotency', set(segments_redis => undef,
        segments_idempotency => 'off')],
    ['no Redis, no create', set(segments_redis => undef,
        segments_operations => 'list get')],
    map({ ["wait $_", set(segments_idempotency_wait => $_)] }
        'off', '1ms', '2m waiters=1', '2s per_key=1 waiters=100000'),
    ['the same encryption beside', [set => { segments_redis => $unused,
        segments_idempotency_encryption => "key_file=$key{one}" },
        @{ beside(segments_idempotency_encryption =>
        "key_file=$key{one} write=off") }[2, 3]]],
    map({ ["encryption $_", $sealed->($_)] }
        'off', "key_file=$key{one}", "key_file=$key{two} write=off",
        "key_file=$key{one} previous=$key{two} names_key_file=$key{names}"),
    map({ ["contract $_", set(segments_contract => $_)] }
        'off', 'log', 'log sample=1', 'log sample=1000000'),
    ['shortest lease', set(segments_idempotency_lease => '600ms')],
    ['lease as long as the ttl', set(segments_idempotency_ttl => '10s')],
    ['Redis faster than clients', set(segments_redis_timeout => '1s',
        send_timeout => '1001ms')],
    ['no upstream key, hold', set(segments_idempotency_upstream_key => 'off',
        segments_idempotency_unknown => 'hold')],
    ['statuses', set(segments_idempotency_statuses => '201 204 400 404 410')],
    ['stored headers', set(segments_idempotency_headers => 'X-A Retry-At')],
    ['URL with everything', set(segments_redis =>
        'redis://user@127.0.0.1:1/15 password_file='
        . $keyfile->("a b\n"))],
    ['URL of a socket', set(segments_redis => 'unix:/a.sock?db=3')],
    ['everything at http', [http => 'segments_secret_key_file %%DIR%%/secret;'
        . " segments_redis $unused; segments_operations all;"
        . ' segments_idempotency_scope $remote_addr;'
        . ' segments_idempotency_ttl 1h; segments_redis_prefix a;',
        @{ set(segments_secret_key_file => undef, segments_redis => undef) }]],
    ['one key file twice', beside()],
    ['both environments', beside(segments_secret_key_file =>
        $keyfile->('test_sk_other'))],
    ['two keys, two prefixes', beside(segments_secret_key_file =>
        $keyfile->('sk_other'), segments_redis_prefix => 'other:')],
    ['two keys, two databases', beside(segments_secret_key_file =>
        $keyfile->('sk_other'), segments_redis => "$unused/1")],
);

for (@accepted) {
    my ($name, $args) = @$_;

    my ($code, $output) = check_config(@$args);

    is($code, 0, "$name: accepted") or diag($output);
    unlike($output, qr/\[(?:warn|error|emerg|alert)\]/, "$name: in silence");
}

done_testing();
