package Catch;

# Whether a run finds a mistake: builds a copy of the sources with it, and runs
# until something is violated.

use strict;
use warnings;

use Time::HiRes qw(time);

use Mistakes;
use Segments::Process;
use Segments::Sources qw(copy_sources);
use Segments::Util qw(program_root slurp tempdir);

my $SEED = 1;


# Calls back with each as it is done: name, what was found, whether it is what
# had to be, seconds, the run's output.  Two at a time, each in a copy of the
# sources with what "make" has made of them: only what is changed is compiled.
# What is not found is looked for once more, with fewer requests at a time.

sub all {
    my ($code, $wanted) = @_;

    my @left = grep { $_->[0] =~ ($wanted // qr//) } Mistakes::all();
    my @idle = map { tempdir() . "/mistakes$_" } 1, 2;
    my (@running, %again);

    copy_sources($_, "$_.made") for @idle;

    while (@left || @running) {
        while (@left && @idle) {
            push @running, start(shift @left, shift @idle);
        }

        my ($done) = grep { !$_->{process}->alive } @running;

        if (!$done) {
            select undef, undef, undef, 0.02;
            next;
        }

        my $result = result($done);

        @running = grep { $_ != $done } @running;
        push @idle, $done->{dir};

        # what is late is excused, and on a busy machine all of it may be

        if ($result->{caught} || $again{ $result->{name} }++) {
            $code->($result);
        } else {
            push @left, with_less($done->{mistake});
        }
    }

    return;
}


sub start {
    my ($mistake, $dir) = @_;

    system('rm', '-rf', $dir) == 0 && system('cp', '-a', "$dir.made", $dir) == 0
        or die "cannot make $dir\n";
    Mistakes::make($mistake, $dir);

    my $process = Segments::Process->spawn(
        name   => $mistake->[0],
        code   => sub { build_and_run($dir, @$mistake[4, 5]) },
        output => "$dir/output",
    );

    return { mistake => $mistake, dir => $dir, process => $process,
             started => time };
}


sub with_less {
    my ($mistake) = @_;

    my @words = @$mistake;

    $words[5] .= ' --concurrency 16';

    return \@words;
}


sub build_and_run {
    my ($dir, $expected, $options) = @_;

    system('make', '-s', '-C', $dir, "BUILD=$dir/build") == 0
        or die "it cannot be built\n";

    $ENV{TEST_NGINX_MODULE} = "$dir/build/ngx_http_segments_module.so";

    my $run = program_root() . '/t/fault/run';

    exec $^X, $run, '--seed', $SEED, '--requests', 40_000, '--seconds', 120,
        '--stop', $expected, split / /, $options
        or die "cannot run $run: $!\n";
}


sub result {
    my ($done) = @_;

    my $output = slurp("$done->{dir}/output");
    my ($name, $expected) = @{ $done->{mistake} }[0, 4];
    my ($violations) = $output =~ /^violations:\n((?: .*\n)*)/m;
    my @found = ($violations // '') =~ /^ +(\S.*?) +[0-9]+$/mg;

    return {
        name     => $name,
        expected => $expected,
        found    => join(', ', @found) || 'nothing',
        caught   => scalar(grep { /\A(?:$expected)\z/ } @found),
        seconds  => time - $done->{started},
        output   => $output,
    };
}


1;
