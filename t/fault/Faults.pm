package Faults;

# What is done to workers and to Redis.  Of Redis' faults one is done at a
# time, the others wait.

use strict;
use warnings;

my %ACTIONS = (
    'kill'         => \&kill_worker,
    'stop'         => \&stop_worker,
    'stop-long'    => \&stop_worker,
    'reload'       => \&reload,
    'redis-stop'   => \&stop_redis,
    'redis-term'   => \&restart_redis,
    'redis-kill'   => \&restart_redis,
    'client-kill'  => \&tell_redis,
    'script-flush' => \&tell_redis,
    'no-upstream'  => \&refuse_connections,
    'move-slot'    => \&move_slot,
    'cut-off'      => \&cut_off,
    'forget'       => \&forget_connections,
    'rotate'       => \&rotate_keys,
);

my %COMMANDS = (
    'client-kill'  => [qw(CLIENT KILL TYPE normal SKIPME yes)],
    'script-flush' => [qw(SCRIPT FLUSH)],
);


# for how many seconds of a trial this process may have been late, and some
# worker stopped
my $LATE = 0.3;

# seconds without a byte after which a gateway doubts a connection
my $QUIET = 1.1;

# Of a trial, whose requests need only what a fault has left usable, so many
# must have been heard of at a gateway, and not most of them refused.
my $TRIAL = 6;

# how many requests a fault needs that takes its time
my $WANTED = 60;


# run => Run, gateways => [...], store => Store, lease => ms

sub new {
    my ($class, %args) = @_;

    return bless { %args, queue => [], stopped => {}, busy => 0,
                   wants => 0 }, $class;
}


sub inflict {
    my ($self, $kind, $number) = @_;

    my $dice = $self->{run}->plan->dice('fault', $kind, $number);

    if ($kind =~ /redis|client|script|slot|cut-off|forget/) {
        push @{ $self->{queue} }, [$kind, $dice];
        return $self->next_of_redis;
    }

    return $ACTIONS{$kind}->($self, $kind, $dice);
}


# how many have to wait

sub queued { return scalar @{ $_[0]{queue} } }

# Redis can be talked to, at once

sub redis_ready { return !$_[0]{busy} || $_[0]{usable} }


# whether the second gateway is to be left alone for the moment

sub spares_gateway { return $_[0]{spared} }


# whether there must be some, though other faults are due

sub wants_requests { return $_[0]{wants} > 0 }


sub quiet { return !$_[0]{busy} && !@{ $_[0]{queue} }
                   && !%{ $_[0]{stopped} } }


sub kill_worker {
    my ($self, $kind, $dice) = @_;

    my $gateway = $dice->pick(@{ $self->{gateways} });
    my $pid = $gateway->victim($dice->roll) or return;
    my $clock = $self->{run}->clock;

    $gateway->kill($pid) or return;
    $clock->moment("worker $pid");
    $clock->moment('killed');

    $self->{run}->fault($kind);

    return;
}


sub stop_worker {
    my ($self, $kind, $dice) = @_;

    my @pids = grep { !$self->{stopped}{$_} }
        $dice->pick(@{ $self->{gateways} })->workers;
    my $lease = $self->{lease} / 1000;
    my $seconds = $kind eq 'stop' ? $dice->between(0.02, 0.3)
        : $lease * $dice->between(1.1, 1.5);

    my $pid = $dice->pick(@pids) // return;
    my $clock = $self->{run}->clock;

    kill 'STOP', $pid or return;

    $self->{stopped}{$pid} = 1;
    $clock->begin("worker $pid");
    $clock->begin('stopped');
    $self->{run}->fault($kind);

    $self->{run}->loop->after($seconds, sub {
        kill 'CONT', $pid;
        delete $self->{stopped}{$pid};
        $clock->finish("worker $pid");
        $clock->finish('stopped');
    });

    return;
}


sub reload {
    my ($self, $kind) = @_;

    $self->{gateways}[0]->reload;
    $self->{run}->clock->moment('reloaded');
    $self->{run}->fault($kind);

    return;
}


sub rotate_keys {
    my ($self, $kind, $dice) = @_;

    return $self->{run}->seals->rotate($dice);
}


sub refuse_connections {
    my ($self, $kind, $dice) = @_;

    my $seconds = $dice->between(0.05, 0.3);
    my $clock = $self->{run}->clock;

    $self->{run}->upstream->refuse($seconds);
    $self->{run}->fault($kind);
    $clock->begin('upstream');
    $self->{run}->loop->after($seconds, sub { $clock->finish('upstream') });

    return;
}


sub next_of_redis {
    my ($self) = @_;

    return if $self->{busy};

    my $next = shift @{ $self->{queue} } or return;
    my ($kind, $dice) = @$next;

    $self->{busy} = 1;
    $self->{usable} = 0;
    $self->{run}->clock->begin('redis') if $kind =~ /\Aredis/;
    $self->{run}->clock->moment('hiccup') if $kind !~ /\Aredis/;
    $self->{run}->fault($kind);

    return $ACTIONS{$kind}->($self, $kind, $dice);
}


# Redis is left alone for a moment before the next one.

sub redis_done {
    my ($self) = @_;

    $self->{busy} = 0;
    $self->{usable} = 0;
    $self->{run}->loop->after(0.1, sub { $self->next_of_redis });

    return;
}


sub stop_redis {
    my ($self, $kind, $dice) = @_;

    my $lease = $self->{lease} / 1000;
    my $seconds = $dice->chance(0.2) ? $lease * $dice->between(0.5, 1.3)
        : $dice->between(0.02, 0.35);
    my $server = $self->{store}->victim($dice);

    $server->pause;

    $self->after($seconds, sub {
        $server->resume;
        $self->wait_for_start($server);
    });

    return;
}


sub restart_redis {
    my ($self, $kind, $dice) = @_;

    my $server = $self->{store}->victim($dice);

    $server->forget_client;
    $server->process->signal($kind eq 'redis-kill' ? 'KILL' : 'TERM');

    $self->wait_for_end($server);

    return;
}


sub wait_for_end {
    my ($self, $server) = @_;

    my $alive = $server->process->alive;

    $server->launch if !$alive;

    $self->after(0.01, sub {
        $alive ? $self->wait_for_end($server) : $self->wait_for_start($server);
    });

    return;
}


sub wait_for_start {
    my ($self, $server) = @_;

    if ($self->{store}->ready($server)) {
        $self->{run}->clock->finish('redis');
        return $self->redis_done;
    }

    $server->process->alive or die "Redis did not start again\n";
    $self->after(0.01, sub { $self->wait_for_start($server) });

    return;
}


sub tell_redis {
    my ($self, $kind, $dice) = @_;

    $self->{store}->victim($dice)->cmd(@{ $COMMANDS{$kind} });
    $self->redis_done;

    return;
}


# A slot of a cluster that is in use, to a node that does not have the scripts,
# key by key.

sub move_slot {
    my ($self, $kind, $dice) = @_;

    my $store = $self->{store};
    my $tag = $store->busy_tag($dice);
    my $from = $store->owner($tag);
    my $to = $dice->pick(grep { $_ != $from } $store->servers);

    $to->cmd('SCRIPT', 'FLUSH');
    $store->begin_move($tag, $to);

    return $self->move_keys($tag, $to, int $dice->between(5, 30),
        int $dice->between(1, 30));
}


sub move_keys {
    my ($self, $tag, $to, $steps, $keys) = @_;

    my $store = $self->{store};

    $self->{run}->clock->moment('hiccup');

    if ($store->move_some($tag, $to, $keys) || $steps > 0) {
        $to->cmd('SCRIPT', 'FLUSH') if $steps == 3;
        $self->after(0.01, sub {
            $self->move_keys($tag, $to, $steps - 1, $keys + 1);
        });

        return;
    }

    $store->end_move($tag, $to);
    $self->redis_done;

    return;
}


# A master that is cut off from its cluster, and answers: it takes writes for a
# while, which are lost.  Once another one has replaced it, the gateways must
# not go on asking it.

sub cut_off {
    my ($self, $kind, $dice) = @_;

    my $server = $self->{store}->speaker($dice);

    return $self->cut_off_soon($server, $self->{run}->now + 60);
}


sub cut_off_soon {
    my ($self, $server, $limit) = @_;

    my $store = $self->{store};

    if (!$store->replica($server)) {
        die "a master has no replica\n" if $self->{run}->now > $limit;

        $self->after(0.05, sub { $self->cut_off_soon($server, $limit) });
        return;
    }

    my $cut = sub { $self->cut_off_now($server) };

    return $self->pays_at($server) ? $self->{run}->paid->may_lose($cut)
        : $cut->();
}


sub pays_at {
    my ($self, $server) = @_;

    return $self->{run}->paid && $self->{store}->owner('live:') == $server;
}


# what has been said until the replica has it all is not lost

sub cut_off_now {
    my ($self, $server) = @_;

    my ($run, $store) = @$self{qw(run store)};
    my $holds = $store->holds($server);

    $run->clock->begin($_) for 'redis', map { "lossy live:$_" } $store->tenants;
    $self->{wants} = $WANTED;

    my $replica = $store->replica($server) or die "a replica was lost\n";

    $store->promote($replica, 1);
    $store->part($server);

    return $self->wait_for_other($server, $replica, $holds, $run->now + 60);
}


sub wait_for_other {
    my ($self, $server, $replica, $holds, $limit) = @_;

    my ($run, $store) = @$self{qw(run store)};

    if (!$store->replaced($server, $replica)) {
        die "a master was not replaced\n" if $run->now > $limit;

        $self->after(0.02, sub {
            $self->wait_for_other($server, $replica, $holds, $limit);
        });
        return;
    }

    my $paid = $self->pays_at($server);

    $store->promote($replica, 0);
    $store->refresh;
    $run->clock->finish($_) for 'redis',
        map { "lossy live:$_" } $store->tenants;

    $paid ? $run->paid->has_lost(sub { $self->{usable} = 1 })
        : ($self->{usable} = 1);

    $self->after(1, sub {
        $self->try_out('stale node believed', 1.5,
            sub { $holds->("live:$_[0]{key}{tenant}:$_[0]{key}{name}") }, sub {
                $store->join_again($server);
                $self->wait_for_all($run->now + 60);
            });
    });

    return;
}


sub wait_for_all {
    my ($self, $limit) = @_;

    return $self->redis_done if $self->{store}->whole;

    die "a cluster does not come together again\n"
        if $self->{run}->now > $limit;

    $self->after(0.05, sub { $self->wait_for_all($limit) });

    return;
}


# Connections that are idle, whose loss must cost nothing; or all that there
# are, which is as if Redis were silent.

sub forget_connections {
    my ($self, $kind, $dice) = @_;

    my ($run, $store) = @$self{qw(run store)};

    $self->{usable} = 1;

    if ($dice->chance(0.3)) {
        $run->clock->begin('redis');
        $store->front->forget(0);
        $self->after($QUIET, sub {
            $run->clock->finish('redis');
            $self->redis_done;
        });

        return;
    }

    $self->{spared} = 1;

    return $self->forget_idle($run->now + $QUIET + 5);
}


sub forget_idle {
    my ($self, $limit) = @_;

    my ($run, $store) = @$self{qw(run store)};
    my ($forgotten, $others) = $store->front->forget($QUIET);

    if ($others && $run->now < $limit) {
        $self->after(0.05, sub { $self->forget_idle($limit) });
        return;
    }

    delete $self->{spared};

    return $self->try_out('forgotten', 0.3, sub { $_[0]{gateway} == 1 },
        sub { $self->redis_done });
}


# What becomes of the requests that are sent within so many seconds and for
# which the code is true; then the other code.  A machine that is slow, or
# another fault, may have kept a gateway from Redis.

sub try_out {
    my ($self, $name, $seconds, $counts, $then) = @_;

    my $run = $self->{run};
    my $from = $run->now;
    my $trial = $self->{trial} = { from => $from, to => $from + $seconds,
        counts => $counts, gateways => [map { [0, 0] } 0, 1] };

    $self->{wants} = $WANTED;

    $self->after($seconds + 1, sub {
        delete $self->{trial};
        $self->{wants} = 0;

        my @why = grep { $run->clock->disturbed_for($_, $from, $run->now)
            > $LATE } qw(late stopped);

        $self->judge($name, $_) for @why ? () : @{ $trial->{gateways} };
        $then->();
    });

    return;
}


sub heard {
    my ($self, $try, $answer) = @_;

    $self->{wants}--;

    my $trial = $self->{trial} or return;

    return if $try->{sent} < $trial->{from} || $try->{sent} > $trial->{to}
        || !$trial->{counts}->($try);

    $trial->{gateways}[ $try->{gateway} ][ $answer->{code} eq 'storage_error'
        ? 1 : 0 ]++;

    return;
}


sub judge {
    my ($self, $name, $gateway) = @_;

    my ($served, $refused) = @$gateway;

    return if $served + $refused < $TRIAL;

    $self->{run}->count('trials');
    $self->{run}->violation($name, "$refused requests were refused, $served "
        . 'were not') if $refused > $served;

    return;
}


sub after {
    my ($self, $seconds, $code) = @_;

    return $self->{run}->loop->after($seconds, $code);
}


# whatever is stopped goes on

sub end {
    my ($self) = @_;

    kill 'CONT', keys %{ $self->{stopped} };
    $self->{store}->resume;

    return;
}


1;
