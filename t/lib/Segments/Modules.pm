package Segments::Modules;

# Other modules of the installed nginx, beside ours.
#
#     my $line = load_module('ngx_http_js_module');   # '' where it is missing
#     nginx(first => $line, ...);     loaded before ours
#     nginx(main => $line, ...);      loaded after it

use strict;
use warnings;

use Segments::Util qw(find_program);

use parent 'Exporter';

our @EXPORT_OK = qw(load_module modules_path);

my %NEEDS = (ngx_http_lua_module => ['ndk_http_module']);


sub load_module {
    my ($name) = @_;

    my @files = map { modules_path() . "/$_.so" } @{ $NEEDS{$name} // [] },
        $name;

    return '' if grep { !-e } @files;
    return join '', map { "load_module $_;\n" } @files;
}


# of the packaged nginx, whichever one the test runs

sub modules_path {
    my $version = qx{@{[ find_program('nginx') ]} -V 2>&1};

    return $version =~ /--modules-path=(\S+)/ ? $1 : '/usr/lib/nginx/modules';
}


1;
