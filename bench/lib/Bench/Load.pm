package Bench::Load;

# wrk against one contender, and what it took: CPU of the contender's worker and
# of Redis, from utime + stime, in seconds for 10,000 requests; requests in a
# second; latency in milliseconds.

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();

use Bench::Messages qw(broken segment);
use Bench::Processes qw(cpu_seconds);
use Bench::Servers qw(bench_root);
use Segments::Util qw(find_program spew tempdir);

our @EXPORT_OK = qw(load);

my $run = 0;

# what share of the requests is to reach the upstream

my %FORWARDED = (forward => 1, create => 1, replay => 0, reject => 0,
    mixed => 0.7);


# field, contender, scenario, path; seconds, connections, size of a body

sub load {
    my ($field, $name, $scenario, %args) = @_;

    my $tag = sprintf '%x-%x', $$, ++$run;
    my $body = segment($args{size});
    my $good = file($body);
    my $bad = file(broken($args{size}));
    my $worker = $field->worker($name);
    my $redis = $field->redis->process->pid;

    $field->answer_keys($name, $body, $tag)
        if $scenario eq 'replay' || $scenario eq 'mixed';

    my @before = $field->upstream;
    my @cpu = map { cpu_seconds($_) } $worker, $redis;

    my $url = 'http://127.0.0.1:' . $field->port($name)
        . ($args{path} // '/v4/segments');
    my $output = qx(@{[ find_program('wrk') ]} --threads 1 \\
        --connections $args{connections} --duration $args{seconds}s \\
        --timeout 10s --latency --script @{[ bench_root() ]}/wrk/load.lua \\
        $url -- $scenario $good $bad $tag 2>&1);

    my ($text) = $output =~ /^RESULT (.*)/m or die "wrk failed: $output\n";
    my $wrk = JSON::PP->new->decode($text);

    $cpu[$_] = cpu_seconds(($worker, $redis)[$_]) - $cpu[$_] for 0, 1;

    $wrk->{requests} > 0 or die "$name, $scenario: no request in time\n";

    my @after = $field->upstream;

    # each client's connection has one to the upstream that is kept

    $after[0] - $before[0] <= 2 * $args{connections}
        or die "$name, $scenario: connections to the upstream are not kept\n";

    judge($name, $scenario, $wrk, $after[1] - $before[1], $args{path} // '',
        $args{connections});

    return {
        cpu        => 1e4 * $cpu[0] / $wrk->{requests},
        redis_cpu  => 1e4 * $cpu[1] / $wrk->{requests},
        rate       => 1e6 * $wrk->{requests} / $wrk->{us},
        p50        => $wrk->{p50} / 1000,
        p99        => $wrk->{p99} / 1000,
    };
}


# A number that comes of errors is none: as many requests have to reach the
# upstream as the scenario says, but for those on their way when wrk ends.

sub judge {
    my ($name, $scenario, $wrk, $forwarded, $path, $connections) = @_;

    my $requests = $wrk->{requests};
    my $bare = $name eq 'bare';

    my $refused = $path ne '' ? ($scenario eq 'reject') : $bare ? 0
        : $scenario eq 'reject' ? 1 : $scenario eq 'mixed' ? 0.05 : 0;
    my $share = $path ne '' ? 0 : $bare ? 1 : $FORWARDED{$scenario};

    my $slack = 2 * $connections + 20;

    $wrk->{failed} == 0
        && abs($wrk->{refused} - $refused * $requests) <= $slack
        && abs($forwarded - $share * $requests) <= $slack
        or die "$name, $scenario: of $requests requests $wrk->{failed} "
            . "failed, $wrk->{refused} were refused, $forwarded forwarded\n";

    return;
}


sub file {
    my ($body) = @_;

    return spew(tempdir() . '/body-' . length($body), $body);
}


1;
