#!/usr/bin/perl

# The dashboard and the alerts in conf-examples ask for what there is.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use CPAN::Meta::YAML;
use JSON::PP ();

use Segments::Metrics;
use Segments::Test;
use Segments::Util qw(program_root);

my $examples = program_root() . '/conf-examples';

my $nginx = nginx(http => 'segments_zone segments 1m; segments_contract log;',
    server => 'server_name localhost; location /metrics { segments_metrics; }',
    set => { segments_rate_limit => 'rate=1r/s' });

my (%series, %values);

for (Segments::Metrics->of($nginx)->series) {
    my ($name, $labels) = @$_;

    $series{$name} = $labels;
    $values{$_}{ $labels->{$_} } = 1 for keys %$labels;
}

# a label of every series that Prometheus has, and one that it makes

my %everywhere = (instance => 1, job => 1);

# the dashboard

my $dashboard = JSON::PP->new->decode(slurp("$examples/grafana.json"));
my @panels = @{ $dashboard->{panels} };
my %ids = map { $_->{id} => 1 } @panels;
my %shown;

is(keys %ids, @panels, 'panels have numbers of their own');

for my $panel (@panels) {
    my @queries = map { $_->{expr} } @{ $panel->{targets} };

    ok(@queries, "$panel->{title}: asks for something");
    asks_for_what_there_is("$panel->{title}: $_", $_) for @queries;
    $shown{$_} = 1 for map { /\b(segments_\w+)/g } @queries;
}

for my $variable (@{ $dashboard->{templating}{list} }) {
    next if $variable->{type} ne 'query';

    my ($query, $label) = $variable->{definition}
        =~ /^label_values\((.*), (\w+)\)$/;

    asks_for_what_there_is("variable $variable->{name}", $query);
    ok(exists $values{$label} || $everywhere{$label},
        "variable $variable->{name}: label");
}

is_deeply([grep { my $metric = $_; !grep { /^\Q$metric\E(?:_bucket)?$/ }
    keys %shown } Segments::Metrics->of($nginx)->names], [],
    'every metric is shown');

# the alerts

my $rules = CPAN::Meta::YAML->read_string(slurp("$examples/alerts.yml"))->[0];
my @alerts = map { @{ $_->{rules} } } @{ $rules->{groups} };

is(scalar @alerts, 7, 'seven alerts');

for my $alert (@alerts) {
    my $name = $alert->{alert};

    asks_for_what_there_is($name, $alert->{expr});
    like($alert->{expr}, qr/ (?:>|==) [0-9.]+\)?\z/, "$name: has a limit");
    like($alert->{for}, qr/^[0-9]+m$/, "$name: lasts a while");
    ok(length $alert->{annotations}{summary}, "$name: says what it is");
}

my ($section) = slurp(program_root() . '/docs/variables.md')
    =~ /^## Metrics\n(.*)/ms;

is_deeply([$section =~ /^\| `(Segments\w+)` \|/mg],
    [map { $_->{alert} } @alerts], 'the page of metrics has them');

done_testing();


# metrics, their labels, and values of labels; brackets are closed

sub asks_for_what_there_is {
    my ($name, $query) = @_;

    my @wrong;

    push @wrong, 'brackets' if $query =~ tr/(// != $query =~ tr/)//
        || $query =~ tr/{// != $query =~ tr/}//;

    while ($query =~ /\b(segments_\w+)(?:\{([^}]*)\})?/g) {
        my ($metric, $matchers) = ($1, $2 // '');

        push @wrong, $metric if !$series{$metric};

        while ($matchers =~ /(\w+)(?:=~|!~|!=|=)"([^"]*)"/g) {
            my ($label, $value) = ($1, $2);

            next if $everywhere{$label};

            push @wrong, "$metric\{$label}"
                if !exists $series{$metric}{$label};
            push @wrong, grep { !/^\$/ && !$values{$label}{$_} }
                split /\|/, $value;
        }
    }

    push @wrong, grep { !$values{$_} && !$everywhere{$_} }
        map { split /, / } $query =~ /\bby \(([^)]*)\)/g;
    push @wrong, 'no metric' if $query !~ /\bsegments_|\Aup\{job="segments"}/;

    return is_deeply(\@wrong, [], $name);
}
