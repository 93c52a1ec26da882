package Bench::Servers;

# nginx with a file of bench/conf, for as long as this process lives.
#
# In the file stand %%DIR%%, %%PORT%%, %%MAIN%% and %%COMMON%% for what
# main.conf and common.conf say, %%SEGMENT%% and %%ENVELOPE%% for the answers,
# and whatever the caller names.

use strict;
use warnings;

use Carp qw(croak);
use Exporter qw(import);

use Bench::Messages qw(answer envelope);
use Segments::Process;
use Segments::Util qw(find_program free_port program_root slurp spew tempdir
    wait_for);

our @EXPORT_OK = qw(start_nginx bench_root module_path);

my $instances = 0;


sub bench_root { return program_root() . '/bench' }


sub module_path {
    return File::Spec->rel2abs($ENV{TEST_NGINX_MODULE}
        // program_root() . '/' . ($ENV{BUILD} // 'build')
           . '/ngx_http_segments_module.so');
}


# the name of a file in conf, and what stands for the words in it; under => the
# words of a program that runs nginx.  Returns { dir, port, process }.

sub start_nginx {
    my ($name, %args) = @_;

    my $dir = tempdir() . "/$name" . ++$instances;

    mkdir $dir or croak "$dir: $!";
    chmod 0755, $dir, tempdir();

    my $under = delete $args{under} // [];

    my %values = (
        DIR      => $dir,
        PORT     => free_port(),
        BENCH    => bench_root(),
        MODULE   => module_path(),
        SEGMENT  => answer(),
        ENVELOPE => envelope(),
        MAIN     => text('main'),
        COMMON   => text('common') =~ s/\n(?=.)/\n    /gr,
        API      => text('api') =~ s/\n(?=.)/\n    /gr,
        %args,
    );

    $values{MAIN} .= "user root;\n" if $> == 0;

    my $conf = text($name);

    1 while $conf =~ s/%%([A-Z_0-9]+)%%/$values{$1}
        \/\/ croak "$name.conf: nobody knows $1"/ge;

    spew("$dir/nginx.conf", $conf);
    spew("$dir/secret", "sk_0123456789abcdefghijklmnopqrstuvwxyz\n");
    spew("$dir/seal", '5a' x 32 . "\n");

    my $process = Segments::Process->spawn(
        name   => $name,
        argv   => [@$under, find_program($ENV{TEST_NGINX_BINARY} // 'nginx'),
            '-p', "$dir/", '-e', "$dir/error.log", '-c', "$dir/nginx.conf"],
        output => "$dir/output",
    );

    wait_for {
        $process->alive or croak "$name did not start: "
            . slurp("$dir/output") . slurp("$dir/error.log");
        -s "$dir/nginx.pid" && listens($values{PORT});
    } 60, "$name to start";

    return { dir => $dir, port => $values{PORT}, process => $process };
}


sub text {
    my ($name) = @_;

    my $path = bench_root() . "/conf/$name.conf";

    return slurp($path) || croak "$path cannot be read";
}


sub listens {
    my ($port) = @_;

    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port,
        Proto => 'tcp');
}


1;
