#!/usr/bin/perl

# conf-examples/kubernetes.yaml against the schemas that Kubernetes publishes,
# and the same with a mistake in each object.
#
# run: once

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

my $top = program_root();
my $dir = tempdir();
my $page = slurp("$top/conf-examples/kubernetes.yaml");
my $runs = 0;

symlink $packages, "$dir/node_modules" or die "node_modules: $!";
spew("$dir/kubernetes.mjs", slurp("$top/t/clients/kubernetes.mjs"));

my @kinds = $page =~ /^kind: (\w+)$/mg;

is(said($page), join('', map { "$_: ok\n" } @kinds), 'all objects');

for my $row (
    ['Secret', qr/^stringData:\n(?: .*\n)+/m, "stringData: words\n"],
    ['ConfigMap', qr/^data:\n(?: .*\n|\n)+/m, "data: words\n"],
    ['Deployment', qr/replicas: 2/, 'replicas: two'],
    ['Deployment', qr/containerPort: 8080/, 'containerPort: http'],
    ['Deployment', qr/runAsUser: 33/, 'runAsUser: www-data'],
    ['Deployment', qr/- name: gateway\n +image: /, '- image: '],
    ['Service', qr/port: 80$/m, 'port: http'],
    ['PodDisruptionBudget', qr/^  selector:\n(?:   .*\n)+/m,
        "  selector: words\n"],
    ['NetworkPolicy', qr/^  podSelector:\n(?:   .*\n)+/m,
        "  podSelector: words\n"],
) {
    my ($kind, $right, $wrong) = @$row;

    my ($object) = grep { /^kind: $kind$/m } split /^---\n/m, $page;

    $object =~ s/$right/$wrong/ or die "$kind: no $right";

    like(said($object), qr/\A$kind: (?!ok$)./, "$kind: " . $wrong =~ s/\n//r);
}

done_testing();


sub said {
    my ($text) = @_;

    my $name = 'page' . ++$runs;
    my $process = Segments::Process->spawn(name => 'node',
        argv => [find_program('node'), "$dir/kubernetes.mjs",
            spew("$dir/$name.yaml", $text)], output => "$dir/$name.said");

    $process->wait(60) or die 'node hangs';

    return slurp("$dir/$name.said");
}
