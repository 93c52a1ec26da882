#!/usr/bin/perl

# No memory for a stored answer: the request that it answers is not run again,
# not even where Redis may be done without.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Util qw(find_program spew tempdir);

my $SIZE = 54321;

my $dir = tempdir();
my $real = find_program($ENV{TEST_NGINX_BINARY} // 'nginx');

# a malloc() that has no piece of this very size while "fail" is there

spew("$dir/malloc.c", <<"EOF");
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

void *__libc_malloc(size_t size);

void *
malloc(size_t size)
{
    if (size == $SIZE && access("$dir/fail", F_OK) == 0) {
        errno = ENOMEM;
        return NULL;
    }

    return __libc_malloc(size);
}
EOF

plan(skip_all => 'no C library with __libc_malloc()')
    if system("cc -shared -fPIC -o $dir/malloc.so $dir/malloc.c 2>/dev/null")
    || system("LD_PRELOAD=$dir/malloc.so $real -v 2>/dev/null");

spew("$dir/nginx", "#!/bin/sh\n"
    . "LD_PRELOAD=$dir/malloc.so exec $real \"\$\@\"\n");
chmod 0755, "$dir/nginx" or die "chmod: $!";

local $ENV{TEST_NGINX_BINARY} = "$dir/nginx";

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    segments_redis_failure => 'pass',
});

$nginx->expect_alert(qr/malloc\($SIZE\) failed/);

is($nginx->create(key => 'k', mock => "body=$SIZE")->summary, '201 recorded',
    'create');

spew("$dir/fail", '');

is($nginx->create(key => 'k')->summary, '503 - storage_error',
    'no memory for its answer');
is($upstream->count, 1, 'not run again');

unlink "$dir/fail" or die "unlink: $!";

is($nginx->create(key => 'k')->summary, '201 replayed marked', 'replayed');

done_testing();
