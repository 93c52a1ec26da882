package Bench::Report;

# Tables of what was found, and a plot.

use strict;
use warnings;

use Exporter qw(import);

use Bench::Contest qw(@SCENARIOS @SEALED @SIZES median merged ratio ratios
    spread strongest);

our @EXPORT_OK = qw(contenders_table encryption_table memory_line plot
    ratios_of rivals_table sizes_table store_table table targets_table);

my %NAME = (
    gateway   => 'gateway',
    lua       => 'Lua',
    pipelined => 'Lua, pipelined',
);

# what is wanted of the CPU, to proxy_pass or, for a refusal, to return 400

our %TARGET = (forward => 1.15, create => 1.45, replay => 0.70,
    reject => 1.25, mixed => 1.30);

# and of a body's size

my %SIZE_TARGET = (4096 => 1.20, 65536 => 1.75);

# of CPU to the strongest Lua, and of Redis'

my %RIVAL_TARGET = (create => 0.88);
my %STORE_TARGET = (create => 2.00, replay => 1.15);

# of sealed answers, to those in the clear

my %SEALED_TARGET = (create => 1.06);

# where Redis has nothing to do its own timers take some

my $IDLE = 0.005;


sub table {
    my ($head, @rows) = @_;

    my @all = ($head, [map { '---' } @$head], @rows);

    return join '', map { '| ' . join(' | ', @$_) . " |\n" } @all;
}


sub row {
    my ($label, $runs, $base) = @_;

    my $one = merged(@$runs)->{$label};

    return (
        figure('%.3f', $one->{cpu}),
        spread(ratios($runs, $label, $base)),
        idle($one) ? '-' : figure('%.3f', $one->{redis_cpu}),
        figure('%.0f', $one->{rate}),
        figure('%.1f', $one->{p50}),
        figure('%.1f', $one->{p99}),
    );
}


sub idle { return median(@{ $_[0]{redis_cpu} }) < $IDLE }


sub figure {
    my ($format, $numbers) = @_;

    return sprintf $format, median(@$numbers);
}


sub base_of { return $_[0] eq 'reject' ? 'return 400' : 'proxy_pass' }


# those that were measured

sub measured {
    my ($runs, @scenarios) = @_;

    return grep { $runs->[0]{"gateway $_"} } @scenarios;
}


sub contenders_table {
    my ($runs) = @_;

    my @rows = map {
        ["`$_`", '', row($_, $runs, $_ eq 'return 400' ? $_ : 'proxy_pass')]
    } grep { $runs->[0]{$_} } ('proxy_pass', 'return 201', 'return 400');

    for my $scenario (measured($runs, @SCENARIOS)) {
        for my $name (qw(gateway lua pipelined)) {
            push @rows, [$NAME{$name}, $scenario,
                row("$name $scenario", $runs, base_of($scenario))];
        }
    }

    return table(['', 'scenario', 'CPU s', 'ratio', 'Redis CPU s',
        'requests/s', 'p50 ms', 'p99 ms'], @rows);
}


# { gateway => { forward => 1.02, ... }, ... }

sub ratios_of {
    my ($runs) = @_;

    my %ratios;

    for my $name (qw(gateway lua pipelined)) {
        for my $scenario (measured($runs, @SCENARIOS)) {
            $ratios{$name}{$scenario} = sprintf '%.2f', median(
                ratios($runs, "$name $scenario", base_of($scenario)));
        }
    }

    return \%ratios;
}


sub targets_table {
    my ($runs) = @_;

    return table(['scenario', 'target', 'gateway', 'Lua', 'Lua, pipelined'],
        map {
            my $scenario = $_;
            [$scenario, sprintf('%.2f', $TARGET{$scenario}),
             map { spread(ratios($runs, "$_ $scenario", base_of($scenario))) }
                 qw(gateway lua pipelined)];
        } measured($runs, @SCENARIOS));
}


# The gateway beside the better of its rivals, which is not the same one for the
# worker's CPU and for Redis'.

sub rivals_table {
    my ($runs) = @_;

    return table(['scenario', 'target', 'CPU', 'target', "Redis' CPU"],
        map {
            my ($what, $store) = ($_, $STORE_TARGET{$_});
            my $busy = !idle(merged(@$runs)->{"gateway $what"});

            [$what =~ s/ (\d+)\z/, $1 bytes/r,
             sprintf('%.2f', $RIVAL_TARGET{$what} // 0.85),
             to_strongest($runs, $what, 'cpu'),
             $store ? sprintf '%.2f', $store : '',
             $busy ? to_strongest($runs, $what, 'redis_cpu') : '-'];
        } measured($runs, @SCENARIOS, with_rivals($runs)));
}


sub with_rivals {
    my ($runs) = @_;

    return map { "forward $_" } grep { $runs->[0]{"lua forward $_"} } @SIZES;
}


sub to_strongest {
    my ($runs, $label, $what) = @_;

    my $rival = strongest($runs, $what, map { "$_ $label" } qw(lua pipelined));

    return spread(ratios($runs, "gateway $label", $rival, $what));
}


sub sizes_table {
    my ($runs) = @_;

    my $found = merged(@$runs);
    my @rows;

    for my $size (grep { $found->{"proxy_pass $_"} } @SIZES) {
        my $base = "proxy_pass $size";

        push @rows, [$size, figure('%.3f', $found->{$base}{cpu}),
            $SIZE_TARGET{$size} ? sprintf '%.2f', $SIZE_TARGET{$size} : '',
            map {
                my $label = "gateway $_ $size";

                $found->{$label} ? (
                    figure('%.3f', $found->{$label}{cpu}),
                    spread(ratios($runs, $label, $base)),
                ) : ('', '');
            } qw(forward create replay)];
    }

    return table(['bytes', '`proxy_pass`', 'target', 'forward', 'ratio',
        'create', 'ratio', 'replay', 'ratio'], @rows);
}


sub encryption_table {
    my ($runs) = @_;

    my $found = merged(@$runs);

    return table(['scenario', 'in the clear', 'sealed', 'target', 'ratio',
        "Redis' CPU"],
        map {
            my ($clear, $sealed) = ("gateway $_", "sealing $_");

            [$_, (map { figure('%.3f', $found->{$_}{cpu}) } $clear, $sealed),
             $SEALED_TARGET{$_} ? sprintf '%.2f', $SEALED_TARGET{$_} : '',
             spread(ratios($runs, $sealed, $clear)),
             spread(ratios($runs, $sealed, $clear, 'redis_cpu'))];
        } @SEALED);
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


# bars of CPU ratios, as an SVG; all lengths are pixels

my ($LEFT, $TOP, $HEIGHT, $BAR, $GAP) = (50, 44, 220, 26, 34);

my $BOTTOM = $TOP + $HEIGHT;

my @BARS = ([gateway => '#2a6f97'], [lua => '#e07a5f'],
    [pipelined => '#f2b134']);


sub plot {
    my ($ratios) = @_;

    my ($most) = sort { $b <=> $a } map { values %$_ } values %$ratios;
    my $step = $most > 6 ? 2 : $most > 3 ? 1 : 0.5;
    my $max = $step * int($most / $step + 1);

    my $width = $LEFT + @SCENARIOS * (@BARS * $BAR + $GAP) + 20;
    my $y = sub { sprintf '%.1f', $BOTTOM - $_[0] / $max * $HEIGHT };

    my @svg = (
        text($LEFT, 18, 'CPU for a request (1: nginx without a gateway)',
            'font-weight="bold"'),
        (map { scale($_ * $step, $y, $width) } 0 .. $max / $step),
        line($y->(1), $width, 'stroke="#333" stroke-dasharray="4 3"'),
    );

    my $x = $LEFT + $GAP / 2;

    for my $scenario (@SCENARIOS) {
        push @svg, bars($x, $y, map { $ratios->{ $_->[0] }{$scenario} } @BARS),
            text($x + @BARS * $BAR / 2, $BOTTOM + 18, $scenario,
                'text-anchor="middle"');
        $x += @BARS * $BAR + $GAP;
    }

    return qq(<svg xmlns="http://www.w3.org/2000/svg" width="$width" height=")
        . ($BOTTOM + 46) . qq(" font-family="sans-serif" font-size="12">\n)
        . qq(<rect width="100%" height="100%" fill="#fff"/>\n)
        . join('', map { "$_\n" } @svg, legend()) . "</svg>\n";
}


sub scale {
    my ($value, $y, $width) = @_;

    return line($y->($value), $width, 'stroke="#ddd"'),
        text($LEFT - 8, $y->($value) + 4, $value, 'text-anchor="end"');
}


# one beside the other, with their values

sub bars {
    my ($x, $y, @values) = @_;

    my @svg;

    for my $i (0 .. $#values) {
        my $top = $y->($values[$i]);

        push @svg,
            rect($x, $top, $BAR - 3, $BOTTOM - $top, $BARS[$i][1]),
            text($x + $BAR / 2 - 1.5, $top - 4, $values[$i],
                'text-anchor="middle" font-size="10"');
        $x += $BAR;
    }

    return @svg;
}


sub legend {
    my $x = $LEFT - 120;

    return map {
        my ($name, $colour) = @$_;

        $x += 120;
        rect($x, $BOTTOM + 30, 10, 10, $colour),
            text($x + 15, $BOTTOM + 39, $NAME{$name}, '');
    } @BARS;
}


sub line {
    my ($y, $width, $style) = @_;

    return qq(<line x1="$LEFT" x2="$width" y1="$y" y2="$y" $style/>);
}


sub rect {
    my ($x, $y, $width, $height, $colour) = @_;

    return sprintf '<rect x="%g" y="%g" width="%g" height="%g" fill="%s"/>',
        $x, $y, $width, $height, $colour;
}


sub text {
    my ($x, $y, $text, $style) = @_;

    return sprintf '<text x="%g" y="%g" %s>%s</text>', $x, $y, $style, $text;
}


1;
