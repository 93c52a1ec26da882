package Segments::Debian;

# A Debian of a test's own, in a folder: a copy of the one that
# tools/debian-base makes.  Nothing is ever mounted in it.

use strict;
use warnings;

use Segments::Process;
use Segments::Util qw(program_root slurp tempdir);

my $instances = 0;
my $commands = 0;


# the reason why there can be none here, or nothing

sub impossible {
    my (@programs) = @_;

    return 'this needs root' if $> != 0;

    for my $program (qw(debootstrap chroot), @programs) {
        return "$program is not installed" if !grep { -x "$_/$program" }
            qw(/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin);
    }

    my ($root, $complaint) = base();

    return $root ? undef : "debootstrap failed: $complaint";
}


# asks the mirrors, and fails where they cannot be reached
our $UPDATE = 'apt-get -q -o APT::Update::Error-Mode=any update';


# of this machine's release, or another

sub base {
    my ($release) = @_;

    my $tool = program_root() . '/tools/debian-base';
    my ($code, $output) = run(600, $tool, ($ENV{BUILD} // 'build')
        . '/debian-base' . ($release ? "-$release" : ''), $release // ());

    return $code == 0 ? $output =~ s/\n\z//r : (undef, $output);
}


sub new {
    my ($class, $release) = @_;

    my ($base, $complaint) = base($release);
    $base or die "debootstrap failed: $complaint";

    my $self = bless { root => tempdir() . '/debian' . ++$instances }, $class;

    my ($code, $output) = run(120, 'cp', '-a', $base, $self->{root});
    $code == 0 or die "cannot copy $base: $output";

    return $self;
}


sub root { return $_[0]{root} }


# the tree, without what git ignores, to /root/checkout

sub checkout {
    my ($self) = @_;

    my $dir = "$self->{root}/root/checkout";

    mkdir $dir or die "$dir: $!";

    my ($code, $output) = run(120, 'sh', '-c',
        'git -C "$1" ls-files -z --cached --others --exclude-standard'
        . ' | tar -C "$1" --null --files-from=- --ignore-failed-read -cf -'
        . ' | tar -C "$2" -xf -', 'sh', program_root(), $dir);
    die $output if $code;

    return;
}


# exit status and output of a shell command inside

sub sh {
    my ($self, $command, $seconds) = @_;

    return run($seconds // 300, $self->command("exec 2>&1\n$command"));
}


# the words that run it, for a process that stays

sub command {
    my ($self, $command) = @_;

    return ('chroot', $self->{root}, 'env', '-i',
        'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LC_ALL=C.UTF-8',
        'DEBIAN_FRONTEND=noninteractive', 'sh', '-ec', $command);
}


# exit status and output of a program outside

sub run {
    my ($seconds, @argv) = @_;

    my $output = tempdir() . '/command' . ++$commands;
    my $process = Segments::Process->spawn(name => $argv[0],
        argv => [Segments::Util::find_program($argv[0]), @argv[1 .. $#argv]],
        output => $output);

    $process->wait($seconds) or die "$argv[0] hangs: " . slurp($output);

    return ($process->status >> 8 || $process->status, slurp($output));
}


1;
