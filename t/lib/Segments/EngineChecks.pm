package Segments::EngineChecks;

# Whether a gateway does with a Redis, whatever it is, what it promises.
#
#     my $found = check_engine($upstream,
#         url      => 'redis://...',       words of segments_redis
#         failover => sub { ... },         another master, where there is one
#         pause    => sub { ... },         stops all replicas; resume => sub
#         wait     => 1);                  WAIT is to be tried
#     $found->{limits}       [] where all was well, else what was not, and the
#                            line of the gateway's log that names the cause, ""
#                            where none does; undef where it was not tried

use strict;
use warnings;

use Exporter qw(import);

use Segments::Nginx;
use Segments::Util qw(slow slow_ms wait_for);

our @EXPORT_OK = qw(@CHECKS check_engine);

our @CHECKS = qw(create replay conflict mismatch limits wait failover);

my %SET = (
    segments_redis_timeout         => slow_ms(2000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => '300s',
    segments_idempotency_wait      => 'off',
);

my $count = 0;


sub check_engine {
    my ($upstream, %engine) = @_;

    my $self = bless { %engine, upstream => $upstream, n => ++$count },
        __PACKAGE__;

    $self->{gateway} = $self->gateway;

    my %found = map { $_ => $self->tried($_) } @CHECKS;

    $self->{gateway}->stop;

    return \%found;
}


sub gateway {
    my ($self, %set) = @_;

    return Segments::Nginx->start(upstream => $self->{upstream},
        redis => $self->{url}, log_level => 'notice', set => { %SET, %set });
}


# what a wrong answer comes from stands in the log of the gateway at fault

sub tried {
    my ($self, $check) = @_;

    delete $self->{at_fault};

    my $why = eval { $self->$check // 'skipped' };

    $why //= $@ =~ s/ at \S+ line \d+.*//sr;

    return undef if $why eq 'skipped';
    return [] if $why eq '';

    return [$why,
        cause(($self->{at_fault} // $self->{gateway})->error_log)];
}


# The last line that is about Redis, without what is different each time.  That
# the connection ended is the last thing to say.

sub cause {
    my ($log) = @_;

    my @lines = map { told($_) } grep {
        /redis|replica|record/ && !/ does not answer INFO /
    } $log =~ /^(.*)$/mg;
    my ($line) = grep { !/^\d+ times more|^redis closed the connection$/ }
        reverse @lines;

    return $line // $lines[-1] // '';
}


sub told {
    my ($line) = @_;

    return $line =~ s/\A.*?\]:? \d+#\d+: (?:\*\d+ )?//r
        =~ s/, client: .*//r =~ s/ while .*//r
        =~ s/127\.0\.0\.1:\d+/127.0.0.1:6379/gr;
}


sub key { return "$_[1]-$_[0]{n}" }


# "" where the answer is what it is to be

sub expect {
    my ($answer, $wanted) = @_;

    my $summary = $answer ? $answer->summary : 'no answer';

    return $summary =~ /\A\Q$wanted\E/ ? '' : $summary;
}


sub create {
    my ($self) = @_;

    return expect($self->{gateway}->create(key => $self->key('a')),
        '201 recorded');
}


sub replay {
    my ($self) = @_;

    return expect($self->{gateway}->create(key => $self->key('a')),
        '201 replayed marked');
}


sub mismatch {
    my ($self) = @_;

    return expect($self->{gateway}->create(key => $self->key('a'),
        body => { name => 'another' }), '422');
}


# 409 at once, and another gateway whose client waits for the answer

sub conflict {
    my ($self) = @_;

    my $gateway = $self->{gateway};
    my $waiting = $self->gateway(segments_idempotency_wait => slow_ms(20_000));
    my $key = $self->key('held');
    my $first = $gateway->connect;

    $self->{at_fault} = $waiting;

    my $why = eval {
        $first->send_request($gateway->create_request(key => $key,
            mock => "hold=$key"));
        $self->{upstream}->wait_held($key);

        my $at_once = expect($gateway->create(key => $key), '409');
        my $second = $waiting->connect;

        $second->send_request($waiting->create_request(key => $key));

        $self->{upstream}->release($key);

        $at_once || expect($first->read_response, '201 recorded')
            || expect($second->read_response, '201 replayed marked');
    };
    my $died = $@;

    eval { $self->{upstream}->release($key) };
    $waiting->stop;

    return $why // die $died;
}


sub limits {
    my ($self) = @_;

    my $gateway = $self->gateway(segments_rate_limit =>
        'rate=1r/h burst=1 key=' . $self->key('limit'));

    $self->{at_fault} = $gateway;

    my ($why) = grep { $_ ne '' } map {
        expect($gateway->create(key => $self->key("l$_")),
            $_ < 3 ? '201 recorded' : '429');
    } 1 .. 3;

    $gateway->stop;

    return $why // '';
}


# Acknowledged by a replica, and refused where none acknowledges.

sub wait {
    my ($self) = @_;

    return 'skipped' if !$self->{wait};

    my $gateway = $self->gateway(
        segments_redis_wait => 'replicas=1 timeout=' . slow_ms(500));
    my $n = 0;

    $self->{at_fault} = $gateway;

    # a replica that has just come is counted before it has anything

    my $why;

    eval {
        wait_for {
            $why = expect($gateway->create(key => $self->key('w' . ++$n)),
                '201 recorded');
            $why eq '' || $why !~ /503/;
        } 10, 'a replica';
    };

    if ($why eq '' && $self->{pause}) {
        $self->{pause}->();
        $why = expect($gateway->create(key => $self->key('unseen')), '503');
        $self->{resume}->();
    }

    $gateway->stop;

    return $why;
}


# what was answered before is replayed by the next master

sub failover {
    my ($self) = @_;

    return 'skipped' if !$self->{failover};

    my $key = $self->key('kept');
    my $why = expect($self->{gateway}->create(key => $key), '201 recorded');

    return $why if $why ne '';

    $self->{failover}->($key);

    eval {
        wait_for {
            $why = expect($self->{gateway}->create(key => $key),
                '201 replayed marked');
            $why !~ /\A50/;
        } 30, 'the next master';
    };

    return $why;
}


1;
