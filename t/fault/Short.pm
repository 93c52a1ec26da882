package Short;

# A run of the fault harness within a test: that it ends, and in time, and that
# no promise was violated, are checks.

use strict;
use warnings;

use Exporter qw(import);

use Segments::Process;
use Segments::Test;
use Segments::Util qw(program_root);

our @EXPORT = qw(fault_run);


# the name in front of the checks, seconds that it may take, and the harness'
# options; what it has printed

sub fault_run {
    my ($name, $seconds, @options) = @_;

    my $output = tempdir() . "/fault-$name";
    my $run = Segments::Process->spawn(
        name   => "fault harness, $name",
        argv   => [$^X, program_root() . '/t/fault/run', '--seed', 1,
                   @options],
        output => $output,
    );

    ok($run->wait($seconds), "$name, end of the run");
    is($run->status, 0, "$name, exit code");

    my $text = slurp($output);

    like($text, qr/^violations:\n    none\n/m, "$name, no violation")
        or diag($text);

    return $text;
}


1;
