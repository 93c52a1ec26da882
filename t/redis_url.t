#!/usr/bin/perl

# What "segments_redis" accepts, and with which sentence nginx -t refuses the
# rest.
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $PASSWORD = 'never-in-a-log';

sub file {
    my ($name, $content) = @_;

    return 'password_file=' . spew(tempdir() . "/$name", $content);
}

my $good = file('good', "$PASSWORD\n");
my $max = file('max', 'x' x 1024 . "\r\n");
my $line = qr/must hold one line of 1 to 1024 bytes/;

for my $redis (
    'redis://127.0.0.1',
    'redis://127.0.0.1:6380',
    'redis://127.0.0.1:6380/0',
    'redis://127.0.0.1/2147483647',
    'redis://localhost/1',
    'redis://[::1]',
    'redis://[::1]:6380/1',
    "redis://user\@127.0.0.1 $good",
    "redis://User-1._+\@[::1]:6380/1 $good",
    "redis://127.0.0.1 $good",
    'unix:/nowhere/socket',
    'unix:/nowhere/socket?db=1',
    "unix:/nowhere/socket $good",
    "unix:/nowhere/socket $max",
    'unix:/nowhere/socket ' . file('cr', "a\r\n"),
    'unix:/nowhere/socket ' . file('spaces', ' a b '),
    'redis+sentinel://127.0.0.1/master',
    'redis+sentinel://127.0.0.1:1,[::1],localhost:3/my-master/2',
    "redis+sentinel://user\@127.0.0.1,127.0.0.2/m $good",
    'redis+cluster://127.0.0.1',
    'redis+cluster://127.0.0.1:7000,[::1]:7001,localhost',
    'redis+cluster://127.0.0.1:7000,[::1]:7001/3',
) {
    my ($code, $output) = check_config(redis => $redis);

    is($code, 0, $redis =~ s/password_file=\S*/.../r) or diag $output;
}


my $before = qr/only a user name, and no password, stands before "\@"/;
my $db = qr/invalid database number in Redis URL/;

for my $row (
    ['127.0.0.1:6379', qr{a Redis URL begins with "redis://", }],
    ['Redis://127.0.0.1', qr{a Redis URL begins with "redis://", }],
    ['redis:127.0.0.1', qr{a Redis URL begins with "redis://", }],
    ['http://127.0.0.1', qr{a Redis URL begins with "redis://", }],
    ['""', qr{a Redis URL begins with "redis://", }],

    ['redis://', qr/no host in Redis URL "redis:/],
    ['redis:///1', qr/no host in Redis URL/],
    ['redis://:6379', qr/no host in Redis URL/],
    ['redis://127.0.0.1:', qr/invalid port in Redis URL/],
    ['redis://127.0.0.1:0', qr/invalid port in Redis URL/],
    ['redis://127.0.0.1:65536', qr/invalid port in Redis URL/],
    ['redis://127.0.0.1:x', qr/invalid port in Redis URL/],
    ['redis://[::1', qr/in Redis URL/],
    ['redis://no-such-host.invalid', qr/host not found in Redis URL/],

    ['redis://127.0.0.1/', $db],
    ['redis://127.0.0.1/x', $db],
    ['redis://127.0.0.1/-1', $db],
    ['redis://127.0.0.1/1/2', $db],
    ['redis://127.0.0.1/2147483648', $db],
    ['redis://127.0.0.1/99999999999999999999', $db],
    ['unix:/s?db=', $db],
    ['unix:/s?db=x', $db],

    ['redis://127.0.0.1?db=1', qr/has no "\?" parameters/],
    ['redis://127.0.0.1/1?x', qr/has no "\?" parameters/],
    ['unix:socket', qr/path in Redis URL "unix:socket" is not absolute/],
    ['unix:', qr/path in Redis URL "unix:" is not absolute/],
    ['unix:?db=1', qr/path in Redis URL "unix:" is not absolute/],
    ['unix:/s?', qr/a parameter other than "db" in Redis URL "unix:\/s"/],
    ['unix:/s?database=1', qr/a parameter other than "db"/],
    ['unix:/s?db=1&x=2', qr/a parameter other than "db"/],
    ['unix:/s?db=1&', qr/a parameter other than "db"/],
    ['unix:/s?db=1&db=1', qr/duplicate "db" in Redis URL "unix:\/s\?db=1&d/],
    ['unix:/s?db=x', qr/database number in Redis URL "unix:\/s\?db=x"/],
    ["unix:/s?db=1&$PASSWORD", qr/other than "db" in Redis URL "unix:\/s"/],

    ["redis://\@127.0.0.1 $good", qr/no user before "\@"/],
    ['redis://user@127.0.0.1',
        qr/a user in a Redis URL needs "password_file="/],
    ["redis://user:$PASSWORD\@127.0.0.1", $before],
    ["redis://:$PASSWORD\@127.0.0.1", $before],
    ["redis://user:$PASSWORD\@x\@127.0.0.1", $before],
    ["redis://u:$PASSWORD/\@127.0.0.1 $good", $before],
    ["redis://us%20er\@127.0.0.1 $good", $before],
    ["'redis://us er\@127.0.0.1' $good", $before],

    ['redis+other://127.0.0.1', qr{a Redis URL begins with}],
    ["rediss+cluster://user:$PASSWORD\@127.0.0.1", $before],
    ["redis+sentinel://user:$PASSWORD\@127.0.0.1/m", $before],
    ["redis+sentinel://user\@127.0.0.1/m",
        qr/a user in a Redis URL needs "password_file="/],
    ['redis+sentinel://127.0.0.1', qr/no name of a master in Redis URL/],
    ['redis+sentinel://127.0.0.1/', qr/no name of a master in Redis URL/],
    ['redis+sentinel://127.0.0.1//1', qr/no name of a master in Redis URL/],
    ['redis+sentinel://127.0.0.1/m/', $db],
    ['redis+sentinel://127.0.0.1/m/x', $db],
    ['redis+sentinel://127.0.0.1/m?db=1', qr/has no "\?" parameters/],
    ['redis+sentinel://127.0.0.1,/m', qr/no host in Redis URL/],
    ['redis+sentinel://,127.0.0.1/m', qr/no host in Redis URL/],
    ['redis+sentinel:///m', qr/no host in Redis URL/],
    ['redis+sentinel://127.0.0.1,no-such-host.invalid/m',
        qr/host not found in Redis URL/],
    ['redis+cluster://', qr/no host in Redis URL/],
    ['redis+cluster://127.0.0.1/', $db],
    ['redis+cluster://127.0.0.1/x', $db],
    ['redis+cluster://127.0.0.1:1,127.0.0.1:x', qr/invalid port/],
    ['redis://127.0.0.1,127.0.0.2', qr/in Redis URL/],

    ['unix:/s password', qr/what follows a Redis URL is "name=value"/],
    ['unix:/s password=' . $PASSWORD, qr/unknown Redis parameter "password"/],
    ["unix:/s =$PASSWORD", qr/unknown Redis parameter ""/],
    ['unix:/s Password_file=/x', qr/unknown Redis parameter "Password_file"/],
    ["unix:/s $good $good", qr/duplicate Redis parameter "password_file"/],
    ['unix:/s password_file=', qr/no value in Redis parameter/],
    ['unix:/s password_file=/nowhere/file',
        qr{open\(\) "/nowhere/file" failed \(2: No such file}],
    ['unix:/s password_file=/', qr{"/" failed \(21: Is a directory}],
    ['unix:/s ' . file('empty', ''), $line],
    ['unix:/s ' . file('newline', "\n"), $line],
    ['unix:/s ' . file('crlf', "\r\n"), $line],
    ['unix:/s ' . file('two', "$PASSWORD\nx\n"), $line],
    ['unix:/s ' . file('blank', "$PASSWORD\n\n"), $line],
    ['unix:/s ' . file('long', $PASSWORD . 'x' x 1011), $line],
    ['unix:/s ' . file('longer', $PASSWORD . 'x' x 100_000), $line],

    (map { ["unix:/s $_=on", qr/parameter "$_" needs TLS/] }
        qw(tls_verify tls_name tls_certificate tls_certificate_key
           tls_trusted_certificate)),
) {
    my ($redis, $sentence) = @$row;
    my ($code, $output) = check_config(redis => $redis);
    my $name = length $redis > 60 ? substr($redis, 0, 60) . '..' : $redis;

    isnt($code, 0, $name);
    like($output, qr/\[emerg\] .*$sentence.* in \S+\/nginx\.conf:[0-9]+$/m,
        "$name, why");
    unlike($output, qr/\Q$PASSWORD\E/, "$name, no password");
    is(scalar(() = $output =~ /\[emerg\]/g), 1, "$name, said once");
}


# relative to the configuration, as other files

my $nginx = nginx_new(redis => 'unix:/s password_file=password');

spew($nginx->dir . '/password', $PASSWORD);
is(($nginx->check_config)[0], 0, 'a relative name');

# the same Redis in two places, and two of them

for my $other ('unix:/s', 'unix:/s?db=1', "unix:/s $good") {
    my ($code, $output) = check_config(redis => 'unix:/s',
        server => "segments_redis $other;");
    is($code, 0, "also $other") or diag $output;
}

like((check_config(redis => 'unix:/s',
    location => 'segments_redis unix:/s;'))[1],
    qr/"segments_redis" directive is duplicate/, 'twice in one place');

done_testing();
