package Key;

# One tenant's key: the clients that try it until they have a final answer, and
# the check of all that they were told, against docs/promises.md.
#
# The clients (lanes) of a key: the first, its copies, one with another body,
# then those that come once an answer is known: again, at once, and a recheck
# when all is over; where answers are sealed, one when another key is in use,
# and one that finds the answer altered.

use strict;
use warnings;

# tries of a client, and seconds with a sound Redis, before it gives up
my $MAX_TRIES = 200;
my $MAX_SECONDS = 25;

# seconds that are enough for anything besides the times of the configuration
my $MARGIN = 3;


# run => the Run, plan => of Plan::key, tenant

sub new {
    my ($class, %args) = @_;

    my $self = bless {
        %args,
        name     => $args{plan}{name},
        id       => "$args{tenant}/$args{plan}{name}",
        mode     => $args{plan}{mode},
        lanes    => 0,
        inflight => {},
        variants => {},
    }, $class;

    my $run = $self->{run};

    $self->{since} = $run->now;
    $self->{active} = $run->clock->sound;

    return $self;
}


sub start {
    my ($self) = @_;

    my $plan = $self->{plan};

    $self->lane('first', 0);

    for my $i (1 .. $plan->{copies}) {
        $self->lane("copy$i", 0, 0.03);
    }

    $self->lane('other', 1, 0.03) if ($plan->{other} // '') eq 'early';

    return;
}


# a client with body number "variant", some time within so many seconds

sub lane {
    my ($self, $what, $variant, $within) = @_;

    my $run = $self->{run};
    my $dice = $run->plan->dice('lane', @$self{qw(id)}, $what);
    my $lane = { what => $what, variant => $variant, dice => $dice, tried => 0,
                 since => $run->clock->sound };

    $self->{lanes}++;

    return $self->try($lane) if !$within;

    $run->loop->after($dice->between(0, $within), sub { $self->try($lane) });

    return;
}


sub try {
    my ($self, $lane) = @_;

    my $run = $self->{run};
    my $plan = $self->{plan};
    my $try = $run->plan->try($lane->{dice}, $lane->{tried}++);

    # the copies shall meet it

    $try->{delay} += 30 if $lane->{what} eq 'first' && $plan->{copies};

    # a recheck that never gets through would prove nothing

    if ($lane->{what} =~ /\A(?:recheck|altered)\z/) {
        delete $try->{abort};
        $try->{protocol} = 'h1' if $try->{protocol} eq 'h3';
    }

    $try->{key} = $self;
    $try->{lane} = $lane;
    $try->{uri} = '/' . substr($self->{mode}, 0, 1)
        . ($try->{waits} ? 'w' : '');
    $try->{body} = sprintf '{"name":"%s:%u","conditions":[]}', $self->{name},
        $lane->{variant};
    $try->{headers} = [
        "Idempotency-Key: $self->{name}", "X-Tenant: $self->{tenant}",
        "X-Plan: @$try{qw(kind delay)} @$plan{qw(status size framing)}",
    ];

    $self->{variants}{ $lane->{variant} } = 1;
    $self->{inflight}{$try} = $try;

    $run->send($try);

    return;
}


# Wire calls it for each try.

sub ended {
    my ($self, $try, $answer, $why) = @_;

    my $lane = $try->{lane};

    delete $self->{inflight}{$try};

    return $self->ended_altered($lane, $answer) if $lane->{what} eq 'altered';

    my $word = $answer ? $self->judge($try, $answer) : $why;

    $self->{history} .= sprintf ' %s:%s', $lane->{what}, $word
        if length($self->{history} // '') < 2000;

    # a gateway may be at it still

    $self->{doubtful} = $self->{run}->now if !$answer;
    $self->{unread} = $self->{run}->now
        if !$answer && $try->{protocol} eq 'h3';
    $lane->{sent} = 1 if $word ne 'in-progress';

    $self->violation('unanswered', 'no answer for too long')
        if $word eq 'silent';

    $self->violation('cut', 'without an answer')
        if $word eq 'cut' && $self->{run}->must_answer($try);

    if ($word eq 'in-progress') {
        $self->check_stuck($try);

        # unless it is told of a claim of its own that was not given back yet

        $self->violation('no mismatch', 'of another body', $answer)
            if $lane->{what} eq 'other' && !$lane->{sent} && !$self->at_risk;

    } else {
        $self->{active} = $self->{run}->clock->sound;
    }

    return $self->finished($lane, $word)
        if $word =~ /\A(?:answer|mismatch|not-kept)\z/
        || $word eq 'held' && $answer->{code} eq 'idempotency_outcome_unknown';

    if ($lane->{tried} >= $MAX_TRIES
        || $self->{run}->clock->sound - $lane->{since} > $MAX_SECONDS)
    {
        $self->violation('given up', "after $lane->{tried} tries");
        return $self->finished($lane, 'given up');
    }

    $self->{run}->loop->after($self->{run}->plan->pause($lane->{dice}, $word,
        $answer && $answer->{retry_after}), sub { $self->try($lane) });

    return;
}


# One word for an answer; everything that is wrong with it is reported.

sub judge {
    my ($self, $try, $answer) = @_;

    my ($status, $mark, $code) = @$answer{qw(status mark code)};

    $self->{run}->count_answer($status, $mark, $code);

    my $late = defined $self->{answer}
        && $try->{number} > $self->{known_since};

    push @{ $self->{replays} }, $try->{sent} if $mark eq 'replayed';

    $self->check_settled($try, $answer) if $late;

    $self->violation('unexpected answer', "replayed marker, $mark", $answer)
        if $answer->{replayed} != ($mark eq 'replayed' ? 1 : 0);

    return $self->check_kept($try, $answer)
        if $mark eq 'recorded' || $mark eq 'replayed';

    return $self->check_mismatch($try, $answer)
        if $status == 422 && $mark eq 'mismatch';

    return 'in-progress' if $status == 409 && $mark eq 'in-progress'
        && $code eq 'idempotency_in_progress' && $answer->{retry_after};

    return $self->check_effect($try, $answer)
        if $status < 300 && $mark eq 'unstored';

    return 'answer'             # of another owner's try, stored or not
        if $mark eq 'unstored' && $status == $self->{plan}{status};

    return 'storage' if $status == 503 && $mark eq ''
        && $code eq 'storage_error' && $answer->{retry_after};

    return 'refused' if $mark eq 'unstored'
        && ($status == 429 || $code eq 'upstream_unauthorized');

    return 'refused' if $mark eq 'unstored' && $status == 502
        && $code eq 'network_error' && $self->{run}->refused($try);

    return 'held' if $status >= 500 && $mark eq 'held'
        && $self->{mode} eq 'hold';

    return 'failed' if $status >= 500 && $mark eq 'unstored'
        && $self->{mode} eq 'retry';

    $self->violation('unexpected answer', 'not one of those documented',
        $answer);

    return 'unexpected';
}


# after an answer is known to be stored

sub check_settled {
    my ($self, $try, $answer) = @_;

    my ($status, $mark) = @$answer{qw(status mark)};

    return if $status == 503 && $mark eq '';

    if ($try->{lane}{variant} != $self->{variant}) {
        return if $status == 422 && $mark eq 'mismatch';
        return if $self->may_be_lost;

        return $self->violation('mismatch accepted',
            'another body after the answer', $answer);
    }

    return if $mark eq 'replayed' || $self->may_be_lost;

    return $self->violation('not replayed',
        "after a recorded answer, to $try->{lane}{what}", $answer);
}


# an answer that is marked as recorded

sub check_kept {
    my ($self, $try, $answer) = @_;

    my $large = $self->{plan}{large};

    if ($large && $answer->{mark} eq 'replayed' && $answer->{status} == 409
        && $answer->{code} eq 'idempotency_answer_not_kept')
    {
        $self->known($try, 'large');
        return 'not-kept';
    }

    if ($answer->{status} != $self->{plan}{status}) {
        $self->violation('wrong answer kept', 'a status not to be remembered',
            $answer);
        return 'unexpected';
    }

    $self->check_effect($try, $answer);

    my $kept = $large && $answer->{mark} eq 'recorded' ? 'large'
        : $answer->{kept};

    $self->forget_answer if defined $self->{answer} && $kept ne $self->{answer}
        && $self->may_be_lost;

    $self->violation('answers differ', "first: $self->{answer}", $answer)
        if defined $self->{answer} && $kept ne $self->{answer};

    $self->known($try, $kept);

    return 'answer';
}


# what every later try gets, too

sub known {
    my ($self, $try, $kept) = @_;

    return if defined $self->{answer};

    my $plan = $self->{plan};

    $self->{answer} = $kept;
    $self->{variant} = $try->{lane}{variant};
    $self->{known_since} = $self->{run}->sent;
    $self->{known} = [$try->{sent}, $self->{run}->now];
    $self->{first_known} //= $self->{run}->now;

    return if $self->{told}++;

    $self->lane('again', $self->{variant}) if $plan->{again};
    $self->lane('late', 1 - $self->{variant})
        if ($plan->{other} // '') eq 'late';

    return;
}


# Whether the answer may have been stored by a master that has lost it since:
# cut off from its cluster, and replaced.

sub may_be_lost {
    my ($self) = @_;

    return $self->{run}->lossy($self->{tenant}, @{ $self->{known} });
}


# what is not known any more, and may be found out anew

sub forget_answer {
    my ($self) = @_;

    delete @$self{qw(answer variant effect known known_since)};

    return;
}


# whether any claim or answer may be lost, before the first that is certain

sub at_risk {
    my ($self) = @_;

    return $self->{run}->lossy($self->{tenant}, $self->{since},
        $self->{first_known} // $self->{run}->now);
}


# With what Redis loses goes what it knows of the key, but the upstream still
# gets the same one for the same body.

sub one_effect {
    my ($self) = @_;

    return $self->{run}->one_effect($self->{mode}) && (!$self->at_risk
        || $self->{mode} eq 'retry' && keys %{ $self->{variants} } == 1);
}


sub check_effect {
    my ($self, $try, $answer) = @_;

    my ($effect, $tenant, $name) = $answer->{body}
        =~ /\A\{"id":"e([^"]*)","serial":[0-9]+,"tenant":"(\w*)",
            "name":"([^"]+)"/x;

    if (!defined $name) {
        $self->violation('unexpected answer', 'not from the upstream',
            $answer);
        return 'answer';
    }

    $self->violation('another tenant', "the answer of $tenant", $answer)
        if $tenant ne $self->{tenant};

    $self->violation('another body', 'the answer to another body', $answer)
        if $name ne "$self->{name}:$try->{lane}{variant}";

    if ($answer->{status} < 300 && $self->one_effect) {
        $self->{effect} //= $effect;
        $self->violation('two effects', "e$self->{effect}, e$effect",
            $answer) if $effect ne $self->{effect};
    }

    return 'answer';
}


# told that the key stands for another body: then there must be one

sub check_mismatch {
    my ($self, $try, $answer) = @_;

    $self->violation('mismatch without one', 'nobody sent another body',
        $answer) if keys %{ $self->{variants} } < 2;

    return 'mismatch';
}


# 409, although neither we nor the upstream nor Redis gave a reason for so long

sub check_stuck {
    my ($self, $try) = @_;

    my $run = $self->{run};
    my $sound = $run->clock->sound;

    # a try that has been waiting may be the one at work

    $self->{active} = $sound
        if grep { $_->{sent} < $run->now - 0.5 } values %{ $self->{inflight} };

    my $quiet = $sound - $self->{active};
    my $bound = $run->stuck_after + $MARGIN;

    return if $quiet < $bound || $self->{stuck}++;

    $run->upstream->peek($self->{id}, sub {
        my ($entry) = @_;

        $self->{stuck} = 0 if $entry->{open};
        $self->violation('stuck', sprintf('409 for %.1f s', $quiet))
            if !$entry->{open};
    });

    return;
}


sub finished {
    my ($self, $lane, $word) = @_;

    $self->{held} = 1 if $word eq 'held';
    $self->{lanes}--;

    return if $self->{lanes};

    my $run = $self->{run};
    my $wait = defined $self->{doubtful}
        ? $self->{doubtful} + $run->grace - $run->now : 0;

    return $self->settle if $self->{rechecked};
    return $self->settle if !$self->{plan}{recheck}
        && defined $self->{answer};

    $self->{rechecked} = 1;

    # nobody is at it any more when the last question is asked

    return $self->lane('recheck', $self->{variant} // 0) if $wait <= 0;

    $self->{lanes}++;
    $run->loop->after($wait, sub {
        $self->{lanes}--;
        $self->lane('recheck', $self->{variant} // 0);
    });

    return;
}


# A worker that was stopped reads one datagram after the other, and may have
# sent a request before it comes to the one that gives it up.

sub settle {
    my ($self) = @_;

    my $run = $self->{run};

    return if $run->seals && defined $self->{answer} && $self->try_seal;

    my $wait = defined $self->{unread}
        ? $self->{unread} + $run->grace - $run->now : 0;

    return $run->settle($self) if $wait <= 0;
    return $run->loop->after($wait, sub { $run->settle($self) });
}


# Once another key is in use, and with an answer that was altered.

sub try_seal {
    my ($self) = @_;

    my ($run, $plan) = @$self{qw(run plan)};

    if ($plan->{aged} && !$self->{aged}++) {
        $self->{lanes}++;
        $run->seals->later(sub {
            $self->{lanes}--;
            $self->lane('aged', $self->{variant});
        });
        return 1;
    }

    if (defined $plan->{altered} && !$self->{altered}++) {
        $run->alter(sub { $run->seals->alter($self) });
        return 1;
    }

    return 0;
}


# "restore" puts the answer back, and says whether it was still altered

sub try_altered {
    my ($self, $restore) = @_;

    $self->{restore} = $restore;

    return $self->lane('altered', $self->{variant});
}


sub ended_altered {
    my ($self, $lane, $answer) = @_;

    my $run = $self->{run};
    my $refused = $answer && $answer->{status} == 503 && $answer->{mark} eq '';

    $run->count_answer(@$answer{qw(status mark code)}) if $answer;
    $run->count('altered, refused') if $refused;

    $run->alter(sub {
        $self->violation('altered', 'and taken as it is', $answer)
            if delete($self->{restore})->() && $answer && !$refused;

        $lane->{what} = 'restored';
        $self->try($lane);
    });

    return;
}


# All is over; what the ledger says. Returns the number of effects.

sub check_entry {
    my ($self, $entry) = @_;

    my $run = $self->{run};
    my @effects = @{ $entry->{effects} };
    my %bodies = map { $_->[1] => 1 } @effects;

    $self->violation('two effects', join ' ', map { "e$_->[0]:$_->[1]" }
        @effects) if @effects > 1 && $self->one_effect;

    if (!$self->at_risk) {
        $self->violation('two bodies', 'two bodies were executed')
            if keys %bodies > 1;

        $self->violation('another body', 'executed, but not answered for')
            if defined $self->{variant} && grep { $_ != $self->{variant} }
                keys %bodies;
    }

    $self->violation('answer without effect', "e$self->{effect}")
        if defined $self->{effect}
        && !grep { $_->[0] eq $self->{effect} } @effects;

    my %upstream_keys;
    $upstream_keys{ $_->[0] }++ for @{ $entry->{keys} };

    $self->violation('another upstream key', join ' ', map { "@$_" }
        @{ $entry->{keys} }) if grep { $_ > 1 } values %upstream_keys;

    $self->check_times($entry);

    return scalar @effects;
}


# what is promised only while a gateway runs and reaches Redis

sub check_times {
    my ($self, $entry) = @_;

    my $run = $self->{run};
    my $clock = $run->clock;
    my $reach = $run->reach;

    for (@{ $entry->{overlaps} }) {
        my ($worker, $from, $to) = @$_;

        next if $clock->disturbed('redis', $from - $reach, $to)
            || $clock->disturbed("worker $worker", $from, $to)
            || $clock->disturbed('slowness', $from, $to);

        $self->violation('two at a time', sprintf 'for %.2f s', $to - $from);
    }

    for (@{ $entry->{cancelled} }) {
        my ($worker, $at) = @$_;

        next if $clock->disturbed("worker $worker", $at - 1, $at)
            || $clock->disturbed('slowness', $at - 3, $at);

        $self->violation('cancelled', "worker $worker");
    }

    return if !$self->{held} || $entry->{doubts} || @{ $entry->{cancelled} };

    $self->violation('held without a reason', '')
        if !grep { $clock->disturbed($_, $self->{since} - $reach, $run->now) }
            qw(redis killed stopped slowness);

    return;
}


sub violation {
    my ($self, $kind, $text, $answer) = @_;

    $text .= sprintf "\n    answer: %s %s %s %.300s", @$answer{qw(status mark
        code kept)} if $answer;

    $self->{run}->violation($kind, sprintf("%s %s: %s\n    tries:%s",
        $self->{mode}, $self->{id}, $text, $self->{history} // ''));

    return;
}


1;
