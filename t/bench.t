#!/usr/bin/perl

# What is measured does its job: a contender that did not would be fast for
# nothing.  And a load that does not get what it asks for is no figure.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../bench/lib";
use Segments::Test;

use Bench::Field;
use Bench::Load qw(load);

my $field = Bench::Field->start(contenders => [qw(bare gateway)]);

for my $name (qw(bare gateway)) {
    ok(eval { $field->check($name); 1 }, $name) or diag $@;
}

for my $name (qw(lua pipelined)) {
    $field->contender($name);
    ok(eval { $field->check($name); 1 }, $name) or diag $@;
}

my @before = map { $field->worker($_) } qw(bare gateway lua pipelined);

$field->renew;

is(scalar(grep { my $pid = $_; grep { $pid == $_ } @before }
    map { $field->worker($_) } qw(bare gateway lua pipelined)), 0,
    'each has a worker that is new');

my %once = (size => 200, connections => 4, seconds => 1);

for my $scenario (qw(forward create replay reject mixed)) {
    my $got = eval { load($field, 'gateway', $scenario, %once) };

    ok($got && $got->{cpu} > 0 && $got->{rate} > 0, "load: $scenario")
        or diag $@;
}

ok(!eval { load($field, 'bare', 'forward', %once, path => '/refused') },
    'load: answers that were not to be');

done_testing();
