package Run;

# One run: two gateways, Redis and an upstream, a stream of keys, and faults.
#
#     my $run = Run->new(seed => 1, requests => 5000, ...);
#     $run->go;   print $run->summary;   exit $run->violations ? 1 : 0;

use strict;
use warnings;

use Time::HiRes ();

use Clock;
use ClusterStore;
use Faults;
use Gateway;
use Key;
use Limit;
use Loop;
use Plan;
use Probe;
use Recorder;
use Seals;
use Segments::Nginx;
use Segments::Process;
use Segments::Util qw(slow);
use Store;
use Wire;

# milliseconds; a worker is stopped for up to 1.5 leases, an upstream is slow
# for up to 1.4, so that no time-out of ours strikes but where it is meant to

our %TIMES = (redis => 250, lease => 900, read => 2500);

# keys that are being tried, at most: most of them wait for their next try
my $MOST_KEYS = 1500;

# keys that are checked with one question to Redis
my $BATCH = 32;

# what a worker may grow by after a quarter of the run
my $GROWTH_KB = 4096;
my $GROWTH = 1.15;


# seed, requests, seconds, policy (hold, retry, both), honour, limit, wait,
# concurrency, period, kinds, often, stop (at a violation of that kind), quiet,
# log_level; cluster: Redis is one; front: the second gateway's connections to
# Redis are led through one; encryption: answers are sealed

sub new {
    my ($class, %args) = @_;

    my %times = map { $_ => int slow($TIMES{$_}) } keys %TIMES;

    my $self = bless {
        seed => 1, requests => 5000, policy => 'both', honour => 1,
        limit => 1, concurrency => 64, period => $args{cluster} ? 1000 : 250,
        kinds => [Plan::kinds(grep { $args{$_} } qw(cluster front
            encryption))],
        %args,
        times    => \%times,
        counts   => {},
        faults   => {},
        answers  => {},
        found    => {},
        examples => [],
        number   => 0,
        sent     => 0,
        hit      => 0,
        rare     => $args{least},
        keys     => 0,
        settling => [],
        altering => [],
        effects  => '',
        memory   => [],
    }, $class;

    $self->{plan} = Plan->new(
        lease => $times{lease},
        map { $_ => $self->{$_} } qw(seed policy wait period kinds often),
    );

    return $self;
}


sub start {
    my ($self) = @_;

    my $loop = $self->{loop} = Loop->new;
    my %shared = (times => $self->{times}, wait => $self->{wait},
        limit => $self->{limit}, log_level => $self->{log_level},
        bad => sub { $self->violation(@_) });

    $self->{upstream} = Recorder->start(honour => $self->{honour});
    $self->{store} = $self->{cluster} ? ClusterStore->start
        : Store->start(front => $self->{front});

    $shared{upstream} = $self->{upstream};
    $shared{seals} = $self->{seals}
        = Seals->new(run => $self, store => $self->{store})
        if $self->{encryption};

    my @urls = $self->{store}->urls;

    $self->{gateways} = [
        Gateway->start(%shared, redis => $urls[0], listen => 'reuseport'),
        Gateway->start(%shared, redis => $urls[1], spare => 1,
            http3 => Plan::has_http3()),
    ];

    $self->{clock} = Clock->new(loop => $loop);
    $self->{fault} = Faults->new(run => $self, store => $self->{store},
        gateways => $self->{gateways}, lease => $self->{times}{lease});
    $self->{paid} = Limit->new(run => $self, store => $self->{store},
        $self->{seals} ? (key => $self->{seals}->limit) : ())
        if $self->{limit};
    $self->{wire} = Wire->new(
        loop      => $loop,
        addresses => [map { $_->addresses } @{ $self->{gateways} }],
        patience  => slow(30),
        done      => sub { $self->ended(@_) },
    );

    $self->{probe} = Probe->new(loop => $loop, clock => $self->{clock},
        path => $self->{store}->probe);
    $self->{upstream}->on_late(sub { $self->late(@_) });
    $self->{upstream}->on_slow(sub { $self->{clock}->slow(@_) });
    $loop->on_read($self->{upstream}->fd,
        sub { $self->{upstream}->read_replies });

    return;
}


sub loop     { return $_[0]{loop} }
sub now      { return $_[0]{loop}->now }
sub plan     { return $_[0]{plan} }
sub clock    { return $_[0]{clock} }
sub upstream { return $_[0]{upstream} }
sub paid     { return $_[0]{paid} }
sub seals    { return $_[0]{seals} }


# whether keys of that mode have one effect, as long as Redis keeps its data

sub one_effect { return $_[1] eq 'hold' || $_[0]{honour} }


# Whether a master took the tenant's writes between the two, and lost them.

sub lossy {
    my ($self, $tenant, $from, $to) = @_;

    return $self->{clock}->disturbed("lossy live:$tenant", $from, $to);
}


# the same of keys that were done with, by their names

sub one_effect_late {
    my ($self, $id) = @_;

    my ($tenant, $mode) = $id =~ m{\A(\w+)/([a-z])};

    return $self->one_effect($mode eq 'h' ? 'hold' : 'retry')
        && !$self->lossy($tenant, 0, $self->now);
}


# Seconds: how long a gateway may fail to reach a Redis that is back, the
# longest pause between two tries to connect included; what is left of a
# request whose client is gone; and until when a key may be busy after that.

sub reach { return 2.2 + $_[0]{times}{lease} / 1000 }

sub grace { return ($_[0]{times}{read} + 1.5 * $_[0]{times}{lease}) / 1000
                   + 0.5 }

sub stuck_after { return $_[0]->grace + 2 * $_[0]{times}{lease} / 1000 }


# whether the upstream may have refused the connection

sub refused {
    my ($self, $try) = @_;

    return $self->{clock}->disturbed('upstream', $try->{sent} - 0.5,
        $self->now);
}


# What a gateway does not answer to was on the way when a worker died, which may
# take its time where the machine is busy; or when an old worker, after a
# reload and all that it had to do, closed its connections; or it is an answer
# that is not held, and the upstream cut it.

sub must_answer {
    my ($self, $try) = @_;

    my ($from, $to) = ($try->{sent}, $self->now);

    return !($try->{kind} =~ /cut/ && $try->{key}{plan}{large})
        && !$self->{clock}->disturbed('killed', $from - 2, $to)
        && !($try->{gateway} == 0
            && $self->{clock}->disturbed('reloaded', $from - 6, $to));
}


sub go {
    my ($self) = @_;

    $self->start;
    $self->{started} = Time::HiRes::time();

    my $ok = eval {
        $self->every(0.05, sub { $_->read_log for @{ $self->{gateways} } });
        $self->every(0.05, sub { $self->{probe}->send });
        $self->every(1, sub { $self->each_second });
        $self->work;
        1;
    };

    $self->violation('broken', $@) if !$ok;

    $self->{fault}->end;
    $self->end;
    $self->{seconds} = Time::HiRes::time() - $self->{started};

    return;
}


sub every {
    my ($self, $seconds, $code) = @_;

    $self->{loop}->after($seconds, sub {
        $code->();
        $self->every($seconds, $code);
    });

    return;
}


sub work {
    my ($self) = @_;

    while (!$self->finished) {
        $self->feed if !$self->enough;
        $self->{clock}->tick($self->{loop}->turn);
        $self->settle_batch if $self->{drained} || @{ $self->{settling} }
            >= $BATCH;
        $self->alter_batch if @{ $self->{altering} };
    }

    return;
}


sub enough {
    my ($self) = @_;

    return 1 if $self->{seconds_at_most}
        && $self->now > $self->{started} + $self->{seconds_at_most};

    return $self->{sent} >= $self->{requests}
        && (!$self->{rare} || $self->{sent} >= 4 * $self->{requests});
}


# whether a kind of fault has not come often enough yet, as of a second ago

sub look_for_rare {
    my ($self) = @_;

    $self->{upstream}->counts(sub {
        my ($counts) = @_;

        my %faults = (%$counts, %{ $self->{faults} });

        $self->{rare} = grep { ($faults{$_} // 0) < $self->{least} }
            @{ $self->{kinds} };
    });

    return;
}


sub finished {
    my ($self) = @_;

    return 1 if $self->{stopped};
    return 0 if !$self->enough;

    $self->{drained} //= $self->now;

    if ($self->now > $self->{drained} + slow(120)) {
        $self->violation('unfinished', "$self->{keys} keys");
        return 1;
    }

    return !$self->{keys} && $self->{fault}->quiet && !$self->{checking};
}


sub feed {
    my ($self) = @_;

    $self->{fault}->inflict(@$_) for $self->{plan}->due($self->{sent});

    # a plan is by requests: they do not run away from it, unless they are
    # what a fault waits for

    return if $self->{fault}->queued > 1 && !$self->{fault}->wants_requests
        || $self->{seals} && $self->{seals}->queued > 1;

    while ($self->{wire}->inflight < $self->{concurrency}
        && $self->{keys} < $MOST_KEYS)
    {
        my $plan = $self->{plan}->key($self->{number}++);

        for my $tenant (@{ $plan->{tenants} }) {
            $self->{keys}++;
            Key->new(run => $self, plan => $plan, tenant => $tenant)->start;
        }

        $self->{faults}{twins}++ if @{ $plan->{tenants} } > 1;
        $self->{faults}{'other-body'}++ if $plan->{other};
    }

    return;
}


sub send {
    my ($self, $try) = @_;

    # The second gateway is left alone for a moment: the first does it, but for
    # what only that one can.

    if ($self->{fault}->spares_gateway) {
        if ($try->{protocol} eq 'h3') {
            $try->{sent} = $self->now;
            $self->{loop}->after(0.1, sub { $self->send($try) });
            return;
        }

        $try->{gateway} = 0;
    }

    $try->{number} = ++$self->{sent};

    return $self->{wire}->send($try);
}


# the number of the last one

sub sent { return $_[0]{sent} }


sub ended {
    my ($self, $try, $answer, $why) = @_;

    my $how = ($why // '') eq 'aborted' ? "abort-$try->{abort}[0]" : undef;

    $self->{faults}{$how}++ if $how;
    $self->{counts}{$why}++ if $why;
    $self->{hit}++ if $why
        || grep({ $self->{clock}->disturbed($_, $try->{sent}, $self->now) }
            qw(redis hiccup))
        || $try->{kind} ne 'ok' && $answer->{mark} !~ /replay|progress|mism/;

    $self->{fault}->heard($try, $answer) if $answer;

    return $try->{key}->ended($try, $answer, $why);
}


sub fault { $_[0]{faults}{ $_[1] }++; return }
sub count { $_[0]{counts}{ $_[1] }++; return }

sub count_answer {
    my ($self, $status, $mark, $code) = @_;

    $self->{answers}{"$status " . ($mark || '-')}++;

    return;
}


# A key is done with: its last check, many at a time.

sub settle {
    my ($self, $key) = @_;

    push @{ $self->{settling} }, $key;

    return;
}


sub settle_batch {
    my ($self) = @_;

    return if !$self->{fault}->redis_ready;

    my @keys = splice @{ $self->{settling} };
    my @names = map { $self->record_name($_) } @keys;
    my $store = $self->{store};
    my @left = @names ? $store->ask(map { ['PTTL', $_] } @names) : ();
    my @values = @names && $self->{seals}
        ? $store->ask(map { ['GET', $_] } @names) : ();

    for my $i (0 .. $#keys) {
        my $key = $keys[$i];

        $key->violation('no expiry', $names[$i]) if $left[$i] == -1;
        $key->violation('no record', $names[$i])
            if $left[$i] == -2 && defined $key->{answer} && !$key->may_be_lost;
        $self->{seals}->look($key, $names[$i], $values[$i])
            if defined $values[$i];

        $self->{checking}++;
        $self->{upstream}->entry($key->{id}, sub {
            $self->{checking}--;
            $self->{keys}--;
            $self->{counts}{keys}++;
            $self->remember($key->{id}, $key->check_entry($_[0]));
        });
    }

    $store->remove(@names) if @names;

    # what a claim forgot, its end makes good: only a look meanwhile shows it

    $self->check_keys if !$self->{cluster};

    return;
}


sub record_name {
    my ($self, $key) = @_;

    return $self->{seals} ? $self->{seals}->name(@$key{qw(tenant name)})
        : "segments:{live:$key->{tenant}:$key->{name}}:create";
}


# A key whose stored answer is to be altered; and what comes of it, which is
# called once Redis can be talked to.

sub alter {
    my ($self, $code) = @_;

    push @{ $self->{altering} }, $code;

    return;
}


sub alter_batch {
    my ($self) = @_;

    return if !$self->{fault}->redis_ready;

    $_->() for splice @{ $self->{altering} };

    return;
}


# how many effects a key had, in two bits for each tenant

my %TENANTS = (ada => 0, bob => 1, cy => 2, dan => 3);

sub remember {
    my ($self, $id, $effects) = @_;

    vec($self->{effects}, place($id), 2) = $effects > 3 ? 3 : $effects;
    $self->{counts}{effects} += $effects;

    return;
}


sub place {
    my ($id) = @_;

    my ($tenant, $number) = $id =~ m{\A(\w+)/[a-z]([0-9]+)\z};

    return 4 * $number + $TENANTS{$tenant};
}


# an effect of a key that was done with

sub late {
    my ($self, $id, $entry) = @_;

    $self->violation('two effects', "$id, long after its end")
        if @{ $entry->{effects} } > 1 && $self->one_effect_late($id);
    $self->count('late effects');

    return;
}


sub each_second {
    my ($self) = @_;

    $self->{wire}->check_patience;
    $self->{paid}->check if $self->{paid};
    $self->{clock}->prune;
    $self->look_for_rare if $self->{least};
    $self->{seals}->let_go
        if $self->{seals} && ($self->{drained} || $self->{seals}->over);

    my $part = $self->{sent} / $self->{requests};

    push @{ $self->{memory} }, [$part, $self->{gateways}[1]->memory];

    return if $self->{quiet} || ++$self->{beat} % 10;

    my $passed = $self->now - $self->{started};

    printf "%5.0f s  %8u requests  %5.0f/s  %7u keys  %6u waiting  "
        . "%u violations\n", $passed, $self->{sent}, $self->{sent} / $passed,
        $self->{counts}{keys} // 0, $self->{keys},
        scalar $self->violations;

    return;
}


# when nothing is at work any more

sub end {
    my ($self) = @_;

    eval {
        $self->{paid}->check if $self->{paid};
        $self->ask_counts;
        $self->check_unread if !$self->{stopped};
        $self->check_keys;
        $self->check_worker if !$self->{stopped};
        1;
    } or $self->violation('broken', $@);

    $self->{wire}->close_all;

    for my $gateway (@{ $self->{gateways} }) {

        # A leak shows only in a graceful end.  One that lasts is nginx' own:
        # without buffers, and with the client's end ignored, an answer that
        # waits for the window of an HTTP/2 client that has gone is given up
        # after send_timeout, and until then the worker stays.

        $self->{stopped} ? $gateway->nginx->stop : $gateway->nginx->quit(20)
            || $self->violation('broken', 'nginx does not end');
        $gateway->read_log;
        $self->violation('sanitizer', $_) for grep { !/\[(?:alert|emerg)\]/ }
            $gateway->nginx->complaints;
    }

    Segments::Process::stop_all();

    return;
}


sub ask_counts {
    my ($self) = @_;

    my $counts;

    $self->{upstream}->counts(sub { $counts = $_[0] });
    $self->{upstream}->read_replies while !$counts;

    $self->{faults}{$_} = $counts->{$_} for grep { $_ ne 'ok' } keys %$counts;

    return;
}


# effects of keys that were done with, and had one already

sub check_unread {
    my ($self) = @_;

    my $unread;

    $self->{upstream}->unread(sub { $unread = $_[0] });
    $self->{upstream}->read_replies while !$unread;

    for my $id (sort keys %$unread) {
        my $effects = $unread->{$id} + vec($self->{effects}, place($id), 2);

        $self->violation('two effects', "$id, after its end")
            if $effects > 1 && $self->one_effect_late($id);
    }

    return;
}


# keys that nobody asked for any more, too

sub check_keys {
    my ($self) = @_;

    for my $redis ($self->{store}->servers) {
        my $cursor = 0;

        do {
            my $found;
            ($cursor, $found)
                = @{ $redis->cmd('SCAN', $cursor, 'COUNT', 1000) };

            my @left = @$found
                ? $redis->client->pipeline(map { ['PTTL', $_] } @$found) : ();

            # an error is an object: a run that was stopped leaves a slot half
            # moved

            $self->violation('no expiry', $found->[$_])
                for grep { !ref $left[$_] && $left[$_] == -1 } 0 .. $#left;

            if ($self->{seals}) {
                $self->{seals}->check_name($_) for @$found;
            }
        } while $cursor;
    }

    return;
}


# The worker that is never killed, once it has no client any more.

sub check_worker {
    my ($self) = @_;

    my $gateway = $self->{gateways}[1];

    $self->{wire}->close_all;
    $self->{loop}->turn for 1 .. 20;

    my $kb = $gateway->memory or return;
    my $open = $gateway->descriptors;
    my ($warm) = map { $_->[1] } grep { $_->[0] >= 0.25 } @{ $self->{memory} };
    my $bound = ($warm // 0) * $GROWTH > ($warm // 0) + $GROWTH_KB
        ? $warm * $GROWTH : ($warm // 0) + $GROWTH_KB;

    $self->{worker} = sprintf 'memory %u kB, %u kB after a quarter of the run;'
        . ' %u descriptors', $kb, $warm // 0, $open;

    # both gateways' listening sockets, Redis, idle connections to the upstream
    # and nginx' own

    $self->violation('descriptors', "$open are open")
        if $open > ($self->{cluster} ? 54 : 48);

    return if $self->{sent} < 20_000 || $ENV{TEST_NGINX_BINARY};

    $self->violation('memory', $self->{worker}) if $kb > $bound;

    return;
}


sub violation {
    my ($self, $kind, $text) = @_;

    $self->{found}{$kind}++;
    $self->{stopped} = 1
        if $self->{stop} && $kind =~ /\A(?:$self->{stop})\z/;

    return if @{ $self->{examples} } >= 20;

    push @{ $self->{examples} }, "$kind: $text";
    printf "VIOLATION after %.1f s, %s: %s\n", $self->now - $self->{started},
        $kind, $text if !$self->{quiet};

    return;
}


# kinds of violations, in the order of their number

sub violations {
    my ($self) = @_;

    return map { ($_) x $self->{found}{$_} } sort keys %{ $self->{found} };
}


sub title {
    my ($self) = @_;

    return sprintf 'seed %s, %u requests, policy %s, %s%s%s, a fault of each '
        . "kind every %u requests\n", @$self{qw(seed requests policy)},
        $self->{honour} ? 'the upstream honours keys'
            : 'the upstream ignores keys',
        $self->{wait} ? ", waiting $self->{wait}" : '',
        $self->{cluster} ? ', Redis is a cluster' : $self->{encryption}
            ? ', answers are sealed' : '', $self->{period};
}


sub summary {
    my ($self) = @_;

    my %found = %{ $self->{found} };
    my %faults = %{ $self->{faults} };

    my $text = $self->title . sprintf "%u requests in %.0f s (%.0f/s), "
        . "%u hit by a fault (%.0f%%), %u keys, %u effects\n", $self->{sent},
        $self->{seconds}, $self->{sent} / $self->{seconds}, $self->{hit},
        100 * $self->{hit} / ($self->{sent} || 1),
        map { $_ // 0 } @{ $self->{counts} }{qw(keys effects)};

    $text .= "faults:\n" . table(map { $_ => $faults{$_} // 0 }
        @{ $self->{kinds} });
    $text .= "answers:\n" . table(map { $_ => $self->{answers}{$_} }
        sort keys %{ $self->{answers} });
    $text .= "no answer:\n" . table(map { $_ => $self->{counts}{$_} // 0 }
        qw(cut aborted refused silent), 'late effects');
    $text .= sprintf "trials: %u\n", $self->{counts}{trials} // 0
        if $self->{cluster} || $self->{front};
    $text .= $self->{paid}->summary if $self->{paid};
    $text .= $self->{seals}->summary if $self->{seals};
    $text .= "worker that lived through it: $self->{worker}\n"
        if $self->{worker};
    $text .= "violations:\n" . (%found ? table(map { $_ => $found{$_} }
        sort keys %found) : "    none\n");

    return $text;
}


sub table {
    my @rows;

    while (my ($name, $value) = splice @_, 0, 2) {
        push @rows, sprintf "    %-24s %8u\n", $name, $value;
    }

    return join '', @rows;
}


1;
