#!/usr/bin/perl

# The Debian package: what is in it, and, where time does not matter, its life
# in a fresh Debian.
#
# run: once, long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw(time);

use Segments::Debian;
use Segments::Process;
use Segments::Test;
use Segments::Util qw(exhaustive program_root);

my $NAME = 'libnginx-mod-http-segments';
my $LINK = '/etc/nginx/modules-enabled/90-mod-http-segments.conf';
my $MODULE = '/usr/lib/nginx/modules/ngx_http_segments_module.so';
my $KEY = 'test_sk_canary0123456789ABCDEF';

alarm 3600;

my $debian;
my $reason = reason();
plan skip_all => $reason if $reason;

my $package = build();

content();
life() if exhaustive();

done_testing();


sub reason {
    my @missing = grep { !-x "/usr/bin/$_" } qw(dpkg-buildpackage dh_nginx);

    return "$missing[0] is not installed" if @missing;
    return if !exhaustive();

    my $reason = Segments::Debian::impossible();
    return $reason if $reason;

    $debian = Segments::Debian->new;

    my ($unreachable, $complaint) = $debian->sh($Segments::Debian::UPDATE);

    return $unreachable ? "no mirror can be reached: $complaint" : undef;
}


sub life {
    copy_in($package);
    newcomer();
    upgraded();
    beside();
    removed();
    purged();

    return;
}


sub build {
    # most of the time goes into the optimizer, and into headers

    local $ENV{DEB_BUILD_OPTIONS} = 'noopt parallel=2' if !exhaustive();
    local $ENV{CC} = exhaustive() ? 'cc' : hasty_compiler();

    my ($code, $output) = Segments::Debian::run(600,
        program_root() . '/tools/deb', tempdir() . '/deb');

    is($code, 0, 'built') or BAIL_OUT("no package: $output");

    return $output =~ s/.*\n(?=.*\n\z)|\n\z//gsr;
}


# for what the module is made of, it reads those of nginx once

sub hasty_compiler {
    my $dir = tempdir() . '/hasty';

    mkdir $dir or die "$dir: $!";
    spew("$dir/nginx.h", join '', map { "#include <ngx_$_.h>\n" }
        qw(config core http event));
    spew("$dir/cc", <<"CC");
#!/bin/sh
case "\$*" in
    *' -o '*/objs/addon/*) ;;
    *) exec cc "\$@" ;;
esac

flags=

for word; do
    case \$word in
        -c | -o | *.c | *.o) ;;
        *) flags="\$flags \$word" ;;
    esac
done

(
    flock 9
    [ -e $dir/nginx.h.gch ] \\
        || cc \$flags -x c-header -o $dir/nginx.h.gch $dir/nginx.h
) 9> $dir/lock

exec cc -include $dir/nginx.h "\$@"
CC
    chmod 0755, "$dir/cc";

    return "$dir/cc";
}


# into the folder's /root

sub copy_in {
    my ($file) = @_;

    my ($name) = $file =~ m{([^/]+)\z};

    return spew($debian->root . "/root/$name", slurp($file));
}


sub content {
    my $unpacked = tempdir() . '/unpacked';

    Segments::Debian::run(60, 'dpkg-deb', '-R', $package, $unpacked);

    my $control = slurp("$unpacked/DEBIAN/control");
    my $abi = slurp('/usr/share/nginx/src/debian/libnginx-mod.abisubstvars')
        =~ /^nginx:abi=(\S+)$/m ? $1 : '?';

    like($control, qr/^Depends:.* \Q$abi\E,/m, 'depends on the nginx ABI');
    like($control, qr/^Depends:.* libjansson4 .* libssl3(?:t64)? /m,
        'on libraries');
    unlike($control, qr/^Depends:.*hiredis/m, 'on no hiredis: it has its own');

    my @files = files_below($unpacked);

    for my $file ($MODULE, '/usr/bin/segments-record',
        '/usr/share/man/man1/segments-record.1.gz',
        map({ "/usr/share/doc/$NAME/$_" } qw(README.md.gz changelog.gz
            changelog.Debian.gz copyright docs/directives.md.gz
            examples/minimal.conf examples/gateway.conf
            examples/nginx.systemd)),
        '/usr/share/nginx/modules-available/mod-http-segments.conf')
    {
        ok(scalar(grep { $_ eq $file } @files), "has $file");
    }

    is(scalar(grep { m{^/etc/|\.(?:c|h|lua|t|pm)\z} } @files), 0,
        'no source, and nothing of its own in /etc');

    my $root = program_root();
    my %content = map { $_ => slurp("$unpacked$_") } @files;

    is_deeply([grep { $content{$_} =~ /\Q$root\E|\Q@{[tempdir()]}\E/ }
        sort keys %content], [], 'no path of the machine that built it');
    is_deeply([grep { $content{$_} =~ /canary|sk_[a-z_]*0123456789/ }
        sort keys %content], [], 'no key of the tests');

    return;
}


sub files_below {
    my ($dir, $path) = @_;

    $path //= '';

    return map { -d && !-l ? files_below($dir, substr $_, length $dir)
        : substr $_, length $dir } glob "$dir$path/*";
}


# the README's way from the package to a replayed create, word for word but for
# the addresses, and for the init system that a folder does not have

sub newcomer {
    my ($words) = slurp(program_root() . '/README.md')
        =~ /^### Debian package\n.*?^```\n(apt-get .*?)^```\n/ms
        or die 'no such commands in the README';
    my ($install, $ask) = split / && systemctl restart redis-server nginx\n/,
        $words, 2;

    # built already, and outside

    $install =~ s/\A.* make deb\n//;
    $install =~ s{\./build/deb/}{./};

    my $upstream = upstream();
    my ($front, $crt) = tls_front($upstream, name => 'api.qonversion.io');
    my ($redis_port, $port) = (free_port(), free_port());
    my $start = time;

    $install =~ s/'test_sk_\.\.\.'/'$KEY'/ or die 'no key in the README';
    $install =~ s/^apt-get install/cd \/root\napt-get update\n$& -y/m;

    # nginx asks for the name; there may be nobody here who knows

    spew($debian->root . '/etc/hosts',
        "127.0.0.1 localhost api.qonversion.io\n");

    my ($code, $output) = $debian->sh($install);

    is($code, 0, 'installed and configured') or diag($output);

    is(readlink $debian->root . $LINK,
        '/usr/share/nginx/modules-available/mod-http-segments.conf',
        'enabled by itself');

    # the addresses

    my $conf = $debian->root . '/etc/nginx/conf.d/gateway.conf';

    spew($debian->root . '/usr/local/share/upstream.crt', slurp($crt));
    spew($conf, slurp($conf)
        =~ s/api\.qonversion\.io:443/$front =~ s{https:\/\/}{}r/er
        =~ s/127\.0\.0\.1:6379/127.0.0.1:$redis_port/r
        =~ s/127\.0\.0\.1:8080/127.0.0.1:$port/r
        =~ s{/etc/ssl/certs/ca-certificates.crt}
            {/usr/local/share/upstream.crt}r);
    unlink $debian->root . '/etc/nginx/sites-enabled/default';

    my $redis = background('redis', "exec redis-server --port $redis_port"
        . " --bind 127.0.0.1 --save '' --dir /tmp");
    my $nginx = background('nginx', "exec nginx -g 'daemon off;'");

    wait_for { Segments::HTTP->connect($port) } 20, 'the gateway';

    $ask =~ s/127\.0\.0\.1:8080/127.0.0.1:$port/g;
    $ask =~ s{^segments-record}{$& -r redis://127.0.0.1:$redis_port}m;
    ($code, $output) = $debian->sh($ask);

    my $seconds = time - $start;
    my @answers = $output =~ /^(HTTP\S+ [0-9]+)/mg;

    is($code, 0, 'asked') or diag($output);
    is(($debian->sh('segments-record --version'))[1],
        'segments-record ' . version_of_sources() . "\n", 'its version');
    is_deeply(\@answers, ['HTTP/1.1 201', 'HTTP/1.1 201'], 'two answers')
        or diag($output);
    like($output, qr/^Idempotency-Status:\ recorded\r.*
        ^Idempotent-Replayed:\ true\r.*^state\ +answered/msx,
        'created, replayed, shown');
    is($upstream->count, 1, 'sent once');
    is(($upstream->requests)[0]->header('Authorization'), "Bearer $KEY",
        'with the key');
    cmp_ok($seconds, '<', 180, 'in less than three minutes');
    note(sprintf 'from apt-get to a replay: %.1f s', $seconds);

    $_->stop('TERM') for $nginx, $redis;

    my ($found, $where) = $debian->sh(
        'grep -rl canary /etc /var/log /var/lib/nginx /tmp || true');
    is($where, "/etc/nginx/secrets/qonversion\n",
        'the key is in its file only');

    unlink $conf;

    return;
}


sub version_of_sources {
    return slurp(program_root() . '/src/contract/sg_version.h')
        =~ /^#define SG_VERSION  "(.*)"$/m ? $1 : '?';
}


sub background {
    my ($name, $command) = @_;

    my @argv = $debian->command($command);

    return Segments::Process->spawn(name => $name,
        argv => [Segments::Util::find_program(shift @argv), @argv],
        output => tempdir() . "/$name.output");
}


# The next version: the same with another number.

sub upgraded {
    my $next = tempdir() . '/next';

    Segments::Debian::run(60, 'dpkg-deb', '-R', $package, $next);

    my $control = slurp("$next/DEBIAN/control");
    my ($version) = $control =~ /^Version: (.*)$/m;
    my $early = $LINK =~ s{/\K90-}{50-}r;

    spew("$next/DEBIAN/control",
        $control =~ s/^Version: .*$/Version: $version+next/mr);

    Segments::Debian::run(60, 'dpkg-deb', '--root-owner-group', '-b', $next,
        $debian->root . '/root/next.deb');

    # the place where packages once were enabled

    rename $debian->root . $LINK, $debian->root . $early
        or die "$early: $!";

    installed('next.deb', 'upgraded');
    is(version(), "$version+next", 'the next version');
    ok(-l $debian->root . $LINK, 'still enabled');
    ok(!-l $debian->root . $early, 'and once only');
    tried('upgraded');

    # who has disabled it, has it disabled after an upgrade, too

    unlink $debian->root . $LINK;
    installed($package =~ s{.*/}{}r, 'downgraded', '--allow-downgrades');
    is(version(), $version, 'the version before');
    ok(!-l $debian->root . $LINK, 'what the administrator disabled stays so');

    symlink '/usr/share/nginx/modules-available/mod-http-segments.conf',
        $debian->root . $LINK;
    tried('downgraded');

    return;
}


# loaded behind the filters of Debian's other modules

sub beside {
    my @others = map { "libnginx-mod-$_" } qw(http-subs-filter http-lua http-js
        http-headers-more-filter http-echo nchan);
    my ($code, $output) = $debian->sh("apt-get install -y @others");

    is($code, 0, 'other modules') or diag($output);

    ($code, $output) = $debian->sh('cp /usr/share/doc/' . $NAME
        . '/examples/gateway.conf /etc/nginx/conf.d/
        nginx -t 2>&1; rm /etc/nginx/conf.d/gateway.conf');

    like($output, qr/test is successful/, 'beside them: accepted');
    unlike($output, qr/is loaded behind/, 'none of them is behind');

    ($code, $output) = $debian->sh("apt-get purge -y @others");
    is($code, 0, 'without them') or diag($output);

    return;
}


sub removed {
    my ($code, $output) = $debian->sh("apt-get remove -y $NAME");

    is($code, 0, 'removed') or diag($output);
    ok(!-e $debian->root . $MODULE, 'removed: no module');
    ok(!-l $debian->root . $LINK, 'removed: not enabled');
    is(($debian->sh('nginx -t'))[0], 0, 'removed: nginx works');

    installed($package =~ s{.*/}{}r, 'installed again');
    ok(-l $debian->root . $LINK, 'installed again: enabled');
    tried('installed again');

    return;
}


sub purged {
    my ($code, $output) = $debian->sh("apt-get purge -y $NAME");

    is($code, 0, 'purged') or diag($output);
    is(($debian->sh('nginx -t'))[0], 0, 'purged: nginx works');

    ($code, $output) = $debian->sh('find / -xdev -name "*segments*"'
        . ' ! -path "/root/*" ! -path "/proc/*"');
    is($output, '', 'purged: nothing is left');
    is(slurp('/proc/mounts') =~ /\Q@{[ $debian->root ]}\E/ ? 1 : 0, 0,
        'nothing was mounted');

    return;
}


sub installed {
    my ($file, $name, @options) = @_;

    my ($code, $output) = $debian->sh(
        "apt-get install -y @options /root/$file");

    return is($code, 0, $name) || diag($output);
}


sub version {
    return ($debian->sh("dpkg-query -W -f '\${Version}' $NAME"))[1];
}


# the directives are known

sub tried {
    my ($name) = @_;

    my ($code, $output) = $debian->sh('cp /usr/share/doc/' . $NAME
        . '/examples/gateway.conf /etc/nginx/conf.d/
        nginx -t; rm /etc/nginx/conf.d/gateway.conf');

    return is($code, 0, "$name: nginx takes its directives") || diag($output);
}
