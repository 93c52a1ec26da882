package Bench::Report;

# Tables of what was found, and a plot.

use strict;
use warnings;

use Exporter qw(import);

use Bench::Contest qw(median ratio);

our @EXPORT_OK = qw(contenders_table memory_line plot ratios_of sizes_table
    store_table table targets_table);

my %NAME = (
    gateway   => 'gateway',
    lua       => 'Lua',
    pipelined => 'Lua, pipelined',
);

# of CPU, to proxy_pass or, for a refusal, to return 400

our %TARGET = (forward => 1.05, create => 1.20, replay => 0.60,
    reject => 1.08, mixed => 1.06);

our @SCENARIOS = qw(forward create replay reject mixed);


sub table {
    my ($head, @rows) = @_;

    my @all = ($head, [map { '---' } @$head], @rows);

    return join '', map { '| ' . join(' | ', @$_) . " |\n" } @all;
}


sub row {
    my ($label, $found, $base) = @_;

    my $one = $found->{$label};

    return (
        figure('%.3f', $one->{cpu}),
        sprintf('%.2f', ratio($one->{cpu}, $base)),
        median(@{ $one->{redis_cpu} }) < 0.005 ? '-'
            : figure('%.3f', $one->{redis_cpu}),
        figure('%.0f', $one->{rate}),
        figure('%.1f', $one->{p50}),
        figure('%.1f', $one->{p99}),
    );
}


sub figure {
    my ($format, $numbers) = @_;

    return sprintf $format, median(@$numbers);
}


sub base_of {
    my ($found, $scenario) = @_;

    return $found->{ $scenario eq 'reject' ? 'return 400' : 'proxy_pass' }{cpu};
}


sub contenders_table {
    my ($found) = @_;

    my $proxy = $found->{proxy_pass}{cpu};
    my @rows = (
        map { ["`$_`", '', row($_, $found, base_of($found,
            $_ eq 'return 400' ? 'reject' : '')) ] }
            ('proxy_pass', 'return 201', 'return 400')
    );

    for my $scenario (@SCENARIOS) {
        for my $name (qw(gateway lua pipelined)) {
            push @rows, [$NAME{$name}, $scenario,
                row("$name $scenario", $found, base_of($found, $scenario))];
        }
    }

    return table(['', 'scenario', 'CPU s', 'ratio', 'Redis CPU s',
        'requests/s', 'p50 ms', 'p99 ms'], @rows);
}


# { gateway => { forward => 1.02, ... }, ... }

sub ratios_of {
    my ($found) = @_;

    my %ratios;

    for my $name (qw(gateway lua pipelined)) {
        for my $scenario (@SCENARIOS) {
            $ratios{$name}{$scenario} = sprintf '%.2f', ratio(
                $found->{"$name $scenario"}{cpu}, base_of($found, $scenario));
        }
    }

    return \%ratios;
}


sub targets_table {
    my ($ratios) = @_;

    return table(['scenario', 'target', 'gateway', 'Lua', 'Lua, pipelined'],
        map {
            my $scenario = $_;
            [$scenario, sprintf('%.2f', $TARGET{$scenario}),
             map { $ratios->{$_}{$scenario} } qw(gateway lua pipelined)];
        } @SCENARIOS);
}


sub sizes_table {
    my ($found) = @_;

    my @rows;

    for my $size (200, 4096, 65536) {
        my $base = $found->{"proxy_pass $size"}{cpu};

        push @rows, [$size, figure('%.3f', $base), map {
            my $one = $found->{"gateway $_ $size"}{cpu};
            figure('%.3f', $one) . sprintf ' (%.2f)', ratio($one, $base);
        } qw(forward create replay)];
    }

    return table(['bytes', '`proxy_pass`', 'forward', 'create', 'replay'],
        @rows);
}


sub store_table {
    my ($empty, $full, $records) = @_;

    return table(['records', 'create', 'Redis', 'replay', 'Redis'],
        map {
            my ($n, $found) = @$_;
            [$n, map {
                (figure('%.3f', $found->{"gateway $_"}{cpu}),
                 figure('%.3f', $found->{"gateway $_"}{redis_cpu}));
            } qw(create replay)];
        } [0, $empty], [$records, $full]);
}


sub memory_line {
    my ($bytes, $n) = @_;

    return sprintf "%d creates that wait for the upstream take %.1f KB each, "
        . "and %.1f KB with `proxy_pass` alone.", $n,
        $bytes->{gateway} / 1024, $bytes->{proxy} / 1024;
}


# bars of CPU ratios, as an SVG

sub plot {
    my ($ratios) = @_;

    my ($left, $top, $height, $bar, $gap) = (50, 44, 220, 26, 34);
    my @names = qw(gateway lua pipelined);
    my %colour = (gateway => '#2a6f97', lua => '#e07a5f',
        pipelined => '#f2b134');

    my ($max) = sort { $b <=> $a } map { values %$_ } values %$ratios;
    my $step = $max > 6 ? 2 : $max > 3 ? 1 : 0.5;
    $max = $step * int($max / $step + 1);

    my $width = $left + @SCENARIOS * (@names * $bar + $gap) + 20;
    my $total = $top + $height + 46;
    my $bottom = $top + $height;
    my $y = sub { sprintf '%.1f', $bottom - $_[0] / $max * $height };

    my @svg;

    push @svg, qq(<text x="$left" y="18" font-weight="bold">CPU for a request)
        . qq( (1: nginx without a gateway)</text>);

    for (my $value = 0; $value <= $max; $value += $step) {
        my $line = $y->($value);

        push @svg, qq(<line x1="$left" x2="$width" y1="$line" y2="$line" )
            . 'stroke="' . ($value == 1 ? '#333' : '#ddd') . '"/>',
            qq(<text x="@{[ $left - 8 ]}" y="@{[ $line + 4 ]}" )
            . qq(text-anchor="end">$value</text>);
    }

    my $one = $y->(1);
    push @svg, qq(<line x1="$left" x2="$width" y1="$one" y2="$one" )
        . 'stroke="#333" stroke-dasharray="4 3"/>';

    my $x = $left + $gap / 2;

    for my $scenario (@SCENARIOS) {
        my $middle = $x + @names * $bar / 2;

        for my $name (@names) {
            my $value = $ratios->{$name}{$scenario};
            my $from = $y->($value);
            my $size = sprintf '%.1f', $bottom - $from;
            my $centre = $x + $bar / 2;

            push @svg, qq(<rect x="$x" y="$from" width="@{[ $bar - 3 ]}" )
                . qq(height="$size" fill="$colour{$name}"/>),
                qq(<text x="@{[ $centre - 1.5 ]}" y="@{[ $from - 4 ]}" )
                . qq(text-anchor="middle" font-size="10">$value</text>);
            $x += $bar;
        }

        push @svg, qq(<text x="$middle" y="@{[ $bottom + 18 ]}" )
            . qq(text-anchor="middle">$scenario</text>);
        $x += $gap;
    }

    my $legend = $left;

    for my $name (@names) {
        push @svg, qq(<rect x="$legend" y="@{[ $bottom + 30 ]}" width="10" )
            . qq(height="10" fill="$colour{$name}"/>),
            qq(<text x="@{[ $legend + 15 ]}" y="@{[ $bottom + 39 ]}">)
            . "$NAME{$name}</text>";
        $legend += 120;
    }

    return qq(<svg xmlns="http://www.w3.org/2000/svg" width="$width" )
        . qq(height="$total" font-family="sans-serif" font-size="12">\n)
        . qq(<rect width="100%" height="100%" fill="#fff"/>\n)
        . join('', map { "$_\n" } @svg) . "</svg>\n";
}


1;
