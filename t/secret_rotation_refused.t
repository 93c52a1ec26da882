#!/usr/bin/perl

# A key file that is not good leaves the key at hand in use, and is told of
# once.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw(sleep time);

use Segments::Test;

my $KEPT = 'the Secret Key at hand stays';

# workers that are not root, where the test is

my $root = $> == 0;

chmod 0711, tempdir() or die $!;

my $upstream = upstream();

my @cases = (
    # name, how the file changes, what the log says before and behind its name
    ['empty', sub { spew($_[0], '') }, '', 'is empty'],
    ['blank', sub { spew($_[0], " \n\n") }, '', 'is empty'],
    ['garbage', sub { spew($_[0], "hello\n") }, '', 'has no Secret Key: .*'],
    ['cut', sub { spew($_[0], 'sk_') }, '', 'has no Secret Key: .*'],
    ['two keys', sub { spew($_[0], "sk_a\nsk_b\n") }, '',
        'must hold one Secret Key and nothing else'],
    ['large', sub { spew($_[0], 'sk_' . 'x' x 100_000) }, '', 'is too large'],
    ['other environment', sub { spew($_[0], "test_sk_abc\n") }, '',
        'has a Secret Key of the other environment, which needs a reload'],
    ['removed', sub { unlink $_[0] or die $! }, 'stat\(\) ', 'failed', 2],
    ['unreadable', sub { spew("$_[0].new", "sk_new\n");
        chmod 0, "$_[0].new" or die $!;
        rename "$_[0].new", $_[0] or die $! }, 'open\(\) ', 'failed', 13],
    ['directory', sub { unlink $_[0] or die $!; mkdir $_[0] or die $! }, '',
        'is not a regular file'],
    ['dangling link', sub { unlink $_[0] or die $!;
        symlink 'nothing', $_[0] or die $! }, 'stat\(\) ', 'failed', 2],
);

my %paths = map { $cases[$_][0] => tempdir() . "/key$_" } 0 .. $#cases;
my $private = tempdir() . '/private';
my $good = tempdir() . '/good';
my $sandbox = tempdir() . '/sandbox';

spew($_, "sk_first\n") for values %paths, $private, $good;
spew($sandbox, "test_sk_first\n");
chmod 0600, $private or die $!;

my $nginx = nginx(upstream => $upstream, user => 'www-data', workers => 2,
    set => { segments_gateway => undef, proxy_pass => undef,
        segments_redis => undef, segments_secret_key_file => undef },
    http => 'segments_idempotency off; segments_operations all;',
    server => join '', map { location(@$_) } ['/good', $good],
        ['/sandbox', $sandbox], ['/private', $private],
        map { [path($_), $paths{$_}] } keys %paths);

is(sent($_), 'sk_first', "$_: first key") for sort keys %paths;

if ($root) {
    my $notice = qr/"\Q$private\E", a changed Secret Key needs a reload \(13:/;

    is(scalar(() = $nginx->error_log
        =~ /\[notice\] .* may not read key file $notice/g), 1,
        'a file that only root may read: said once');
}

unlike($nginx->error_log, qr/\[error\]/, 'no error');

my $mark = length $nginx->error_log;

$_->[1]->($paths{ $_->[0] }) for @cases;
spew($private, "sk_second\n");

wait_for { 2 * @cases <= (() = $nginx->error_log($mark) =~ /$KEPT/g) } 10,
    'all of them to be refused';

# nothing more comes while the others have a good one to take up

spew($good, "sk_second\n");
spew($sandbox, "test_sk_second\n");

wait_for { 4 == (() = $nginx->error_log($mark) =~ /has a new Secret Key/g) }
    10, 'the good ones';
sleep slow(2.5);

my $log = $nginx->error_log($mark);

for (@cases) {
    my ($name, undef, $call, $wrong, $errno) = @$_;

    my $path = quotemeta $paths{$name};
    my $reason = $errno ? " \\($errno: " : '$';
    my $line = qr/$call\Qkey file\E "$path" $wrong, $KEPT$reason/m;

    is(scalar(() = $log =~ /\[error\] \S+ $line/g), 1, "$name: said once")
        or diag($log);
    is(sent($name), 'sk_first', "$name: the key at hand");
}

is(sent('good'), 'sk_second', 'good: the new key');
is(sent('sandbox'), 'test_sk_second', 'good in the sandbox: the new key');

SKIP: {
    skip 'not root: every file is its own', 2 if !$root;

    is(sent('private'), 'sk_first', 'no rotation of what only root may read');
    unlike($log, qr/\Q$private/, 'nor a word of it');
}

# what was wrong is set right: by a new file, or by rights alone

$mark = length $nginx->error_log;

for my $name (sort keys %paths) {
    my $path = $paths{$name};

    if ($name eq 'unreadable') {
        chmod 0644, $path or die $!;
        next;
    }

    rmdir $path;
    unlink $path;
    spew($path, $name eq 'empty' ? "sk_first\n" : "sk_new\n");
}

wait_for { @cases - 1 <= (() = $nginx->error_log($mark)
    =~ /\[notice\] .* has a new Secret Key/g) } 10, 'the new keys';
wait_for { @cases - 1 <= (() = $nginx->error_log($mark)
    =~ /\[info\] .* has a new Secret Key/g) } 10, 'the new keys';

is(sent($_), $_ eq 'empty' ? 'sk_first' : 'sk_new', "$_: set right")
    for sort keys %paths;
unlike($nginx->error_log($mark), qr/\[error\]/, 'no error');

# a reload takes up what workers may not read

$nginx->reload;
is(sent('private'), 'sk_second', 'reload');

# a file that is being written is left alone, whatever it looks like

my $text = 'sk_' . 'x' x 40;
my $until = time + slow(4);

$mark = length $nginx->error_log;
$upstream->forget;

open my $fh, '>', $good or die $!;
$fh->autoflush(1);

for my $byte (split //, $text) {
    print {$fh} $byte;
    sleep slow(0.1);
    sent('good');
}

close $fh;

wait_for { 2 == (() = $nginx->error_log($mark) =~ /has a new Secret Key/g) }
    10, 'the whole key';

my %keys = map { $_->header('Authorization') => 1 } $upstream->requests;

is_deeply(\%keys, { 'Bearer sk_second' => 1 }, 'half a key was never sent');
is(sent('good'), $text, 'the whole one is');
unlike($nginx->error_log($mark), qr/\[error\]/, 'no error');

done_testing();


sub path {
    my ($name) = @_;

    return '/' . $name =~ tr/ /-/r;
}


sub location {
    my ($path, $file) = @_;

    return "location $path { segments_gateway on; proxy_pass %%UPSTREAM%%;"
        . " segments_secret_key_file $file; }\n";
}


# the key that the upstream gets; both workers have taken up what there is

sub sent {
    my ($name) = @_;

    my $status = $nginx->request('GET', path($name =~ s{^/}{}r))->status;

    $status == 200 or return "status $status";

    return (($upstream->requests)[-1]->header('Authorization') // '')
        =~ s/^Bearer //r;
}
