#!/usr/bin/perl

# What conf-examples has for the host, read by who will read it there: systemd,
# logrotate and AppArmor's parser of a fresh Debian 12 and 13, which need no
# kernel and no init system for it.  Each is first shown a real fault.
#
# run: once, all

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Debian;
use Segments::Test;
use Segments::Util qw(program_root);

my $examples = program_root() . '/conf-examples';

# file, what reads it, a fault of it

my @READERS = (
    ['nginx.systemd', <<'SH', qr/^NoNewPrivileges=/m, 'NoNewPrivilege='],
dir=/root/units
mkdir -p $dir/nginx.service.d
cp /lib/systemd/system/nginx.service $dir
cp /root/example $dir/nginx.service.d/segments-gateway.conf
said=$(SYSTEMD_UNIT_PATH=$dir: systemd-analyze verify --man=no \
    $dir/nginx.service 2>&1)
echo "$said"
[ -z "$said" ]
SH
    ['nginx.logrotate', <<'SH', qr/^ +daily$/m, '    dayly'],
said=$(logrotate -d -s /root/state /root/example 2>&1)
echo "$said"
! echo "$said" | grep -E '^error|example:[0-9]'
SH
    ['nginx.apparmor', <<'SH', qr/ rwk?,$/m, ' rwz,'],
apparmor_parser -Q -K /root/example
SH
);

alarm 3000;

my $reason = Segments::Debian::impossible();
plan skip_all => $reason if $reason;

for my $release (qw(bookworm trixie)) {
    my $debian = Segments::Debian->new($release);
    my ($code, $output) = $debian->sh("$Segments::Debian::UPDATE
        apt-get install -qy --no-install-recommends systemd logrotate \\
            apparmor nginx", 900);

    is($code, 0, "$release: who reads") or diag($output);
    next if $code;

    for my $row (@READERS) {
        my ($file, $reader, $right, $wrong) = @$row;
        my $text = slurp("$examples/$file");
        my $faulty = $text =~ s/$right/$wrong/r;

        isnt($faulty, $text, "$file has a fault");
        isnt((read_by($debian, $reader, $faulty))[0], 0,
            "$release, $file: a fault is found");

        ($code, $output) = read_by($debian, $reader, $text);
        is($code, 0, "$release, $file") or diag($output);
    }
}

done_testing();


sub read_by {
    my ($debian, $reader, $text) = @_;

    # logrotate reads no file that others may write

    chmod 0644, spew($debian->root . '/root/example', $text);

    return $debian->sh($reader);
}
