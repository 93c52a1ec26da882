#!/usr/bin/perl

# What segments_rate_limit may say, and which of several levels holds.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Limits;


my $unused = 'redis://127.0.0.1:1';
my $keys = 0;

sub limit { return [set => { segments_redis => $unused,
    segments_rate_limit => @_ > 1 ? [@_] : $_[0] }] }


# a second guarded location, with another limit than the first

sub beside {
    my ($limit, %set) = @_;

    %set = (
        segments_gateway         => 'on',
        segments_secret_key_file => '%%DIR%%/secret',
        segments_redis           => $unused,
        segments_rate_limit      => $limit,
        proxy_pass               => 'http://127.0.0.1:1',
        %set,
    );

    return [@{ limit('rate=60r/m burst=5 key=$arg_a') }, server =>
        'location /other { ' . join(' ', map { "$_ $set{$_};" }
        sort keys %set) . ' }'];
}

sub keyfile {
    my ($key) = @_;

    return spew(tempdir() . '/key' . ++$keys, "$key\n");
}


my $TWO = qr/limit "default" has two rates, bursts or keys on one Redis: give/;

for (
    ['no parameter', limit(''), qr/invalid number of arguments/],
    ['no rate', limit('burst=1'),
        qr/"segments_rate_limit" directive needs "rate=", as in/],
    map({ ["rate '$_'", limit("rate=$_"),
        qr/invalid rate "\Q$_\E": expected a number from 1 to 1000000 and/] }
        '', qw(1 1r 1r/ r/s 0r/s -1r/s 1.5r/s 1r/w 1000001r/s 1/s)),
    map({ ["burst '$_'", limit("rate=1r/s burst=$_"),
        qr/invalid burst "\Q$_\E": expected a number from 0 to 100000/] }
        '', qw(-1 1.5 x 100001)),
    map({ ["name '$_'", limit("rate=1r/s 'name=$_'"),
        qr/invalid name "\Q$_\E" of a limit: expected letters, digits and/] }
        '', 'a b', 'a,b', 'a"b', 'a' x 65),
    ['empty key', limit('rate=1r/s key='),
        qr/has an empty key, by which nothing is limited: leave "key=" out/],
    ['unknown variable', limit('rate=1r/s key=$no_such'),
        qr/unknown "no_such" variable/],
    map({ ["parameter '$_'", limit("rate=1r/s $_"),
        qr/invalid parameter "\Q$_\E" of "segments_rate_limit"/] }
        qw(nodelay zone=a delay=1 RATE=1r/s off rate)),
    map({ ["duplicate $_", limit("rate=1r/s burst=1 key=a name=b $_"),
        qr/duplicate parameter "\Q$_\E" of "segments_rate_limit"/] }
        qw(rate=2r/s burst=0 key=c name=d)),
    ['off and another', limit('off', 'rate=1r/s'),
        qr/cannot be "off" beside another one/],
    ['another and off', limit('rate=1r/s', 'off'),
        qr/cannot be "off" beside another one/],
    ['off twice', limit('off', 'off'), qr/cannot be "off" beside another one/],
    ['two without a name', limit('rate=1r/s', 'rate=2r/s'),
        qr/limit "default" is duplicate: give each limit a "name=" of its own/],
    ['two of one name', limit('rate=1r/s name=a',
        'rate=1r/s key=$arg_a name=a'),
        qr/limit "a" is duplicate/],
    ['nine', limit(map { "rate=1r/s name=a$_" } 1 .. 9),
        qr/stands too often: a create has at most 8 limits/],
    ['no Redis', [set => { segments_rate_limit => 'rate=1r/s',
        segments_redis => undef, segments_idempotency => 'off' }],
        qr/"segments_rate_limit" needs "segments_redis": name a Redis, or/],
    map({ ["elsewhere, $_->[0]", beside($_->[1]), $TWO] }
        ['another rate', 'rate=61r/m burst=5 key=$arg_a'],
        ['another burst', 'rate=60r/m burst=4 key=$arg_a'],
        ['no burst', 'rate=60r/m key=$arg_a'],
        ['another key', 'rate=60r/m burst=5 key=$arg_b'],
        ['no key', 'rate=60r/m burst=5']),
    ['elsewhere, Redis written in another way', beside('rate=1r/s',
        segments_redis => "$unused/0"), $TWO],
    ['level', [set => { segments_rate_limit_log_level => 'crit' }],
        qr/invalid value "crit"/],
    ['dry run', [set => { segments_rate_limit_dry_run => 'yes' }],
        qr/it must be "on" or "off"/],
) {
    my ($name, $args, $sentence) = @$_;

    my ($code, $output) = check_config(@$args);

    isnt($code, 0, "$name: refused");
    like($output, qr/\[emerg\].*$sentence/, "$name: why");
}

for (
    ['least', limit('rate=1r/d')],
    ['most', limit('rate=1000000r/s burst=100000 key=$arg_a$remote_addr'
        . ' name=' . 'a' x 64)],
    ['constant key', limit('rate=1r/s key=all')],
    ['odd name', limit('rate=1r/s "name=!#$%&\'*+-.^_`|~"')],
    ['eight', limit(map { "rate=1r/s name=a$_" } 1 .. 8)],
    ['off', limit('off')],
    ['off without Redis', [set => { segments_rate_limit => 'off',
        segments_redis => undef, segments_idempotency => 'off' }]],
    ['no create', [set => { segments_rate_limit => 'rate=1r/s',
        segments_operations => 'list', segments_redis => undef }]],
    ['no create, another rate', beside('rate=1r/s',
        segments_operations => 'list')],
    ['not guarded', [server => 'location /plain {'
        . ' segments_rate_limit rate=1r/s; }', @{ limit('rate=2r/s') }]],
    ['as documented', [
        http => 'map $remote_user $ordinary { importer ""; default'
            . ' $remote_user; } map $remote_user $importer { importer'
            . ' $remote_user; } limit_req_zone $binary_remote_addr'
            . ' zone=flood:10m rate=50r/s; limit_req_status 429;',
        server => 'segments_rate_limit rate=60r/m burst=10 key=$ordinary'
            . ' name=client; segments_rate_limit rate=50r/s burst=500'
            . ' key=$importer name=importer;',
        set => { segments_redis => $unused,
            limit_req => 'zone=flood burst=100 nodelay' }]],
    ['idempotency off', [set => { segments_rate_limit => 'rate=1r/s',
        segments_redis => $unused, segments_idempotency => 'off' }]],
    ['elsewhere the same', beside('rate=60r/m burst=5 key=$arg_a')],
    ['elsewhere the same, written in another way',
        beside('name=default burst=05 key=$arg_a rate=1r/s')],
    ['elsewhere another name', beside('rate=1r/s name=other')],
    ['elsewhere another prefix', beside('rate=1r/s',
        segments_redis_prefix => 'other:')],
    ['elsewhere another database', beside('rate=1r/s',
        segments_redis => "$unused/1")],
    ['elsewhere the sandbox', beside('rate=1r/s',
        segments_secret_key_file => keyfile('test_sk_a'))],
    ['everything at http', [http => 'segments_rate_limit rate=1r/s;'
        . ' segments_rate_limit rate=2r/s name=b;'
        . ' segments_rate_limit_dry_run on;'
        . ' segments_rate_limit_log_level warn;',
        set => { segments_redis => $unused }]],
) {
    my ($name, $args) = @$_;

    my ($code, $output) = check_config(@$args);

    is($code, 0, "$name: accepted") or diag($output);
    unlike($output, qr/\[(?:warn|error|emerg|alert)\]/, "$name: in silence");
}


# a level replaces what the level above says

my $upstream = upstream();
my $redis = redis_server();

sub names {
    my (%args) = @_;

    my $set = { %Segments::Nginx::PATIENT, %{ delete $args{set} // {} } };
    my $nginx = nginx(upstream => $upstream, redis => $redis, set => $set,
        http => 'segments_rate_limit rate=9r/s burst=9 name=http;'
            . ' segments_rate_limit rate=8r/s burst=9 name=two;', %args);
    my $answer = $nginx->create;

    return $answer->status . ' '
        . join ' ', limits($answer) =~ /"(\w+)";q/g;
}

is(names(), '201 http two', 'of http');
is(names(server => 'segments_rate_limit rate=9r/s burst=9 name=server;'),
    '201 server', 'of the server');
is(names(set => { segments_rate_limit => 'rate=9r/s burst=9 name=location' }),
    '201 location', 'of the location');
is(names(set => { segments_rate_limit => 'off' }), '201 ', 'off');
is(names(server => 'segments_rate_limit off;'), '201 ', 'off at the server');
is(names(server => 'segments_rate_limit off;',
    set => { segments_rate_limit => 'rate=9r/s burst=9 name=location' }),
    '201 location', 'on again');
is(names(location => 'if ($request_method = POST) { set $a 1; }'),
    '201 http two', 'inside "if"');

done_testing();
