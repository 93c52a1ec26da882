package Segments::House;

# How the sources are laid out, and what that breaks of docs/architecture.md: a
# line for each violation, "rule: where".

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(basename dirname);

use Segments::Util qw(slurp sources);

our @EXPORT_OK = qw(floors violations);

my $HEADER = 150;
my $SOURCE = 400;

# the directive table may be as long as it is
my $TABLE = 'module/ngx_http_segments_module.c';

# what other folders may include of redis/
my $FACE = qr{^redis/ngx_redis(?:_channel)?\.h$};

# what a noun's own files alone include
my %WITHIN = (
    'idempotency/ngx_http_segments_claim_end.h'
        => qr{^idempotency/ngx_http_segments_claim(?:_\w+)?\.c$},
);

# nginx' key to configurations and contexts: data, and no call
my $KEY = 'ngx_http_segments_module';
my $KEY_FROM = 'life';


# Of the table of floors: folder => floor.

sub floors {
    my ($text) = @_;

    my %floor;

    while ($text =~ /^\| (\d+) \| ([^|]*) \|/mg) {
        my ($floor, $folders) = ($1, $2);
        $floor{$_} = $floor for $folders =~ m{`([\w/]+)/`}g;
    }

    return %floor;
}


# "objects" is the folder that nginx' build has put them in, below it one for
# each last folder of a source.

sub violations {
    my ($top, $objects, %floor) = @_;

    my %house = (floor => \%floor);

    read_sources(\%house, $top);
    read_objects(\%house, $objects);

    return sort map { $_->(\%house) } \&places, \&sizes, \&faces, \&within,
        \&declared, \&late, \&keys_used,
        map({ my $kind = $_;
              (sub { upward($_[0], $kind) }, sub { circles($_[0], $kind) }) }
            qw(includes calls));
}


# path => text of each source, base name => path, and who includes whom

sub read_sources {
    my ($house, $top) = @_;

    for my $path (sources(qr/\.[ch]\z/, $top)) {
        my $file = $path =~ s{\A\Q$top\E/src/}{}r;

        $house->{text}{$file} = slurp($path);
        push @{ $house->{named}{basename $file} }, $file;
    }

    for my $file (keys %{ $house->{text} }) {
        for my $name ($house->{text}{$file} =~ /^#\s*include "([^"]+)"/mg) {
            my $to = $house->{text}{$name} ? $name : file($house, $name);

            # what is made by the build, or nginx' own, is nowhere

            $house->{includes}{$file}{$to} = 1
                if defined $to && $to ne $file;
        }
    }

    return;
}


# who calls whom, or uses another one's data

sub read_objects {
    my ($house, $objects) = @_;

    my (%owner, %wants);

    # what was built before it moved to its folder is left out

    my @objects = grep {
        my $file = file($house, basename($_, '.o') . '.c');
        defined $file && basename(dirname $file) eq basename(dirname $_);
    } sort glob "$objects/*/*.o";

    return if !@objects;

    open my $nm, '-|', 'nm', '-A', @objects or die "nm: $!";

    while (<$nm>) {
        my ($object, $kind, $symbol) = /^(.+)\.o:.* ([A-Z]) (\w+)$/ or next;
        my $file = file($house, basename($object) . '.c');

        $owner{$symbol} = $file if $kind =~ /[TDBRVWC]/;
        $wants{$file}{$symbol} = 1 if $kind eq 'U';
    }

    close $nm or die 'nm failed';

    $house->{owner} = \%owner;

    for my $file (keys %wants) {
        $house->{uses_key}{$file} = 1 if delete $wants{$file}{$KEY};

        for my $to (grep { defined } map { $owner{$_} } keys %{ $wants{$file} })
        {
            $house->{calls}{$file}{$to} = 1 if $to ne $file;
        }
    }

    return;
}


sub file {
    my ($house, $name) = @_;

    return ($house->{named}{basename $name} // [])->[0];
}


sub places {
    my ($house) = @_;

    my %folders = map { dirname($_) => 1 } keys %{ $house->{text} };

    return map({ "name stands twice: $_" }
            grep { @{ $house->{named}{$_} } > 1 } keys %{ $house->{named} }),
        map({ "folder without a floor: $_" }
            grep { !exists $house->{floor}{$_} } keys %folders),
        map { "floor without a folder: $_" }
            grep { !$folders{$_} } keys %{ $house->{floor} };
}


sub sizes {
    my ($house) = @_;

    return map {
        my $lines = $house->{text}{$_} =~ tr/\n//;
        my $most = /\.h$/ ? $HEADER : $SOURCE;

        $lines > $most && $_ ne $TABLE ? "over $most lines: $_" : ();
    } keys %{ $house->{text} };
}


sub faces {
    my ($house) = @_;

    return map {
        my $file = $_;
        map { "behind redis' face: $file -> $_" }
            grep { m{^redis/} && !/$FACE/ } keys %{ $house->{includes}{$file} };
    } grep { !m{^redis/} } keys %{ $house->{includes} };
}


sub within {
    my ($house) = @_;

    return map {
        my $header = $_;
        map { "from within: $_ -> $header" }
            grep { !/$WITHIN{$header}/ && $house->{includes}{$_}{$header} }
            keys %{ $house->{includes} };
    } keys %WITHIN;
}


# what a header declares, and a source of another name defines; a face speaks
# for its folder

sub declared {
    my ($house) = @_;

    return map {
        my $header = $_;
        my $source = $header =~ s/\.h\z/.c/r;

        map { "declares another's: $header, $_" }
            grep { $_ ne $KEY && ($house->{owner}{$_} // $source) ne $source }
            declarations($house->{text}{$header});
    } grep { /\.h$/ && !/$FACE/ } keys %{ $house->{text} };
}


sub declarations {
    my ($text) = @_;

    $text =~ s{/\*.*?\*/}{}sg;
    $text =~ s{^#(?:.*\\\n)*.*$}{}mg;
    1 while $text =~ s/\{[^{}]*\}//g;

    return $text =~ /(\w+)\s*(?:\(|\[|;)/g;
}


# Who knows nginx has its configuration first: what the system's headers declare
# depends on what that defines.

sub late {
    my ($house) = @_;

    return map {
        my @outside = outside($house, $_, {});

        grep({ /^ngx_/ } @outside) && $outside[0] !~ /^ngx_/
            ? "nginx comes late: $_, <$outside[0]>" : ();
    } keys %{ $house->{text} };
}


# what a file includes that is not ours, in order

sub outside {
    my ($house, $file, $seen) = @_;

    return if $seen->{$file}++;

    return map {
        my ($kind, $name) = /(.)(.+)/;

        $kind eq '<' ? $name
            : $house->{text}{$name} ? outside($house, $name, $seen) : ();
    } $house->{text}{$file} =~ /^#\s*include (["<][^">]+)/mg;
}


sub keys_used {
    my ($house) = @_;

    my $from = $house->{floor}{$KEY_FROM} // 0;

    return map { "uses the module: $_" }
        grep { ($house->{floor}{dirname $_} // 0) < $from }
        keys %{ $house->{uses_key} };
}


sub upward {
    my ($house, $kind) = @_;

    my ($floor, $arrows) = @$house{'floor', $kind};

    return map {
        my ($from, $to) = @$_;
        my ($below, $above) = (dirname($from), dirname($to));

        $below eq $above
            || ($floor->{$below} // -1) > ($floor->{$above} // 99)
            ? () : "$kind what is not below: $from -> $to";
    } arrows($arrows);
}


# arrows from whose head a way leads back

sub circles {
    my ($house, $kind) = @_;

    my $arrows = $house->{$kind};

    return map {
        my ($from, $to) = @$_;
        leads($arrows, $to, $from) ? "$kind in a circle: $from -> $to" : ();
    } arrows($arrows);
}


sub arrows {
    my ($arrows) = @_;

    return map {
        my $from = $_;
        map { [$from, $_] } keys %{ $arrows->{$from} };
    } keys %{ $arrows // {} };
}


sub leads {
    my ($arrows, $from, $to) = @_;

    my (@left, %seen) = ($from);

    while (defined(my $at = pop @left)) {
        return 1 if $at eq $to;
        push @left, keys %{ $arrows->{$at} // {} } if !$seen{$at}++;
    }

    return 0;
}


1;
