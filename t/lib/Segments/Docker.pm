package Segments::Docker;

# Docker as Debian has it, in a Debian of a test's own (Segments::Debian).  The
# daemon has namespaces of its own: its mounts, its bridges and its rules for
# packets end with it, and nothing of this machine's is touched.  The outside is
# reached through slirp4netns, and this machine's loopback at $HOST.

use strict;
use warnings;

use Segments::Process;
use Segments::Test;
use Segments::Util qw(find_program slurp tempdir);

our $HOST = '10.0.2.2';

my $RESOLVER = '10.0.2.3';
my $CGROUPS = '/sys/fs/cgroup';

my $instances = 0;

# In the new namespaces: the folder becomes the root, which a container's
# pivot_root() asks for.

my $ENTER = <<'SH';
root=$1 parent=$2

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"

cd "$root"
mkdir -p old
pivot_root . old
umount -l /old

until ip link show tap0 > /dev/null 2>&1; do sleep 0.1; done

exec dockerd -H unix:///run/docker.sock --pidfile /run/test-docker.pid \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "$parent"
SH


# the words of the packages that it takes

sub packages {
    my ($debian) = @_;

    my ($none) = $debian->sh('apt-cache show docker-cli');

    return 'docker.io iproute2' . ($none ? '' : ' docker-cli');
}


# in a Debian that has the packages; dies with the reason where it cannot work

sub start {
    my ($class, $debian) = @_;

    my $self = bless { debian => $debian,
        parent => "segments-$$-" . ++$instances,
        log => tempdir() . "/dockerd$instances.log" }, $class;

    $self->{daemon} = Segments::Process->spawn(name => 'dockerd',
        argv => [find_program('unshare'), qw(--mount --net --pid --fork
            --kill-child), 'sh', '-ec', $ENTER, 'sh', $debian->root,
            "/$self->{parent}"], output => $self->{log});

    my $pid = $self->{daemon}->pid;

    wait_for {
        $self->{daemon}->alive or die 'no namespaces: ' . slurp($self->{log});
        ($self->{init}) = slurp("/proc/$pid/task/$pid/children")
            =~ /^([0-9]+)/;
    } 20, 'namespaces';

    # what does not exist yet in the root that it leaves

    wait_for { readlink("/proc/$self->{init}/ns/net")
        ne readlink('/proc/self/ns/net') } 20, 'a network';

    $self->{network} = Segments::Process->spawn(name => 'slirp4netns',
        argv => [find_program('slirp4netns'), qw(--configure --mtu=65520),
            $self->{init}, 'tap0'], output => "$self->{log}.network");

    eval {
        wait_for {
            $self->{daemon}->alive or die 'it ended';
            ($self->sh('docker version'))[0] == 0;
        } 60, 'the daemon';
        1;
    } or die "Docker cannot work here: $@" . slurp($self->{log});

    $self->sh("echo nameserver $RESOLVER > /etc/resolv.conf");

    return $self;
}


# exit status and output of a shell command beside the daemon

sub sh {
    my ($self, $command, $seconds) = @_;

    return Segments::Debian::run($seconds // 300, 'nsenter', '-t',
        $self->{init}, qw(-m -n -p -r -w), 'env', '-i',
        'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LC_ALL=C.UTF-8',
        'sh', '-ec', "exec 2>&1\n$command");
}


# An image of what is in a folder, in place of one that a registry would have:
# there may be none within reach.  Changes are lines of a Dockerfile.

sub image {
    my ($self, $root, $name, @changes) = @_;

    return Segments::Debian::run(300, 'sh', '-c',
        'root=$1 init=$2; shift 2; tar -C "$root" -cf - . | nsenter -t "$init"'
        . ' -m -n -p -r -w docker import "$@"', 'sh', $root, $self->{init},
        map({ ('-c', $_) } @changes), '-', $name);
}


sub stop {
    my ($self) = @_;

    return if !$self->{daemon};

    # unshare waits for its child, whatever it is told

    kill 'KILL', $self->{init} if $self->{init};
    $_->stop('KILL') for grep { $_ } @$self{qw(network daemon)};

    delete $self->{daemon};

    # what it made for its containers

    rmdir for map { reverse sort glob "$_/* $_" }
        glob "$CGROUPS/$self->{parent} $CGROUPS/*/$self->{parent}";

    return;
}


1;
