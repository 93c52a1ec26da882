#!/usr/bin/perl

# A replica that lags behind becomes the master.  What it has is replayed; what
# it has not is lost, and costs no more than this: a retry is sent again, with
# the same upstream key, and an upstream that honours keys carries out nothing
# twice.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Process;
use Segments::Test;

use IO::Select;
use IO::Socket::INET;


my $BUSY = '409 in-progress idempotency_in_progress';

for my $policy (qw(retry hold)) {
    my $upstream = upstream(honour_keys => 1);
    my $primary = redis_server(options => {
        'repl-diskless-sync-delay' => 0 });

    # replication passes through a relay, which can be made to lag

    my $relay_port = free_port();
    my $relay = relay($relay_port, $primary->port);
    my $replica = redis_server(options => {
        replicaof => "127.0.0.1 $relay_port" });

    wait_for { $replica->cmd('INFO', 'replication')
        =~ /master_link_status:up/ } 20, 'replication';

    # the address of the master, whichever that is

    my $master = tempdir() . "/master-$policy.sock";

    symlink $primary->socket, $master or die "symlink: $!";

    my $nginx = nginx(upstream => $upstream, redis => "unix:$master", set => {
        segments_redis_timeout         => slow_ms(1500),
        segments_redis_connect_timeout => slow_ms(1500),
        segments_idempotency_wait      => 'off',
        segments_idempotency_lease     => slow_ms(5000),
        segments_idempotency_unknown   => $policy,
    });

    my %first = (kept => $nginx->create(key => 'kept'));

    is($first{kept}->summary, '201 recorded', "$policy: while it follows");
    wait_for { state($replica, 'kept') eq 'answered' } 10, 'the replica';

    # it lags: three answers and three claims are not replicated

    my %running = (half => running($nginx, $upstream, 'half'));

    wait_for { state($replica, 'half') eq 'claimed' } 10, 'the replica';
    kill 'STOP', $relay->pid;

    $upstream->release('half');
    $first{half} = $running{half}->read_response;
    is($first{half}->summary, '201 recorded', 'while it lags');

    for my $key (qw(done changed)) {
        $first{$key} = $nginx->create(key => $key);
        is($first{$key}->summary, '201 recorded', 'while it lags');
    }

    $running{$_} = running($nginx, $upstream, $_) for qw(late raced mixed);

    is(scalar(my @records = $primary->keys), 7, 'records on the master');

    # the master is lost, and with it what the relay had not handed on

    $primary->process->stop('KILL');
    $relay->stop('KILL');
    is($replica->cmd('REPLICAOF', 'NO', 'ONE'), 'OK', 'replica promoted');
    unlink $master;
    symlink $replica->socket, $master or die "symlink: $!";

    is(scalar(@records = $replica->keys), 2, 'records on the new master');

    # replicated: replayed

    my $again = settled($nginx, 'kept');

    is($again->summary, '201 replayed marked', 'what was replicated');
    is($again->body, $first{kept}->body, 'its answer');

    # answered, and lost: sent again with the same upstream key

    my ($count, $effects) = ($upstream->count, $upstream->effects);

    $again = $nginx->create(key => 'done');

    is($again->summary, '201 recorded', 'what was lost is sent again');
    is($again->body, $first{done}->body, 'the same answer');
    is($upstream->count, $count + 1, 'one request more');
    is($upstream->effects, $effects, 'and no effect');
    is($nginx->create(key => 'done')->summary, '201 replayed marked',
        'and stored');

    # with another body it is another request: its upstream key differs

    $again = $nginx->create(key => 'changed', body => { name => 'other' });

    is($again->summary, '201 recorded', 'another body is not told apart');
    isnt($again->body, $first{changed}->body, 'but has an answer of its own');
    is($upstream->effects, $effects + 1, 'and an effect of its own');

    # running, and the claim lost: the answer is stored all the same

    $upstream->release('late');
    $first{late} = $running{late}->read_response;
    is($first{late}->summary, '201 recorded', 'an answer without its claim');
    $again = $nginx->create(key => 'late');
    is($again->summary, '201 replayed marked', 'replayed');
    is($again->body, $first{late}->body, 'the same answer');

    # running, and a retry comes before the answer: it is sent, too, under
    # "hold" as well, since nothing is known of the first

    for my $order (['raced', 'raced-2'], ['mixed-2', 'mixed']) {
        my ($key) = $order->[0] =~ /(\w+)/;
        my $retry = $nginx->connect;
        my %answers = ($key => undef);

        $retry->send_request($nginx->create_request(key => $key,
            mock => "hold=$key-2"));
        $upstream->wait_held("$key-2");
        is($nginx->create(key => $key)->summary, $BUSY, "$key: a third waits");

        for my $name (@$order) {
            $upstream->release($name);
            $answers{$name} = ($name eq $key ? $running{$key} : $retry)
                ->read_response;
        }

        is($answers{$key}->summary, '201 unstored', 'not the owner any more');
        is($answers{"$key-2"}->summary, '201 recorded', 'the new owner');
        is($nginx->create(key => $key)->summary, '201 replayed marked',
            'its answer stays');
        is($answers{$key}->body, $answers{"$key-2"}->body, 'the same answer');
    }

    # claimed there, and the answer lost: as after a gateway that died

    wait_for { $again = $nginx->create(key => 'half');
        $again->summary ne $BUSY } 20, 'the lease to end';

    if ($policy eq 'hold') {
        is($again->summary, '504 held idempotency_outcome_unknown', 'held');

    } else {
        is($again->summary, '201 recorded', 'then it is sent again');
        is($again->body, $first{half}->body, 'the same answer');
    }

    my (%requests, %effects);

    $requests{ $_->header('Idempotency-Key') }++ for $upstream->requests;
    $effects{ $_->{key} }++ for grep { $_->{event} eq 'effect' }
        $upstream->events;

    is_deeply([sort { $a <=> $b } values %requests],
        [(1) x ($policy eq 'hold' ? 5 : 4), (2) x ($policy eq 'hold' ? 3 : 4)],
        'requests of each upstream key');
    is_deeply([values %effects], [(1) x 8], 'one effect of each');
    is_deeply([$replica->keys_without_expiry], [], 'every key expires');
}


sub state {
    my ($redis, $key) = @_;

    my ($name) = grep { /:$key\}:create\z/ } $redis->keys;

    return $name ? $redis->record($name)->{state} : '';
}


# a create that the upstream holds under the key's name

sub running {
    my ($nginx, $upstream, $key) = @_;

    my $c = $nginx->connect;

    $c->send_request($nginx->create_request(key => $key,
        mock => "hold=$key"));
    $upstream->wait_held($key);

    return $c;
}


# after the connection was lost

sub settled {
    my ($nginx, $key) = @_;

    my $answer;

    wait_for { $answer = $nginx->create(key => $key);
        $answer->status != 503 } 20, 'the gateway to find the master';

    return $answer;
}


sub relay {
    my ($port, $to) = @_;

    my $listen = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port",
        Listen => 10, ReuseAddr => 1) or die "cannot listen: $!";

    my $process = Segments::Process->spawn(name => 'relay', code => sub {
        my $test = getppid;
        my %other;

        while (getppid == $test) {
            for my $socket (IO::Select->new($listen, map { $_->[0] }
                values %other)->can_read(1))
            {
                if ($socket == $listen) {
                    my $one = $listen->accept;
                    my $two = IO::Socket::INET->new(PeerAddr =>
                        "127.0.0.1:$to") or next;

                    $other{$one} = [$one, $two];
                    $other{$two} = [$two, $one];
                    next;
                }

                my $pair = $other{$socket} or next;

                if (sysread $socket, my $bytes, 65536) {
                    syswrite $pair->[1], $bytes;
                    next;
                }

                delete @other{@$pair};
                close $_ for @$pair;
            }
        }
    });

    close $listen;

    return $process;
}


done_testing();
