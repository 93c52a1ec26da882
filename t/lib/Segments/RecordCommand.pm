package Segments::RecordCommand;

# segments-record, as somebody at a shell runs it.
#
#     my ($code, $out, $err) = record({ input => "y\n" }, '--purge', ...);
#     my ($code, $shown) = record_on_terminal("y\n", ...);    all that it shows
#     record_on_terminal([sub {...}, "y\n"], ...)    before it is answered

use strict;
use warnings;

use POSIX ();

use Segments::Process;
use Segments::Util qw(program_root slurp spew tempdir wait_for);

use parent 'Exporter';

our @EXPORT_OK = qw(record record_on_terminal);

my $PROGRAM = program_root() . '/tools/segments-record';

my $runs = 0;


sub record {
    my (@words) = @_;

    my %with = ref $words[0] ? %{ shift @words } : ();

    my $base = tempdir() . '/record' . ++$runs;
    spew("$base.in", $with{input} // '');

    my $code = finished('/bin/sh', '-c',
        qq(exec "\$@" < $base.in > $base.out 2> $base.err), 'sh', $PROGRAM,
        @words);

    return ($code, slurp("$base.out"), slurp("$base.err"));
}


# "script" of util-linux makes the terminal

sub record_on_terminal {
    my ($input, @words) = @_;

    my $base = tempdir() . '/record' . ++$runs;
    my ($before, $line) = ref $input ? @$input : (undef, $input);

    spew("$base.sh", join ' ', 'exec', map { quoted($_) } $PROGRAM, @words);
    spew("$base.out", '');
    POSIX::mkfifo("$base.in", 0600) or die "$base.in: $!";

    my $process = started('/bin/sh', '-c', "exec script -q -e -c 'sh $base.sh'"
        . " /dev/null < $base.in > $base.out");

    open my $typed, '>', "$base.in" or die "$base.in: $!";

    if ($before) {
        wait_for { slurp("$base.out") =~ /\[y\/N\]/ } 60, 'the question';
        $before->();
    }

    print $typed $line;
    close $typed or die "$base.in: $!";

    my $code = ended($process);

    return ($code, slurp("$base.out") =~ s/\r\n/\n/gr);
}


sub quoted { return "'" . ($_[0] =~ s/'/'\\''/gr) . "'" }


sub finished { return ended(started(@_)) }


sub started {
    my (@argv) = @_;

    return Segments::Process->spawn(name => 'segments-record', argv => \@argv);
}


sub ended {
    my ($process) = @_;

    $process->wait(60) or die 'segments-record hangs';

    return $process->status >> 8;
}


1;
