#!/usr/bin/perl

# The README's lines for the container, word for word, from an empty folder to a
# replayed create: with the Docker of a fresh Debian 12 and of a fresh Debian
# 13.  Only the Secret Key and the API's address are others than there.  The
# images that a registry would have are made of Debian's packages.
#
# run: once, all

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw(time);

use Segments::Debian;
use Segments::Docker;
use Segments::Test;
use Segments::Util qw(program_root);

my $KEY = 'test_sk_canary0123456789ABCDEF';

my $page = slurp(program_root() . '/README.md');
my ($lines) = $page =~ /^### Container\n.*?^```\n(.*?)^```\n/ms
    or die 'no lines for the container in the README';
my ($client) = $page =~ /^### Container\n.*?`(curl -u [^`]+)`/ms
    or die 'no client of the container in the README';
my ($calls) = $page =~ /^### Debian package\n.*?^(curl .*?)^(?:```|segments-)/ms
    or die 'no calls in the README';

my ($show) = slurp(program_root() . '/docs/operations.md')
    =~ /^```\n(docker exec .*?)^```\n/ms
    or die 'no record in docs/operations.md';

alarm 3600;

my $reason = Segments::Debian::impossible('unshare', 'nsenter',
    'slirp4netns');
plan skip_all => $reason if $reason;

my $upstream = upstream();
my ($front, $crt) = tls_front($upstream, name => 'api.qonversion.io');
my ($port) = $front =~ /:([0-9]+)\z/;

my %image = (base => base(), redis => redis());
my $docker;

for my $release (qw(bookworm trixie)) {
    my $debian = with_docker($release) or next;

    install($debian, $release);
    ended();
}

done_testing();


END { ended() }


# debian:bookworm-slim, which also trusts the test's upstream

sub base {
    my $debian = Segments::Debian->new('bookworm');
    my $dir = $debian->root . '/usr/local/share/ca-certificates';

    mkdir $dir;
    spew("$dir/upstream.crt", slurp($crt));

    return $debian->root;
}


# redis:7-bookworm

sub redis {
    my $debian = Segments::Debian->new('bookworm');

    got($debian, 'redis-server');

    return $debian->root;
}


sub got {
    my ($debian, $packages) = @_;

    my ($code, $output) = $debian->sh("$Segments::Debian::UPDATE
        apt-get install -qy --no-install-recommends $packages", 600);

    die "no $packages: $output" if $code;

    return;
}


sub with_docker {
    my ($release) = @_;

    my $debian = eval {
        my $new = Segments::Debian->new($release);

        got($new, 'curl ca-certificates');
        got($new, Segments::Docker::packages($new));
        $new->checkout;
        $new;
    };

    if (!$debian) {
        fail("$release: a fresh Debian with Docker") or diag($@);
        return;
    }

    $docker = eval { Segments::Docker->start($debian) };

    if (!$docker) {
        my $why = $@ =~ s/\s+/ /gr;

        SKIP: { skip "$release: $why", 1 }
        return;
    }

    my @code = (
        $docker->image($image{base}, 'debian:bookworm-slim'),
        $docker->image($image{redis}, 'redis:7-bookworm', 'USER redis',
            'ENTRYPOINT ["redis-server", "--protected-mode", "no"]'),
    );

    is_deeply([@code[0, 2]], [0, 0], "$release: images") or diag("@code");

    return $debian;
}


sub install {
    my ($debian, $release) = @_;

    my $conf = $debian->root . '/root/checkout/conf-examples/container.conf';
    my $sent = $upstream->count;
    my $start = time;

    spew($conf, slurp($conf)
        =~ s/api\.qonversion\.io:443/$Segments::Docker::HOST:$port/r);

    my $text = $lines;
    $text =~ s/'test_sk_\.\.\.'/'$KEY'/ or die "no key in: $text";

    my ($code, $output) = $docker->sh("cd /root/checkout\n$text", 1800);

    is($code, 0, "$release: installed") or diag($output);
    return if $code;

    my $ask = $calls =~ s/^curl\b/$client/mgr;

    # a container is there before what is in it listens

    wait_for {
        ($code, $output) = $docker->sh("curl -s http://127.0.0.1:8080/");
        $code == 0;
    } 60, 'the gateway';

    ($code, $output) = $docker->sh($ask);

    my $log = ($docker->sh('docker logs gateway'))[1];

    is($code, 0, "$release: called") or diag($output);
    is_deeply([$output =~ /^(HTTP\S+ [0-9]+)/mg],
        ['HTTP/1.1 201', 'HTTP/1.1 201'], "$release: two answers")
        or diag($output, $log);
    like($output, qr/^Idempotency-Status:\ recorded\r.*
        ^Idempotent-Replayed:\ true\r/msx, "$release: recorded, replayed");
    is($upstream->count - $sent, 1, "$release: sent once");
    is(($upstream->requests)[-1]->header('Authorization'), "Bearer $KEY",
        "$release: with the key");
    like($log, qr/ alice .* replayed .*record=segments:/,
        "$release: the container's log");

    ($code, $output) = $docker->sh($show);
    like($output, qr/^state +answered: a retry gets the answer below\n/m,
        "$release: the record")
        or diag($output);

    diag(sprintf '%s: from nothing to a replayed create in %.0f s', $release,
        time - $start);

    return;
}


sub ended {
    $docker->stop if $docker;
    undef $docker;

    return;
}
