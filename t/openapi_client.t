#!/usr/bin/perl

# A client that a generator makes of docs/openapi.yaml, as docs/clients.md shows
# it: its types are right, refuse what the gateway would refuse, and each
# operation works.
#
# run: once, all

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Clients;
use Segments::Process;
use Segments::Test;
use Segments::Util qw(find_program program_root);

my ($packages, $reason) = npm_packages();

plan(skip_all => $reason) if !$packages;

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT, segments_operations => 'all' });

my $top = program_root();
my $dir = tempdir();
my $url = 'http://127.0.0.1:' . $nginx->port;
my ($snippet) = map { $_->[1] } code_blocks('clients', 'ts');

$snippet =~ s{https://gateway\.example\.com}{$url} or die 'no URL';

symlink $packages, "$dir/node_modules" or die "node_modules: $!";
spew("$dir/package.json", '{"type":"module"}');
spew("$dir/client.ts", $snippet . slurp("$top/t/clients/typed.ts"));

spew("$dir/tsconfig.json", <<'JSON');
{
    "compilerOptions": {
        "strict": true,
        "noUncheckedIndexedAccess": true,
        "target": "es2022",
        "lib": ["es2022", "dom"],
        "module": "nodenext",
        "types": []
    },
    "files": ["client.ts", "node.d.ts"]
}
JSON

# enough of Node.js for a program that prints

spew("$dir/node.d.ts", "declare const process: { argv: string[] };\n");

is(run("$packages/openapi-typescript/bin/cli.js", "$top/docs/openapi.yaml",
    '-o', "$dir/segments.d.ts"), 0, 'types are made');
is(run("$packages/typescript/bin/tsc", '-p', $dir), 0, 'they fit');
is(run("$dir/client.js", $url, 'typed'), 0, 'the client runs');

is((split /\n/, slurp("$dir/output"))[-1],
    '["1",true,"Changed",204,false,0,"limit"]', 'each operation');
is_deeply([map { $_->method . ' ' . $_->uri } $upstream->requests], [
    'POST /v4/segments',
    'GET /v4/segments/segment-1',
    'PUT /v4/segments/segment-1',
    'DELETE /v4/segments/segment-1',
    'GET /v4/segments?limit=2',
    'GET /v4/segments/system',
], 'one request each, and the retry is none');

done_testing();


# the exit code of a script of Node.js

sub run {
    my ($script, @argv) = @_;

    my $node = Segments::Process->spawn(name => $script, output =>
        "$dir/output", env => { NO_PROXY => '*', no_proxy => '*' },
        argv => [find_program('node'), $script, @argv]);

    my $code = $node->wait(60) ? $node->status : 'does not end';

    diag(slurp("$dir/output")) if $code;

    return $code;
}
