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
);

my %COMMANDS = (
    'client-kill'  => [qw(CLIENT KILL TYPE normal SKIPME yes)],
    'script-flush' => [qw(SCRIPT FLUSH)],
);


# run => Run, gateways => [...], redis => Segments::RedisServer, lease => ms

sub new {
    my ($class, %args) = @_;

    return bless { %args, queue => [], stopped => {}, busy => 0 }, $class;
}


sub inflict {
    my ($self, $kind, $number) = @_;

    my $dice = $self->{run}->plan->dice('fault', $kind, $number);

    if ($kind =~ /redis|client|script/) {
        push @{ $self->{queue} }, [$kind, $dice];
        return $self->next_of_redis;
    }

    return $ACTIONS{$kind}->($self, $kind, $dice);
}


# how many have to wait

sub queued { return scalar @{ $_[0]{queue} } }

# Redis can be talked to, at once

sub redis_ready { return !$_[0]{busy} }

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
    $self->{run}->clock->begin('redis') if $kind =~ /\Aredis/;
    $self->{run}->clock->moment('hiccup') if $kind !~ /\Aredis/;
    $self->{run}->fault($kind);

    return $ACTIONS{$kind}->($self, $kind, $dice);
}


# Redis is left alone for a moment before the next one.

sub redis_done {
    my ($self) = @_;

    $self->{busy} = 0;
    $self->{run}->loop->after(0.1, sub { $self->next_of_redis });

    return;
}


sub stop_redis {
    my ($self, $kind, $dice) = @_;

    my $lease = $self->{lease} / 1000;
    my $seconds = $dice->chance(0.2) ? $lease * $dice->between(0.5, 1.3)
        : $dice->between(0.02, 0.35);

    $self->{redis}->pause;

    $self->{run}->loop->after($seconds, sub {
        $self->{redis}->resume;
        $self->{run}->clock->finish('redis');
        $self->redis_done;
    });

    return;
}


sub restart_redis {
    my ($self, $kind) = @_;

    $self->{redis}->forget_client;
    $self->{redis}->process->signal($kind eq 'redis-kill' ? 'KILL' : 'TERM');

    $self->wait_for_end;

    return;
}


sub wait_for_end {
    my ($self) = @_;

    my $alive = $self->{redis}->process->alive;

    $self->{redis}->launch if !$alive;

    $self->{run}->loop->after(0.01, sub {
        $alive ? $self->wait_for_end : $self->wait_for_start;
    });

    return;
}


sub wait_for_start {
    my ($self) = @_;

    # an error is an object: it is loading

    if ($self->{redis}->ready && !ref $self->{redis}->cmd('PING')) {
        $self->{run}->clock->finish('redis');
        return $self->redis_done;
    }

    $self->{redis}->process->alive or die "Redis did not start again\n";
    $self->{run}->loop->after(0.01, sub { $self->wait_for_start });

    return;
}


sub tell_redis {
    my ($self, $kind) = @_;

    $self->{redis}->cmd(@{ $COMMANDS{$kind} });
    $self->redis_done;

    return;
}


# whatever is stopped goes on

sub end {
    my ($self) = @_;

    kill 'CONT', keys %{ $self->{stopped} };
    $self->{redis}->resume;

    return;
}


1;
