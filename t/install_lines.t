#!/usr/bin/perl

# The README's lines, word for word, from an empty folder to a replayed create:
# on a fresh Debian 12 and a fresh Debian 13, by the package and by the sources.
# Only the Secret Key and the addresses are others than there; systemctl is
# played, for a folder has no init system.
#
# On two idle cores it is to take three minutes.  What the cores are busy with
# here is not known, so that the bound is one of processor time, as if it were
# all done by one of them.
#
# run: once, all

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw(time);

use Segments::Debian;
use Segments::Test;
use Segments::Util qw(program_root);

my $KEY = 'test_sk_canary0123456789ABCDEF';
my $SECONDS = 150;

# restarts what it is told to, at other addresses than the configuration's

my $SYSTEMCTL = <<'SH';
#!/bin/sh
set -eu

[ "$1" = restart ]; shift

for service; do
    case $service in
        redis-server)
            [ ! -e /run/redis.pid ] || kill "$(cat /run/redis.pid)"
            redis-server --port REDIS --bind 127.0.0.1 --save '' --dir /tmp \
                --daemonize yes --pidfile /run/redis.pid > /dev/null
            ;;
        nginx)
            sed -i 's/api\.qonversion\.io:443/API/
                s/127\.0\.0\.1:6379/127.0.0.1:REDIS/
                s/127\.0\.0\.1:8080/127.0.0.1:PORT/
                s,/etc/ssl/certs/ca-certificates.crt,/root/upstream.crt,' \
                /etc/nginx/conf.d/gateway.conf
            rm -f /etc/nginx/sites-enabled/default
            nginx
            ;;
        *) exit 1 ;;
    esac
done
SH

my $page = slurp(program_root() . '/README.md');
my %lines = map {
    my ($text) = $page =~ /^### \Q$_\E\n.*?^```\n(.*?)^```\n/ms
        or die "no lines for $_ in the README";
    ($_ => $text);
} 'Debian package', 'Sources';

my ($calls) = $lines{'Debian package'} =~ /^(curl .*)/ms
    or die 'no calls in the README';

alarm 3000;

my $reason = Segments::Debian::impossible();
plan skip_all => $reason if $reason;

my @running;

for my $release (qw(bookworm trixie)) {
    my $upstream = upstream();
    my ($front, $crt) = tls_front($upstream, name => 'api.qonversion.io');

    for my $way ('Debian package', 'Sources') {
        my $debian = eval { fresh($release) };

        if (!$debian) {
            fail("$release: a fresh Debian") or diag($@);
            last;
        }

        install($debian, "$release, $way", $lines{$way}, $upstream, $front,
            $crt);
        inspected($debian, $release) if $way eq 'Debian package';
        ended($debian);
    }
}

done_testing();


END { ended($_) for @running }


# with the tree in an empty folder, and nobody to answer apt's questions

sub fresh {
    my ($release) = @_;

    my $debian = Segments::Debian->new($release);
    my ($code, $output) = $debian->sh($Segments::Debian::UPDATE);

    die "no mirror can be reached: $output" if $code;

    # what a mirror has, a newcomer asks for

    $debian->sh('rm -rf /var/lib/apt/lists/*');

    spew($debian->root . '/etc/apt/apt.conf.d/90yes',
        qq(APT::Get::Assume-Yes "true";\n));

    $debian->checkout;

    # nginx asks for the name; there may be nobody here who knows

    spew($debian->root . '/etc/hosts',
        "127.0.0.1 localhost api.qonversion.io\n");

    push @running, $debian;

    return $debian;
}


sub install {
    my ($debian, $name, $text, $upstream, $front, $crt) = @_;

    my ($redis, $port) = (free_port(), free_port());
    my $sent = $upstream->count;
    my $start = time;
    my $work = work();

    spew($debian->root . '/root/upstream.crt', slurp($crt));
    spew($debian->root . '/usr/bin/systemctl', $SYSTEMCTL
        =~ s/REDIS/$redis/gr =~ s/PORT/$port/gr
        =~ s/API/$front =~ s{https:\/\/}{}r/er);
    chmod 0755, $debian->root . '/usr/bin/systemctl';

    $text =~ s/^curl .*//ms;
    $text =~ s/'test_sk_\.\.\.'/'$KEY'/ or die "no key in: $text";

    my ($code, $output) = $debian->sh("cd /root/checkout\n$text", 900);

    is($code, 0, "$name: installed") or diag($output);
    return if $code;

    my $ask = $calls =~ s/127\.0\.0\.1:8080/127.0.0.1:$port/gr
        =~ s{^segments-record}{$& -r redis://127.0.0.1:$redis}mr;

    $ask =~ s{^segments-record}{tools/segments-record}m
        if $name =~ /Sources/;

    ($code, $output) = $debian->sh("cd /root/checkout\n$ask");

    is($code, 0, "$name: called") or diag($output);
    is_deeply([$output =~ /^(HTTP\S+ [0-9]+)/mg],
        ['HTTP/1.1 201', 'HTTP/1.1 201'], "$name: two answers")
        or diag($output);
    like($output, qr/^Idempotency-Status:\ recorded\r.*
        ^Idempotent-Replayed:\ true\r.*^state\ +answered/msx,
        "$name: recorded, replayed, shown");
    is($upstream->count - $sent, 1, "$name: sent once");
    is(($upstream->requests)[-1]->header('Authorization'), "Bearer $KEY",
        "$name: with the key");

    $work = work() - $work;
    cmp_ok($work, '<', $SECONDS, "$name: in less than three minutes");
    diag(sprintf '%s: from nothing to a replayed create in %.0f s,'
        . ' %.0f s of processor time', $name, time - $start, $work);

    return;
}


# processor time of what has ended

sub work {
    my (undef, undef, $user, $system) = times;

    return $user + $system;
}


# the package as Debian sees it

sub inspected {
    my ($debian, $release) = @_;

    my ($code, $output) = $debian->sh('cd /root/checkout
        sh debian/tests/replay', 120);

    is($code, 0, "$release: debian/tests") or diag($output);

    ($code, $output) = $debian->sh('apt-get install --no-install-recommends'
        . ' lintian', 600);

    is($code, 0, "$release: lintian") or diag($output);

    ($code, $output) = $debian->sh('lintian --pedantic --allow-root'
        . ' --tag-display-limit 0'
        . ' /root/checkout/build/deb/libnginx-mod-http-segments_*.deb', 300);

    is($output =~ s/^N: .*\n//mgr, '', "$release: it finds nothing");

    return;
}


sub ended {
    my ($debian) = @_;

    @running = grep { $_ != $debian } @running;

    for my $pid (qw(nginx.pid redis.pid)) {
        my $path = $debian->root . "/run/$pid";

        kill 'TERM', slurp($path) if -s $path;
    }

    return;
}
