#!/usr/bin/perl

# The rules in conf-examples/alerts.yml wake somebody up when they should, and
# leave them asleep when not: as promtool, which is Prometheus itself, sees it.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use CPAN::Meta::YAML;
use Test::More;

use Segments::Util qw(program_root slurp spew tempdir);

my $top = program_root();
my $promtool = `'$top/tools/promtool' 2>&1`;

plan skip_all => $promtool =~ s/\s+/ /gr if $?;

chomp $promtool;

my $path = "$top/conf-examples/alerts.yml";
my %alerts = map { $_->{alert} => $_ } map { @{ $_->{rules} } }
    @{ CPAN::Meta::YAML->read_string(slurp($path))->[0]{groups} };

my %OF_ALL = (instance => 'gateway:9145');
my %OF_PLACE = (%OF_ALL, server => 'api.example', location => '/v4/segments');
my %OF_REDIS = (%OF_ALL, redis => 'redis://10.0.0.7:6379/0');

# Four samples a minute, of which the first twenty are those of good times.

my $GOOD = 20;
my @MINUTES = (4 .. 20);

is(system("'$promtool' check rules '$path' > /dev/null"), 0, 'rules');

# a moment's failure, of which nothing is left to be done

quiet('blip of Redis', outcome(redis_failed => '0x20 12x80'),
    outcome(forwarded => '0+30x100'), unusable('0x20 2x1 0x80'));
quiet('blip of bypassing', outcome(bypassed => '0x20 12x80'),
    outcome(forwarded => '0+30x100'));
quiet('blip of the API', outcome(upstream_failed => '0x20 15x80'),
    outcome(forwarded => '0+30x100'), sent('0+30x100'),
    responses('5xx' => '0x20 15x80'));
quiet('blip of the key', outcome(upstream_unauthorized => '0x20 15x80'),
    outcome(forwarded => '0+30x100'));
quiet('blip of the key, with little traffic', outcome(upstream_unauthorized =>
    '0x20 1x80'), outcome(forwarded => '0x9 1x90'));
quiet('blip of storing', outcome(unstored => '0x20 3x80'),
    background('0x20 5x2 0x80'));
quiet('background that comes and goes',
    background('0x20 1 0 3 0 0 2 0 1 0x80'));
quiet('key file that is written', refused('0x20 1 0x80'));
quiet('a scrape that fails', up('1x20 0x1 1x80'));
quiet('good times', outcome(forwarded => '0+30x100'), sent('0+30x100'),
    outcome(redis_failed => '0x100'), outcome(rate_limited => '0+9x100'),
    responses('5xx' => '0+1x100'), unusable('0x100'), background('0x100'),
    refused('0x100'), up('1x100'));
quiet('a gateway that starts again', outcome(forwarded => '0+30x20 0+30x80'),
    outcome(redis_failed => '40x20 0x80'), sent('0+30x20 0+30x80'));

# what lasts

pages('outage of Redis with traffic', { SegmentsCreatesWithoutRedis =>
    \%OF_PLACE, SegmentsRedisUnusable => \%OF_REDIS },
    outcome(redis_failed => '0x20 3+3x80'), unusable('0x20 2x80'));
pages('the same, with creates that go on', { SegmentsCreatesWithoutRedis =>
    \%OF_PLACE, SegmentsRedisUnusable => \%OF_REDIS },
    outcome(bypassed => '0x20 3+3x80'), unusable('0x20 2x80'));
pages('outage of Redis without traffic', { SegmentsRedisUnusable =>
    \%OF_REDIS }, outcome(redis_failed => '0x100'), unusable('0x20 2x80'));
pages('breaker that opens and closes', { SegmentsRedisUnusable =>
    \%OF_REDIS }, unusable('0x20' . ' 1 0 0 0 1 0' x 14));
pages('some creates that fail again and again', {
    SegmentsCreatesWithoutRedis => \%OF_PLACE },
    outcome(redis_failed => '0x20' . join('', map { " ${_}x3" } 1 .. 20)));
pages('dead target', { SegmentsTargetDown => { %OF_ALL, job => 'segments' } },
    up('1x20 0x80'));
pages('key refused, with traffic', { SegmentsSecretKeyRefused => \%OF_PLACE },
    outcome(upstream_unauthorized => '0x20 2+2x80'),
    outcome(forwarded => '0+9x20 180x80'));
pages('key refused, and others not', { SegmentsSecretKeyRefused =>
    \%OF_PLACE }, outcome(upstream_unauthorized => '0x20 2+2x80'),
    outcome(forwarded => '0+9x100'));
pages('key refused, of the only one who came', { SegmentsSecretKeyRefused =>
    \%OF_PLACE }, outcome(upstream_unauthorized => '0x20 1x80'),
    outcome(forwarded => '180x100'));
pages('API that fails', { SegmentsUpstreamFails => \%OF_PLACE },
    outcome(upstream_failed => '0x20 3+3x80'), sent('0+3x100'),
    responses('5xx' => '0x100'));
pages('answers that are not stored', { SegmentsAnswersNotStored => \%OF_ALL },
    outcome(unstored => '0x20 1+1x80'), background('0x100'));
pages('ends that wait', { SegmentsAnswersNotStored => \%OF_ALL },
    outcome(unstored => '0x100'), background('0x20 1x80'));
pages('key file that is refused', { SegmentsKeyFileRefused => \%OF_ALL },
    refused('0x20 1x80'));

# where it leads

my %anchors = map { lc s/[^A-Za-z0-9 -]//gr =~ s/ /-/gr => 1 }
    slurp("$top/TROUBLESHOOTING.md") =~ /^#+ (.*)$/mg;

for my $name (sort keys %alerts) {
    my ($anchor) = $alerts{$name}{annotations}{runbook_url}
        =~ m{^https://.*/TROUBLESHOOTING\.md#(.*)} or next;

    is($anchor, lc $name, "$name: its own place");
    ok($anchors{$anchor}, "$name: which is there");
}

done_testing();


sub outcome {
    my ($outcome, $values) = @_;

    return series('segments_requests_total', $values, %OF_PLACE,
        outcome => $outcome);
}


sub responses {
    my ($class, $values) = @_;

    return series('segments_upstream_responses_total', $values, %OF_PLACE,
        class => $class);
}


sub sent {
    return series('segments_upstream_duration_seconds_count', $_[0],
        %OF_PLACE);
}


sub unusable {
    return series('segments_redis_unusable_workers', $_[0], %OF_REDIS);
}


sub background {
    return series('segments_background_completions', $_[0], %OF_ALL);
}


sub refused {
    return series('segments_secret_key_files_refused', $_[0], %OF_ALL);
}


sub up { return series('up', $_[0], %OF_ALL, job => 'segments') }


sub series {
    my ($name, $values, %labels) = @_;

    return { series => "$name\{" . join(',', map { qq($_="$labels{$_}") }
        sort keys %labels) . '}', values => $values };
}


# nobody is woken up, at no time

sub quiet {
    my ($name, @series) = @_;

    return tested("$name: nobody is woken up", \@series, map { my $minute = $_;
        map { expected($minute, $_) } sort keys %alerts } @MINUTES);
}


# These, and no others, not before two minutes are over, and within nine; each
# has the labels of who it is about.

sub pages {
    my ($name, $fires, @series) = @_;

    my @tests = map { my $alert = $_;
        (expected(5, $alert), expected(7, $alert),
            expected(14, $alert, $fires->{$alert})) } sort keys %alerts;

    return tested("$name: somebody is", \@series, @tests);
}


sub expected {
    my ($minute, $alert, $labels) = @_;

    my $test = "      - eval_time: ${minute}m\n        alertname: $alert\n";

    return $test if !$labels;

    my %annotations = %{ $alerts{$alert}{annotations} };

    s/\{\{ \$labels\.(\w+) \}\}/$labels->{$1}/g,
        s/\{\{ \$value \| humanizePercentage \}\}/100%/ for values %annotations;

    return $test . "        exp_alerts:\n          - exp_labels:\n"
        . mapping(14, %$labels, %{ $alerts{$alert}{labels} })
        . "            exp_annotations:\n" . mapping(14, %annotations);
}


sub mapping {
    my ($indent, %pairs) = @_;

    return join '', map { ' ' x $indent . "$_: '$pairs{$_}'\n" }
        sort keys %pairs;
}


sub tested {
    my ($name, $series, @tests) = @_;

    my $file = tempdir() . '/test.yml';

    spew($file, "rule_files:\n  - $path\nevaluation_interval: 15s\n"
        . "tests:\n  - interval: 15s\n    input_series:\n"
        . join('', map { "      - series: '$_->{series}'\n"
            . "        values: '$_->{values}'\n" } @$series)
        . "    alert_rule_test:\n" . join('', @tests));

    my $output = `'$promtool' test rules '$file' 2>&1`;

    return is($?, 0, $name) || diag($output);
}
