package Segments::Engines;

# The servers at hand that speak as Redis does, one of each minor version: what
# is installed, and what is in the Debians that tools/debian-root has made.
#
#     for my $engine (engines()) {
#         $engine->{name}                   "Valkey 8.1.1"
#         $engine->{suite}                  "trixie", "" where it is installed
#         $engine->use(sub { ... });        Segments::RedisServer, Cluster and
#                                           Sentinels start this one
#     }
#
# engine_of($program) is one more, by its path.  $ENGINE_UNDER in the
# environment is what such a program runs under: "valgrind --tool=...".

use strict;
use warnings;

use Exporter qw(import);

use Segments::Util qw(find_program program_root spew tempdir);

our @EXPORT_OK = qw(engine_of engines);

my @PROGRAMS = qw(redis-server valkey-server);
my @SUITES = qw(bookworm trixie sid);
my $count = 0;


sub engines {
    my @engines = map { engine_of(installed($_) // ()) } @PROGRAMS;
    my $debian = program_root() . '/' . ($ENV{BUILD} // 'build') . '/debian';

    $debian = "$ENV{BUILD}/debian" if ($ENV{BUILD} // '') =~ m{\A/};

    for my $suite (@SUITES) {
        push @engines, map { engine_of("/usr/bin/$_", $suite) }
            grep { -x "$debian/$suite/usr/bin/$_" } @PROGRAMS;
    }

    my %seen;

    return sort { $a->{name} cmp $b->{name} }
        grep { !$seen{ $_->{name} =~ s{\.\d+\z}{}r }++ } @engines;
}


sub installed { return eval { find_program($_[0]) } }


# a program of its own, which says what it is

sub engine_of {
    my ($program, $suite) = @_;

    return if !defined $program;

    my $path = tempdir() . '/engine' . ++$count;
    my $in = $suite ? program_root() . "/tools/of-debian $suite" : '';

    spew($path, "#!/bin/sh\nexec $in \$ENGINE_UNDER $program \"\$@\"\n");
    chmod 0755, $path;

    my ($server, $version) = `$path --version 2>&1`
        =~ /^(\w+).*? (?:v=|server )?(\d+\.\d+\.\d+)/m or return;

    return bless { name => "$server $version", suite => $suite // '',
        path => $path }, __PACKAGE__;
}


sub use {
    my ($self, $code) = @_;

    local $ENV{TEST_REDIS_SERVER} = $self->{path};

    return $code->();
}


1;
