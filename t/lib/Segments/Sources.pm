package Segments::Sources;

# A copy of what a build needs, with what "make" has made of it in BUILD: only
# what is changed in the copy is compiled again, and fast.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);

use Segments::Util qw(program_root run slurp spew tempdir);

our @EXPORT_OK = qw(copy_sources);

my @SOURCES = qw(Makefile config config.make src tools);


# For the folder where it is to be built, in "build"; it may be made in another
# place first.

sub copy_sources {
    my ($dir, $place) = @_;

    my $root = abs_path(program_root());
    my $build = abs_path($ENV{BUILD} // "$root/build");

    $place //= $dir;
    -d $_ || mkdir $_ or die "$_: $!\n" for $place, "$place/build";
    copy($place, map { "$root/$_" } @SOURCES);

    return if !defined $build || !-e "$build/objs/Makefile";

    copy("$place/build", "$build/objs", "$build/inputs");

    # the optimizer takes most of the rest of a compiler's time

    my ($nginx) = slurp("$place/build/inputs") =~ /\A(\S+)/;
    my ($status, $said) = run("$root/tools/headers-once",
        "$place/build/objs/Makefile", $nginx, tempdir() . '/nginx.h',
        '-g0 -O0');

    $status == 0 or die "nginx's headers cannot be read: $said\n";

    # whatever names a place names the copy's, and is as old as before

    for my $file ("$place/build/inputs", "$place/build/objs/Makefile") {
        my @times = (stat $file)[8, 9];

        spew($file, slurp($file) =~ s{\Q$build\E(?=/)}{$dir/build}gr
            =~ s{\Q$root\E(?![\w.-])}{$dir}gr);
        utime @times, $file;
    }

    return;
}


sub copy {
    my ($to, @what) = @_;

    return system('cp', '-a', @what, $to) == 0 || die "cannot copy to $to\n";
}


1;
