#!/usr/bin/perl

# What is measured does its job: a contender that did not would be fast for
# nothing.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../bench/lib";
use Segments::Test;

use Bench::Field;

my $field = Bench::Field->start(contenders => [qw(bare gateway)]);

for my $name (qw(bare gateway)) {
    ok(eval { $field->check($name); 1 }, $name) or diag $@;
}

SKIP: {
    skip 'no Lua for nginx', 2 if !Bench::Field::has_lua();

    for my $name (qw(lua pipelined)) {
        $field->contender($name);
        ok(eval { $field->check($name); 1 }, $name) or diag $@;
    }
}

done_testing();
