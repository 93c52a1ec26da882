package Bench::Page;

# What was measured, and on what, for docs/performance.md.

use strict;
use warnings;

use Exporter qw(import);
use Text::Wrap ();

use Segments::Util qw(find_program program_root slurp spew);

our @EXPORT_OK = qw(machine write_page wrap);


sub wrap {
    local $Text::Wrap::columns = 81;

    return Text::Wrap::wrap('', '', $_[0]) =~ s/\n*\z/\n/r;
}


sub machine {
    my ($cpu) = slurp('/proc/cpuinfo') =~ /^model name\s*: (.*)/m;
    my ($release) = slurp('/etc/os-release') =~ /^PRETTY_NAME="(.*)"/m;
    my $nginx = find_program($ENV{TEST_NGINX_BINARY} // 'nginx');
    my ($version) = `$nginx -v 2>&1` =~ m{nginx/(\S+)};
    my $cores = () = slurp('/proc/cpuinfo') =~ /^processor\s*:/mg;

    return sprintf '%s, nginx %s, %d cores (%s)', $release // 'unknown system',
        $version, $cores, $cpu // 'unknown';
}


# between two marks, of which the first names the program

sub write_page {
    my ($program, $numbers) = @_;

    my $path = program_root() . '/docs/performance.md';
    my $page = slurp($path);

    $page =~ s{(<!-- printed by \Q$program\E -->\n).*?(<!-- end -->)}
        {$1\n$numbers$2}s or die "$path has no place for the numbers\n";

    spew($path, $page);

    return;
}


1;
