package Segments::Metrics;

# What segments_metrics shows, read as strictly as Prometheus reads it.
#
#     my $metrics = Segments::Metrics->of($nginx);      GET /metrics
#     my $metrics = Segments::Metrics->of($port);
#     $metrics->value('segments_requests_total', outcome => 'replayed');
#     $metrics->value(...)     the sum of the series that have these labels
#     $metrics->names          of metrics, in their order
#     $metrics->series         every line with a value, as [name, {labels}, n]
#
# Dies where the text is not what its format, version 0.0.4, allows.

use strict;
use warnings;

use Carp qw(croak);

use Segments::HTTP qw(http);

my $NAME = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $LABEL = qr/[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"/;
my $NUMBER = qr/(?:[0-9]+(?:\.[0-9]+)?|\+Inf)/;


sub of {
    my ($class, $address) = @_;

    $address = $address->address if ref $address;

    my $answer = http($address, 'GET', '/metrics') or croak 'no answer';

    $answer->status == 200 or croak 'status ' . $answer->status;

    return $class->parse($answer->body);
}


sub parse {
    my ($class, $text) = @_;

    my $self = bless { names => [], type => {}, help => {}, series => [] },
        $class;

    $text eq '' || $text =~ /\n\z/ or croak 'the last line has no end';

    $self->line($_) for split /\n/, $text;
    $self->check_histogram($_)
        for grep { $self->{type}{$_} eq 'histogram' } $self->names;

    return $self;
}


sub line {
    my ($self, $line) = @_;

    if ($line =~ /\A# HELP ($NAME) \S.*\z/) {
        croak "help of $1 comes twice" if $self->{help}{$1}++;
        return;
    }

    if ($line =~ /\A# TYPE ($NAME) (counter|gauge|histogram)\z/) {
        croak "$1 has no help" if !$self->{help}{$1};
        croak "type of $1 comes twice" if $self->{type}{$1};
        $self->{type}{$1} = $2;
        push @{ $self->{names} }, $1;
        return;
    }

    my ($name, $labels, $value) = $line
        =~ /\A($NAME)(?:\{($LABEL(?:,$LABEL)*)\})? ($NUMBER)\z/
        or croak "cannot read: $line";
    my %labels = ($labels // '') =~ /(\w+)="((?:[^"\\]|\\.)*)"/g;
    my $last = $self->{names}[-1] // '';
    my $suffix = ($self->{type}{$last} // '') eq 'histogram'
        ? qr/_(?:bucket|sum|count)/ : qr//;

    $name =~ /\A\Q$last\E$suffix\z/ or croak "$name among those of $last";
    $last =~ /_total\z/ xor $self->{type}{$last} ne 'counter'
        or croak "$last: only counters end in _total";

    my $key = join ',', $name, map { "$_=$labels{$_}" } sort keys %labels;
    croak "$key comes twice" if $self->{seen}{$key}++;

    push @{ $self->{series} }, [$name, \%labels, $value];

    return;
}


# buckets are cumulative, and the last one is the count

sub check_histogram {
    my ($self, $name) = @_;

    my %last;

    for ($self->series) {
        my ($part, $labels, $value) = @$_;
        my %others = %$labels;
        my $le = delete $others{le};
        my $key = join ',', map { "$_=$others{$_}" } sort keys %others;

        if ($part eq "${name}_bucket") {
            my ($bound, $count) = @{ $last{$key} // [-1, 0] };

            croak "$name: bounds do not ascend" if $bound eq '+Inf'
                || $le ne '+Inf' && $le <= $bound;
            croak "$name: not cumulative" if $value < $count;

            $last{$key} = [$le, $value];

        } elsif ($part eq "${name}_count") {
            my ($bound, $count) = @{ $last{$key} };

            croak "$name: the last bound is $bound" if $bound ne '+Inf';
            croak "$name: $value is not $count" if $value != $count;
        }
    }

    return;
}


sub names  { return @{ $_[0]{names} } }
sub series { return @{ $_[0]{series} } }


sub type {
    my ($self, $name) = @_;

    return $self->{type}{$name};
}


sub value {
    my ($self, $name, %labels) = @_;

    my $sum;

    for ($self->series) {
        my ($other, $has, $value) = @$_;

        next if $other ne $name
            || grep { ($has->{$_} // '') ne $labels{$_} } keys %labels;
        $sum += $value;
    }

    return $sum // croak "no $name";
}


# the counts of all outcomes that are not zero

sub outcomes {
    my ($self, %labels) = @_;

    my %outcomes;

    for ($self->series) {
        my ($name, $has, $value) = @$_;

        next if $name ne 'segments_requests_total' || $value == 0
            || grep { $has->{$_} ne $labels{$_} } keys %labels;
        $outcomes{ $has->{outcome} } += $value;
    }

    return \%outcomes;
}


1;
