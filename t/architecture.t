#!/usr/bin/perl

# The house is as docs/architecture.md draws it: what a file includes and what
# it calls stands on a lower floor or beside it, and nothing goes round.
#
# What is not so yet stands at the end, and can only become less.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Basename qw(dirname);
use File::Path qw(make_path);
use Test::More;

use Segments::House qw(floors violations);
use Segments::Util qw(program_root slurp spew tempdir);

my $top = program_root();
my $objects = ($ENV{BUILD} // "$top/build") . '/objs/addon';

# a small house: what stands in it, and what is found
my %SMALL = (
    'contract/sg_a.h'                    => '',
    'redis/ngx_redis.h'                  => '',
    'redis/ngx_redis_inside.h'           => '',
    'limit/low.h'                        => '',
    'limit/low.c'                        => 'int low(void) { return 0; }',
    'secret/none.h'                      => '',
    'idempotency/kept.h'                 => '',
    'life/middle.h'                      => '#include "limit/low.h"',
    'life/middle.c'                      => 'int low(void); int middle(void)
                                             { return low(); }',
    'life/other.c'                       => 'extern int
                                             ngx_http_segments_module;
                                             int other(void)
                                             { return
                                             ngx_http_segments_module; }',
    'module/ngx_http_segments_module.c'  => 'int ngx_http_segments_module;'
                                            . "\n" x 500,
);

my $houses = 0;

my %objects;

my %FLOORS = floors("| 0 | `contract/` |\n| 1 | `redis/` |\n"
    . "| 2 | `limit/`, `secret/`, `idempotency/` |\n"
    . "| 3 | `life/` |\n| 4 | `module/` |\n");

of_the_small();
of_ours();

done_testing();


sub of_the_small {
    is_deeply(\%FLOORS, { contract => 0, redis => 1, limit => 2, secret => 2,
        idempotency => 2, life => 3, module => 4 }, 'floors are read');

    found('what is right', {});
    found('an include upwards', { 'limit/low.h' => '#include "life/up.h"',
        'life/up.h' => '' },
        'includes what is not below: limit/low.h -> life/up.h');
    found('an include beside', { 'limit/low.h' => '#include "secret/side.h"',
        'secret/side.h' => '' },
        'includes what is not below: limit/low.h -> secret/side.h');
    found('includes in a circle', { 'limit/low.h' => '#include "limit/b.h"',
        'limit/b.h' => '#include "limit/low.h"' },
        'includes in a circle: limit/b.h -> limit/low.h',
        'includes in a circle: limit/low.h -> limit/b.h');
    found('an include behind the face', { 'limit/low.h' =>
        "#include \"redis/ngx_redis.h\"\n#include \"redis/ngx_redis_inside.h\""
        }, 'behind redis\' face: limit/low.h -> redis/ngx_redis_inside.h');
    found('a claim from without', {
        'idempotency/ngx_http_segments_claim_end.h' => '',
        'life/middle.h' => '#include "limit/low.h"'
            . "\n#include \"idempotency/ngx_http_segments_claim_end.h\"" },
        'from within: life/middle.h -> '
            . 'idempotency/ngx_http_segments_claim_end.h');
    found('a call upwards', { 'limit/low.c' => 'int other(void);
        int low(void) { return other(); }' },
        'calls what is not below: limit/low.c -> life/other.c');
    found('data upwards', { 'limit/low.c' => 'extern int up;
        int low(void) { return up; }', 'life/up.c' => 'int up = 1;' },
        'calls what is not below: limit/low.c -> life/up.c');
    found('calls in a circle', { 'limit/low.c' => 'int back(void);
        int low(void) { return back(); }', 'limit/back.c' => 'int low(void);
        int back(void) { return low(); }' },
        'calls in a circle: limit/back.c -> limit/low.c',
        'calls in a circle: limit/low.c -> limit/back.c');
    found('the module below life', { 'limit/low.c' => 'extern int
        ngx_http_segments_module; int low(void)
        { return ngx_http_segments_module; }' },
        'uses the module: limit/low.c');
    found('a declaration of another\'s function', { 'life/middle.h' =>
        "#include \"limit/low.h\"\nint\nother (void);" },
        'declares another\'s: life/middle.h, other');
    found('a declaration of another\'s data', { 'life/middle.h' =>
        "#include \"limit/low.h\"\nextern int data[1];",
        'life/data.c' => 'int data[1] = { 1 };' },
        'declares another\'s: life/middle.h, data');
    found('what only looks like a declaration', { 'life/middle.h' =>
        "#include \"limit/low.h\"\n/* other(); */\n#define x \\\n other();\n"
            . 'static inline int f(void) { if (1) { return other(); } }' });
    found('the system before nginx', {
        'contract/sg_a.h' => '#include <stdio.h>', 'life/middle.h' =>
            "#include \"contract/sg_a.h\"\n#include \"limit/low.h\"\n"
            . '#include <ngx_config.h>' },
        'nginx comes late: life/middle.h, <stdio.h>');
    found('nginx before the system', {
        'contract/sg_a.h' => '#include <stdio.h>', 'life/middle.h' =>
            "#include <ngx_config.h>\n#include \"contract/sg_a.h\"\n"
            . '#include "limit/low.h"' });
    found('a long header', { 'limit/low.h' => "\n" x 151 },
        'over 150 lines: limit/low.h');
    found('a long source', { 'limit/long.c' => "\n" x 401 },
        'over 400 lines: limit/long.c');
    found('what is just not too long', { 'limit/low.h' => "\n" x 150,
        'limit/long.c' => "\n" x 400 });
    found('a name that stands twice', { 'life/low.h' => '' },
        'name stands twice: low.h');
    found('a folder without a floor', { 'attic/old.h' => '' },
        'folder without a floor: attic');
    found('a floor without a folder', { 'secret/none.h' => undef },
        'floor without a folder: secret');

    return;
}


sub found {
    my ($name, $planted, @expected) = @_;

    my $dir = tempdir() . '/house' . ++$houses;
    my %files = (%SMALL, %$planted);

    for my $file (grep { defined $files{$_} } sort keys %files) {
        my $path = "$dir/src/$file";
        my $object = "$dir/objs/$file" =~ s/\.c\z/.o/r;

        make_path(dirname($path), dirname($object));
        spew($path, $files{$file});

        compile($path, $files{$file}, $object) if $file =~ /\.c\z/;
    }

    is_deeply([violations($dir, "$dir/objs", %FLOORS)], [sort @expected],
        $name);

    return;
}


# the same text once

sub compile {
    my ($path, $text, $object) = @_;

    if (my $made = $objects{$text}) {
        link $made, $object or die "$object: $!";
        return;
    }

    system('cc', '-c', '-w', '-o', $object, $path) == 0
        or die "$path does not compile";

    $objects{$text} = $object;

    return;
}


sub of_ours {
    my %floor = floors(slurp("$top/docs/architecture.md"));

    cmp_ok(scalar keys %floor, '>=', 15, 'floors of docs/architecture.md');

    my @objects = glob "$objects/*/*.o";

    cmp_ok(scalar @objects, '>', 50, 'objects')
        or return;

    my %known = map { chomp; $_ => 1 } grep { /\S/ } <DATA>;
    my %found = map { $_ => 1 } violations($top, $objects, %floor);

    my @new = grep { !$known{$_} } sort keys %found;
    my @gone = grep { !$found{$_} } sort keys %known;

    is(scalar @new, 0, 'nothing else than what is known to be wrong')
        or diag(map { "    $_\n" } @new);
    is(scalar @gone, 0, 'what has become right is taken from the list')
        or diag(map { "    $_\n" } @gone);

    return;
}


__DATA__
