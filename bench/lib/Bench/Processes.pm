package Bench::Processes;

# What a process has used, and where it runs.

use strict;
use warnings;

use Carp qw(croak);
use Exporter qw(import);
use POSIX qw(sysconf _SC_CLK_TCK);

use Segments::Util qw(slurp);

our @EXPORT_OK = qw(cpu_seconds resident run_apart run_with_others workers_of);

# as they were before any were taken away

my ($MEASURED, @OTHERS) = processors();


# user and system together: as utime + stime say, or finer where the kernel does

sub cpu_seconds {
    my ($pid) = @_;

    my ($ns) = split ' ', slurp("/proc/$pid/schedstat");
    return $ns / 1e9 if $ns;

    my @fields = split ' ', slurp("/proc/$pid/stat") =~ s/\A.*\) //sr;

    croak "no process $pid" if !@fields;

    return ($fields[11] + $fields[12]) / sysconf(_SC_CLK_TCK);
}


# bytes

sub resident {
    my ($pid) = @_;

    my ($kb) = slurp("/proc/$pid/status") =~ /^VmRSS:\s+([0-9]+) kB/m
        or croak "no process $pid";

    return 1024 * $kb;
}


# nginx' workers, as the children of the master

sub workers_of {
    my ($master) = @_;

    my @workers;

    for my $path (glob '/proc/[0-9]*/stat') {
        my ($pid, $parent) = slurp($path) =~ /\A([0-9]+) \(.*\) \S ([0-9]+)/s
            or next;

        push @workers, $pid if $parent == $master;
    }

    return @workers;
}


# What is measured has one processor to itself, and all else has the others: a
# worker that shares its own with what it serves pays for that differently from
# run to run.  Children run where their parent does.

sub run_apart { return run_on($_[0], $MEASURED) }

sub run_with_others { return run_on($_[0], @OTHERS) }


sub run_on {
    my ($pid, @processors) = @_;

    return if !@OTHERS;                 # there is but one

    my $list = join ',', @processors;

    system("taskset -acp $list $pid > /dev/null") == 0
        or croak "process $pid cannot run on $list";

    return;
}


sub processors {
    my ($list) = slurp('/proc/self/status') =~ /^Cpus_allowed_list:\s*(\S+)/m
        or croak 'it is not known which processors there are';

    return map { /(\d+)-(\d+)/ ? $1 .. $2 : $_ } split /,/, $list;
}


1;
