package Segments::Clients;

# Clients that others have written, in the versions of t/clients: what npm has,
# in BUILD/clients, installed once, and Debian's.
#
#     my ($dir, $reason) = npm_packages();    its node_modules, or why not
#     my $python = python_with('requests');   a python that has it, or nothing
#     my @blocks = code_blocks($page, 'js');  [heading, code] of a page in docs/

use strict;
use warnings;

use Fcntl qw(:flock);
use File::Spec;
use File::Temp;

use Segments::Process;
use Segments::Util qw(find_program program_root slurp spew tempdir);

use parent 'Exporter';

our @EXPORT = qw(code_blocks npm_packages python_with);

my @FILES = qw(package.json package-lock.json);


sub npm_packages {
    my ($node, $npm) = map { my $name = $_; eval { find_program($name) } }
        qw(node npm);

    return (undef, 'node is not installed') if !$node;
    return (undef, 'npm is not installed') if !$npm;

    my $version = output($node, '--version');

    return (undef, "node is $version, 18 is needed")
        if ($version =~ /\Av([0-9]+)/)[0] < 18;

    my $dir = ($ENV{BUILD} // program_root() . '/build') . '/clients';
    my %wanted = map { $_ => slurp(program_root() . "/t/clients/$_") } @FILES;

    mkdir $dir;
    open my $lock, '>>', "$dir/lock" or die "$dir/lock: $!";
    flock $lock, LOCK_EX or die "$dir/lock: $!";

    # what is written last says that the rest is there

    if (slurp("$dir/installed") ne join '', @wanted{@FILES}) {
        unlink "$dir/installed";
        spew("$dir/$_", $wanted{$_}) for @FILES;

        my $said = output($npm, 'ci', '--prefix', $dir, qw(--ignore-scripts
            --no-audit --no-fund --no-update-notifier --fetch-retries=1));

        -d "$dir/node_modules/axios"
            or return (undef, 'npm could not install: ' . $said =~ tr/\n/ /r);

        spew("$dir/installed", join '', @wanted{@FILES});
    }

    return (File::Spec->rel2abs("$dir/node_modules"), undef);
}


# Debian's python is not always the first one

sub python_with {
    my ($module) = @_;

    for my $python (qw(/usr/bin/python3 python3)) {
        my $path = eval { find_program($python) } or next;
        return $path if output($path, '-c', "import $module; print('has')")
            =~ /^has$/m;
    }

    return;
}


sub output {
    my (@argv) = @_;

    my $output = File::Temp->new(DIR => tempdir());
    my $process = Segments::Process->spawn(name => $argv[0], argv => \@argv,
        output => "$output");

    $process->wait(120) or $process->stop;

    return slurp("$output") =~ s/\n\z//r;
}


# of a kind, or of all; the heading is the last one above the code

sub code_blocks {
    my ($page, $kind) = @_;

    my ($heading, @found);
    my $text = slurp(program_root() . "/docs/$page.md");

    while ($text =~ /^#+ ([^\n]+)$|^```(\w*)\n(.*?)^```$/msg) {
        if (defined $1) {
            $heading = $1;
        } elsif (!defined $kind || $2 eq $kind) {
            push @found, [$heading, $3, $2];
        }
    }

    return @found;
}


1;
