#!/usr/bin/perl

# One place says the version, and whoever asks for it is told the same.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Metrics;
use Segments::Test;
use Segments::Util qw(program_root source);

my $top = program_root();
my ($version) = slurp(source('sg_version.h'))
    =~ /^#define SG_VERSION  "([0-9]+\.[0-9]+\.[0-9]+)"$/m;

ok(defined $version, 'the sources say it') or BAIL_OUT('no version');

# the module's file

my $module = Segments::Nginx::module_path();

like(`nm -D '$module'`, qr/ [RD] ngx_http_segments_version$/m,
    'a symbol of the module');
ok(index(slurp($module), "\0Segments gateway $version\0") > 0
    || slurp($module) =~ /Segments gateway \Q$version\E\0/,
    'which has it');

# a running one

my $nginx = nginx(http => 'segments_zone segments 1m;',
    server => 'location /metrics { segments_metrics; }'
        . ' location /plain { return 200 $segments_version; }');

is($nginx->request('GET', '/plain')->body, $version, '$segments_version');

my ($info) = grep { $_->[0] eq 'segments_build_info' }
    Segments::Metrics->of($nginx)->series;
my ($of_nginx) = `@{[ Segments::Util::find_program('nginx') ]} -v 2>&1`
    =~ m{nginx/([0-9.]+)};

is($info->[1]{version}, $version, 'metric');
like($info->[1]{nginx}, qr/^[0-9.]+$/, 'nginx');
is($info->[1]{nginx}, $of_nginx, 'the installed one')
    if !$ENV{TEST_NGINX_BINARY};
like($info->[1]{hiredis}, qr/^[0-9]+\.[0-9]+\.[0-9]+$/, 'hiredis');
like($info->[1]{jansson}, qr/^[0-9]+\.[0-9]+/, 'jansson');

# the operators' command, the package

is(`'$top/tools/segments-record' --version`, "segments-record $version\n",
    'segments-record --version');

my ($packaged) = slurp("$top/debian/changelog") =~ /\A\S+ \(([^)]+)-[^-)]+\)/;

is($packaged, $version, 'the package');

# nobody else says it

my @others = grep { slurp($_) =~ /(?<![0-9.])\Q$version\E(?![0-9.])/ }
    glob("$top/{src/*,src/*/*,tools,debian}/*.*"), "$top/config",
    "$top/Makefile", "$top/tools/segments-record";

is_deeply([map { s{\A\Q$top\E/}{}r } @others], ['src/contract/sg_version.h'],
    'one place');

done_testing();
