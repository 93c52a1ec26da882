package Bench::Processes;

# What a process has used.

use strict;
use warnings;

use Carp qw(croak);
use Exporter qw(import);
use POSIX qw(sysconf _SC_CLK_TCK);

use Segments::Util qw(slurp);

our @EXPORT_OK = qw(cpu_seconds resident workers_of);


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


1;
