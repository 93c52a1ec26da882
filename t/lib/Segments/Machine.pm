package Segments::Machine;

# How late the machine is.  A test that says how long something takes at most
# says so of a gateway that gets the CPU when it needs it:
#
#     my $late = lateness();
#     ...
#     cmp_ok($took - (lateness() - $late), '<', 200, 'in time');
#
# A process of its own sleeps and works, a little of each, again and again.  The
# milliseconds that this takes longer than it has to are counted, from the first
# call of lateness() on: on an idle machine there are none.

use strict;
use warnings;

use Exporter qw(import);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID);

use Segments::Process;
use Segments::Util qw(slurp tempdir wait_for);

our @EXPORT_OK = qw(lateness);

# seconds
my $SLEEP = 0.004;
my $WORK = 0.0003;
my $NORMAL = 0.0005;                    # a timer is never quite on time

my $file;


# milliseconds; when it returns, what was late before it was called is in it

sub lateness {
    start() if !$file;

    my ($rounds) = state();

    # the one in which it was called, and the next
    wait_for { (state())[0] >= $rounds + 2 } 20, 'the machine';

    return (state())[1];
}


sub start {
    $file = tempdir() . '/lateness';

    Segments::Process->spawn(name => 'lateness', code => \&count);
    wait_for { state() } 20, 'the machine';

    return;
}


# rounds, and milliseconds

sub state {
    return slurp($file) =~ /\A([0-9]+) ([0-9.]+)\n/;
}


sub count {
    my ($rounds, $late) = (0, 0);

    open my $fh, '>', $file or die "$file: $!\n";

    while (1) {
        my $begin = clock_gettime(CLOCK_MONOTONIC);
        my $cpu = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);

        select undef, undef, undef, $SLEEP;
        1 while clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $cpu < $WORK;

        my $more = clock_gettime(CLOCK_MONOTONIC) - $begin - $SLEEP
            - (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $cpu);

        $late += 1000 * $more if $more > $NORMAL;
        $rounds++;

        sysseek $fh, 0, 0;
        syswrite $fh, sprintf "%012d %012.3f\n", $rounds, $late;
    }

    return;
}


1;
