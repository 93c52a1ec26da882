package Gateway;

# One nginx under faults: its workers as its error log tells of them, and what
# its log must not have.

use strict;
use warnings;

use Limit;
use Segments::Authority;
use Segments::Nginx;
use Segments::Util qw(free_port slurp);


# redis => URL, upstream => Recorder, times => { name => ms }, listen => more
# words of listen, wait => time, limit => whether there is one, http3 => whether
# clients come with that, too, seals => Seals

sub start {
    my ($class, %args) = @_;

    my $h2 = free_port();
    my $nginx = Segments::Nginx->start(workers => 2,
        log_level => $args{log_level} // 'notice', conf => conf($h2, %args));

    my $self = bless {
        nginx   => $nginx,
        h2      => $h2,
        offset  => 0,
        workers => {},
        bad     => $args{bad},
        seals   => $args{seals},
    }, $class;

    $nginx->expect_alert(qr/exited on signal 9/);   # read_log() checks these
    $self->read_log;
    $self->{spared} = ($self->workers)[0] if $args{spare};

    return $self;
}


sub conf {
    my ($h2, %args) = @_;

    my $times = $args{times};
    my $port = $args{upstream}->port;
    my $listen = $args{listen} // '';
    my $http3 = $args{http3} ? http3_conf($h2) : '';
    my $limit = $args{limit} ? "segments_rate_limit $Limit::DIRECTIVE;" : '';
    my $seal = $args{seals} ? $args{seals}->directive : '';
    my $level = $args{seals} ? 'error' : 'crit';
    my %locations = map {
        my $policy = $_;
        my $letter = substr $policy, 0, 1;

        # the two ways of nginx to pass an answer on

        my $buffering = $policy eq 'hold' ? 'on' : 'off';
        my $set = "segments_idempotency_unknown $policy; "
            . "proxy_buffering $buffering; segments_idempotency_wait";

        ("/$letter" => "$set off;",
            $args{wait} ? ("/${letter}w" => "$set $args{wait};") : ());
    } qw(hold retry);

    my $locations = join '', map { <<"LOCATION" } sort keys %locations;
        location $_ {
            segments_gateway on;
            $locations{$_}
            proxy_pass http://upstream;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Worker \$pid;
        }
LOCATION

    return <<"CONF";
%%MAIN%%

events {
    worker_connections 2048;
}

http {
%%HTTP%%
    access_log off;
    keepalive_timeout 1h;
    send_timeout 10s;           # a graceful end may last so long
    error_log %%DIR%%/error.log $level;

    upstream upstream {
        server 127.0.0.1:$port;
        keepalive 16;
    }

    segments_redis $args{redis};
    segments_redis_timeout $times->{redis}ms;
    segments_redis_connect_timeout $times->{redis}ms;
    segments_secret_key_file %%DIR%%/secret;
    segments_idempotency_scope \$http_x_tenant;
    segments_idempotency_lease $times->{lease}ms;
    segments_idempotency_ttl 600s;
    $limit
    $seal
    proxy_read_timeout $times->{read}ms;

    server {
        listen 127.0.0.1:%%PORT%% $listen;
        listen 127.0.0.1:$h2 http2 $listen;
        $http3
$locations
    }
}
CONF
}


# a connection's packets come to one worker

sub http3_conf {
    my ($port) = @_;

    my ($crt, $key) = Segments::Authority->new->certificate('localhost');

    return "listen 127.0.0.1:$port quic reuseport; ssl_certificate $crt; "
        . "ssl_certificate_key $key;";
}


sub addresses { return [$_[0]{nginx}->port, $_[0]{h2}] }
sub nginx     { return $_[0]{nginx} }
sub spared    { return $_[0]{spared} }
sub workers   { return sort { $a <=> $b } keys %{ $_[0]{workers} } }


# often enough

sub read_log {
    my ($self) = @_;

    open my $fh, '<', $self->{nginx}->dir . '/error.log' or return;
    seek $fh, $self->{offset}, 0;

    while (my $line = <$fh>) {
        last if $line !~ /\n\z/;
        $self->{offset} += length $line;
        $self->read_line($line);
    }

    return;
}


sub read_line {
    my ($self, $line) = @_;

    if ($line =~ /start worker process ([0-9]+)/) {
        $self->{workers}{$1} = 1;

    } elsif ($line =~ / process ([0-9]+) exited (?:with code 0|on signal 9)/) {
        my $pid = $1;

        delete $self->{workers}{$pid};
        return if $line !~ /signal/ || $self->{nginx}->killed($pid);
    }

    # a real Redis replies to each command, in turn: who believes another's
    # reply has one too many in the end

    $self->{bad}->('out of step', $line)
        if $line =~ /reply that cannot be to its command/;
    $self->{bad}->('reply to nobody', $line)
        if $line =~ /reply to no command/;

    $self->{seals}->read_line($line) if $self->{seals};
    $self->{bad}->('alert', $line) if $line =~ /\[(?:alert|emerg)\]/;

    return;
}


sub reload {
    my ($self) = @_;

    return $self->{nginx}->process->signal('HUP');
}


# one that may be killed, or undef

sub victim {
    my ($self, $at) = @_;

    my @pids = grep { $_ != ($self->{spared} // 0) } $self->workers;

    return @pids ? $pids[int($at * @pids)] : undef;
}


sub kill { return $_[0]{nginx}->kill($_[1]) }


# of the worker that is never killed: resident kilobytes, open descriptors

sub memory {
    my ($self) = @_;

    return slurp("/proc/$self->{spared}/status") =~ /^VmRSS:\s+([0-9]+)/m
        ? $1 : 0;
}


sub descriptors {
    my ($self) = @_;

    opendir my $dir, "/proc/$self->{spared}/fd" or return 0;

    return scalar grep { !/\A\./ } readdir $dir;
}


1;
