#!/usr/bin/perl

# The container image: built from the Dockerfile on a Debian of the test's own,
# run once with what conf-examples has for it, and no secret in a layer.  It
# takes minutes, and the mirrors.
#
# run: once, long, all

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Segments::Debian;
use Segments::Process;
use Segments::Test;
use Segments::Util qw(find_program program_root);

my $IMAGE = 'localhost/segments-gateway';
my $KEY = 'sk_canary0123456789ABCDEF';
my $WWW_DATA = 33;

alarm 3600;

my $reason = Segments::Debian::impossible('buildah') // no_buildah();
plan skip_all => $reason if $reason;

my $upstream = upstream();
my $redis = redis_server();
my ($front, $crt) = tls_front($upstream, name => 'api.qonversion.io');
my ($port, $health_port) = (free_port(), free_port());

my $config = build();
my $mounts = tempdir() . '/mounts';

image();
mounted();
without_configuration();
runs();
nothing_left();

done_testing();


# where it cannot even make a container of the base, run something in it, or
# reach the mirrors from there

sub no_buildah {
    my ($base) = Segments::Debian::base();
    my ($code, $output) = buildah('from', '--name', 'base', 'scratch');

    ($code, $output) = buildah('copy', '-q', 'base', $base, '/') if !$code;
    ($code, $output) = buildah('run', 'base', '--', 'true') if !$code;
    return "buildah cannot work here: $output" if $code;

    ($code, $output) = buildah('run', 'base', '--', 'sh', '-c',
        $Segments::Debian::UPDATE);
    return "no mirror can be reached: $output" if $code;

    buildah('commit', '-q', '--rm', 'base', 'localhost/base');

    return;
}


sub buildah {
    my ($command, @words) = @_;

    return Segments::Debian::run(600, buildah_words($command, @words));
}


sub buildah_words {
    my ($command, @words) = @_;

    unshift @words, '--isolation', 'chroot'
        if grep { $_ eq $command } qw(run build);

    return (find_program('buildah'), '--root', tempdir() . '/images',
        '--runroot', tempdir() . '/run', '--storage-driver', 'vfs', $command,
        @words);
}


# of a checkout whose owner keeps secrets where compose.yaml wants them

sub build {
    my $context = tempdir() . '/checkout';

    mkdir $context or die "$context: $!";

    my ($code, $output) = Segments::Debian::run(60, 'sh', '-c',
        'tar -C "$1" --exclude=./build --exclude=./.git -cf - .'
        . ' | tar -C "$2" -xf -', 'sh', program_root(), $context);
    die $output if $code;

    mkdir "$context/conf-examples/secrets";
    spew("$context/conf-examples/secrets/qonversion", "$KEY\n");

    ($code, $output) = buildah('build', '--layers=false', '--pull-never',
        '--format', 'docker', '--build-arg', 'BASE=localhost/base', '-t',
        $IMAGE, $context);

    is($code, 0, 'built') or BAIL_OUT("no image: $output");

    ($code, $output) = buildah('inspect', '--type', 'image', $IMAGE);

    return JSON::PP->new->decode($output)->{Docker}{config};
}


sub image {
    is($config->{User}, '33:33', 'not root');
    ok($config->{Healthcheck}, 'has a health check');
    is($config->{StopSignal}, 'SIGQUIT', 'is stopped gracefully');
    is_deeply($config->{Cmd}, ['nginx', '-e', 'stderr', '-g', 'daemon off;'],
        'its command');

    my (undef, $found) = Segments::Debian::run(120, 'grep', '-rlaF', $KEY,
        tempdir() . '/images');
    is($found, '', 'no secret in a layer');

    buildah('from', '--pull-never', '--name', 'gateway', $IMAGE);

    my ($code, $output) = run_in('sh', '-c', 'id -u; command -v cc gcc make;'
        . ' ls /etc/nginx/secrets /run/secrets /source /gateway 2> /dev/null;'
        . ' touch /etc/nginx/x 2> /dev/null && echo writable;'
        . ' find / -xdev -perm -2 ! -type l ! -path "/tmp*" ! -path "/dev*"'
        . ' ! -path "/var/tmp*" ! -path "/proc/*" ! -path "/run/lock" -print'
        . ' 2> /dev/null;'
        . ' command -v segments-record');

    is($output, "$WWW_DATA\n/usr/bin/segments-record\n",
        'neither compiler, sources, secrets, nor files to write');

    return;
}


sub run_in {
    my (@words) = @_;

    return buildah('run', 'gateway', '--', @words);
}


sub mounted {
    my $conf = slurp(program_root() . '/conf-examples/container.conf');
    my $front_address = $front =~ s{https://}{}r;

    for my $pair (
        ['api.qonversion.io:443', $front_address],
        ['redis:6379', '127.0.0.1:' . $redis->port],
        ['127.0.0.1:8081', "127.0.0.1:$health_port"],
        ['listen  8080', "listen  127.0.0.1:$port"],
        ['/etc/ssl/certs/ca-certificates.crt', '/run/secrets/upstream.crt'],

        # a runtime gives this to the user of the container, buildah to root
        ['/dev/stdout', '/var/lib/nginx/access.log'],
    ) {
        my ($text, $by) = @$pair;
        $conf =~ s/\Q$text\E/$by/g or die "container.conf: no $text";
    }

    # as compose.yaml says, which is what docs/operations.md says

    my ($user) = slurp(program_root() . '/conf-examples/compose.yaml')
        =~ /^#         (user gateway .*?)     \(one line\)/ms
        or die 'compose.yaml: no user';

    $user =~ s/\n#\s+/ /g;

    my ($rights) = slurp(program_root() . '/docs/operations.md')
        =~ /^ACL SETUSER (gateway .*?)\n```$/ms or die 'no user';
    is_deeply([split ' ', $user], ['user', split ' ', $rights],
        'compose: the rights of the gateway');

    $user =~ s/^user (\w+) (.*)>password/$1 $2>canary-redis/;
    is($redis->cmd('ACL', 'SETUSER', split ' ', $user), 'OK', 'Redis user');

    mkdir $mounts or die "$mounts: $!";
    chmod 0755, tempdir(), $mounts;

    spew("$mounts/nginx.conf", $conf);
    spew("$mounts/qonversion", "$KEY\n");
    spew("$mounts/redis-password", "canary-redis\n");
    spew("$mounts/clients", "alice:{PLAIN}one\n");
    spew("$mounts/upstream.crt", slurp($crt));

    # as the page says: nobody but the container's user

    for my $file (qw(qonversion redis-password clients)) {
        chown $WWW_DATA, $WWW_DATA, "$mounts/$file";
        chmod 0400, "$mounts/$file";
    }

    return;
}


sub runs {
    my $log = tempdir() . '/gateway.log';

    my $container = Segments::Process->spawn(name => 'container',
        argv => [buildah_words('run', volumes(), 'gateway', '--',
            @{ $config->{Cmd} })], output => $log);

    my $up = eval { wait_for { $container->alive or die 'it ended';
        eval { Segments::HTTP->connect($port) } } 60, 'the gateway' };
    ok($up, 'runs') or diag(slurp($log));

    is(health($health_port), 0, 'healthy');
    isnt(health(free_port()), 0, 'not healthy where nobody listens');

    # base64 of "alice:one"
    my @create = ('POST', '/v4/segments', key => 'one',
        headers => [Authorization => 'Basic YWxpY2U6b25l'],
        body => {%Segments::Nginx::EXAMPLE});

    is(http($port, @create)->summary, '201 recorded', 'a create');
    is(http($port, @create)->summary, '201 replayed marked', 'its retry');
    is(($upstream->requests)[0]->header('Authorization'), "Bearer $KEY",
        'the Secret Key that was mounted');

    my $access = '';
    wait_for {
        $access = (run_in('cat', '/var/lib/nginx/access.log'))[1];
        $access =~ / replayed /;
    } 20, 'the access log';
    like($access, qr/ replayed .*record=segments:\{live:alice:one\}:create/,
        'the access log');
    unlike($access . slurp($log), qr/canary/, 'no secret in its logs');

    # to the process that the runtime would tell

    my ($pid) = (run_in('cat', '/run/nginx/nginx.pid'))[1] =~ /\A([0-9]+)\n/;

    kill 'QUIT', $pid;
    ok($container->wait(60), 'ends when told');

    return;
}


sub volumes {
    return map { ('-v', "$mounts/$_->[0]:$_->[1]:ro") }
        ['nginx.conf', '/etc/nginx/nginx.conf'],
        map { [$_, "/run/secrets/$_"] }
        qw(qonversion redis-password clients upstream.crt);
}


# exit status of the image's health check, as a runtime would call it

sub health {
    my ($at) = @_;

    my (undef, @words) = @{ $config->{Healthcheck}{Test} };

    return (buildah('run', '--env', "HEALTH_PORT=$at", 'gateway', '--',
        '/bin/sh', '-c', "@words"))[0];
}


sub without_configuration {
    my ($code, $output) = run_in(@{ $config->{Cmd} });

    isnt($code, 0, 'nothing mounted: does not run');
    like($output, qr{open\(\) "/etc/nginx/nginx.conf" failed},
        'and says what is missing');

    return;
}


sub nothing_left {
    buildah('rm', '--all');

    my $dir = tempdir();
    is_deeply([slurp('/proc/mounts') =~ /^\S+ (\Q$dir\E\S*)/mg], [],
        'no mount is left');

    return;
}
