package Seals;

# The keys that answers are sealed with: they are replaced while gateways run,
# and nothing of them is reloaded.  And whether what stands in Redis is sealed.
#
#     my $seals = Seals->new(run => $run, store => $store);
#     $seals->directive
#     $seals->rotate($dice)             while there are keys; one at a time
#     $seals->queued                    that have to wait
#     $seals->later($code)              once another key is in use
#     $seals->name($tenant, $key)       of a record
#     $seals->look($name, $value)       at one that is done with
#     $seals->alter($key)               a stored answer, then tries it
#     $seals->read_line($line)          of a gateway's error log

use strict;
use warnings;

use Dice;
use Limit;
use Segments::Seal qw(hidden_key hidden_limit hidden_scope key_id seal_of);
use Segments::Util qw(slow spew tempdir);

# A gateway has a file for each key that there will be.  A worker that takes a
# dead one's place may begin with the key of the last reload, and one of the
# gateways is never reloaded: none is done with.
my $FILES = 32;

# seconds in which every worker takes up what has changed, one that is stopped
# for a while included
my $TAKEN = slow(5);

# and after which the log has what it only counts
my $LATE = 6;

my $NAME = qr/\Asegments:\{live:[0-9a-f]{32}(?::[0-9a-f]{32}\}:create
    |\}:(?:limit:default|paid:.+))\z/x;


sub new {
    my ($class, %args) = @_;

    my $dir = tempdir() . '/seals';
    mkdir $dir or die "$dir: $!\n";

    my $dice = Dice->new($args{run}{seed}, 'seals');
    my $first = bytes($dice);
    my $self = bless {
        %args,
        dir     => $dir,
        names   => bytes($dice),
        first   => key_id($first),
        ids     => [key_id($first)],    # in the order of their use
        retired => {},                  # id => since when it seals nothing
        sealed  => {},                  # id => answers
        salts   => {},
        altered => {},                  # name => what stood there
        later   => [],
        queue   => [],
        count   => { map { $_ => 0 } qw(announced once old away altered) },
    }, $class;

    $self->put('names', $self->{names});
    $self->put('now', $first);
    $self->put("key$_", $_ ? bytes($dice) : $first) for 0 .. $FILES - 1;

    return $self;
}


sub bytes { return pack 'N8', map { $_[0]->roll * 2 ** 32 } 1 .. 8 }


sub directive {
    my ($self) = @_;

    my $dir = $self->{dir};

    return join ' ', 'segments_idempotency_encryption', "key_file=$dir/now",
        (map { "previous=$dir/key$_" } 0 .. $FILES - 1),
        "names_key_file=$dir/names;";
}


# A reload that meets a file which is being written is refused.

sub put {
    my ($self, $name, $key) = @_;

    my $path = "$self->{dir}/$name";

    spew("$path.new", unpack('H*', $key) . "\n");
    rename "$path.new", $path or die "$path: $!\n";

    return;
}


# A key is made known to all before it is used; now and then it is not, and
# gateways meet answers that they cannot open yet.

sub rotate {
    my ($self, $dice) = @_;

    my $number = @{ $self->{ids} };

    return if $number == $FILES;

    if ($self->{turning}) {
        push @{ $self->{queue} }, $dice;
        return;
    }

    my $key = bytes($dice);
    my $once = $dice->chance(0.3);
    my $loop = $self->{run}->loop;

    $self->{turning} = 1;
    $self->{count}{ $once ? 'once' : 'announced' }++;
    $self->{run}->fault('rotate');

    return $self->take($key, $number, 1) if $once;

    $self->put("key$number", $key);
    $loop->after($TAKEN, sub { $self->take($key, $number, 0) });

    return;
}


sub take {
    my ($self, $key, $number, $once) = @_;

    my $run = $self->{run};
    my $before = $self->{ids}[-1];

    push @{ $self->{ids} }, key_id($key);
    $self->put('now', $key);
    $run->clock->begin('key unknown') if $once;

    $run->loop->after($TAKEN, sub {
        $run->clock->finish('key unknown') if $once;
        $self->put("key$number", $key) if $once;
        $self->{retired}{$before} = $run->now;
        $self->{turning} = 0;
        $self->let_go;

        my $next = shift @{ $self->{queue} };
        $self->rotate($next) if $next;
    });

    return;
}


sub queued { return scalar @{ $_[0]{queue} } }

sub over { return @{ $_[0]{ids} } == $FILES && !$_[0]{turning} }


sub later {
    my ($self, $code) = @_;

    push @{ $self->{later} }, $code;

    return;
}


# Also when there will be no other key any more.

sub let_go {
    my ($self) = @_;

    $_->() for splice @{ $self->{later} };

    return;
}


sub name {
    my ($self, $tenant, $key) = @_;

    return 'segments:{live:' . hidden_scope($self->{names}, $tenant) . ':'
        . hidden_key($self->{names}, $tenant, $key) . '}:create';
}


sub limit {
    my ($self) = @_;

    return 'segments:{live:' . hidden_limit($self->{names}, '')
        . '}:limit:default';
}


# any name that there is

sub check_name {
    my ($self, $name) = @_;

    $self->{run}->violation('in the clear', $name) if $name !~ $NAME;

    return;
}


# Sealed answers are counted by their keys; replays that came when another key
# had long been in use opened one that is older.

sub look {
    my ($self, $key, $name, $value) = @_;

    return if $value !~ /\A1a/;

    my ($id, $salt) = seal_of($value);

    if (!defined $id || $value =~ /Content-Type|"serial"/i) {
        $self->{run}->violation('in the clear', $name);
        return;
    }

    $self->{run}->violation('salt reused', $name)
        if $self->{salts}{"$id$salt"}++;

    my $retired = $self->{retired}{$id};

    $self->{sealed}{$id}++;
    $self->{count}{old} += grep { $_ > $retired } @{ $key->{replays} // [] }
        if defined $retired;

    return;
}


# What somebody who can write to Redis may do to an answer.  Then it is tried:
# nobody may have it, and nobody may run it again.

sub alter {
    my ($self, $key) = @_;

    my ($name) = $self->name(@$key{qw(tenant name)});
    my ($value) = $self->{store}->ask(['GET', $name]);

    return $key->settle if !defined $value || !seal_of($value);

    my $bad = $self->altered($key->{plan}{altered}, $name, $value);

    $self->{altered}{$name} = $value;
    $self->{store}->ask(['SET', $name, $bad, 'KEEPTTL']);
    $self->{count}{altered}++;
    $self->{run}->fault('altered');

    $key->try_altered(sub { return $self->restore($key, $name, $bad, @_) });

    return;
}


# "at": from 0 up to, but without, 1

sub altered {
    my ($self, $at, $name, $value) = @_;

    my ($headers, $body) = unpack 'x62 N N', $value;
    my $end = 70 + $headers + $body;
    my @places = (
        61,                                     # status
        44, 59,                                 # token
        70, 70 + $headers, $end - 1,            # headers, body
        $end + 3 + 8, $end + 3 + 24,            # salt, tag
    );
    my $other = $self->{other};
    my $what = int $at * (@places + 3);

    $self->{other} = $value;

    if ($what < @places) {
        substr($value, $places[$what], 1) ^= "\1";

    } elsif ($what == @places) {        # passed off as one in the clear
        substr($value, 2, 1) = "\0";

    } elsif ($what == @places + 1) {    # cut elsewhere
        substr($value, 62, 8) = pack 'N N', $headers - 1, $body + 1;

    } else {                            # another record's
        substr($value, 44) = substr $other // $value, 44;
        substr($value, -1) ^= "\1" if !defined $other;
    }

    return $value;
}


# whatever stands there now, if it is ours; true: it was still altered

sub restore {
    my ($self, $key, $name, $bad) = @_;

    my $store = $self->{store};
    my ($value) = $store->ask(['GET', $name]);
    my $altered = defined $value && $value eq $bad;

    $store->ask(['SET', $name, $self->{altered}{$name}, 'KEEPTTL'])
        if $altered;

    return $altered;
}


# Nothing but what we have altered is not as it was sealed; and a key is not at
# hand only where it was not announced, or a worker slept while it was.  Lines
# of one kind are counted, and the count comes later.

sub read_line {
    my ($self, $line) = @_;

    my ($run, $count) = @$self{qw(run count)};
    my ($more) = $line =~ /: ([0-9]+) times more: /;

    if ($line =~ /an answer cannot be opened/) {
        my ($name) = $line =~ /record: "([^"]+)"/;

        $run->violation('not as it was sealed', $line)
            if defined $name ? !$self->{altered}{$name} : !$count->{altered};

    } elsif ($line =~ /an answer was sealed with a key/) {
        my $from = $run->now - $TAKEN - ($more ? $LATE : 0);

        $count->{away} += $more // 1;
        $run->violation('key not at hand', $line)
            if !grep { $run->clock->disturbed($_, $from, $run->now) }
                'key unknown', qw(stopped slowness);
    }

    return;
}


sub summary {
    my ($self) = @_;

    my ($count, $ids) = @$self{qw(count ids)};

    return sprintf("sealing keys: %u, %u announced and %u at once; answers "
        . "sealed with each:\n    %s\n", scalar @$ids,
        @$count{qw(announced once)}, join ' ', map {
            sprintf '%s: %u', unpack('H4', $_), $self->{sealed}{$_} // 0
        } @$ids)
        . "opened with a key that was not in use any more: $count->{old}; "
        . "refused as its key was not at hand yet: $count->{away}\n"
        . "altered: $count->{altered}, refused: "
        . ($self->{run}{counts}{'altered, refused'} // 0) . "\n";
}


1;
