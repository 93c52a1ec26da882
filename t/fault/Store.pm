package Store;

# The Redis that all gateways have, and what a run reads from it.
#
#     my $store = Store->start;
#     $store->urls                  of the first gateway, of the second
#     $store->servers               that have keys of their own
#     $store->owner($tag)           who has the keys with that hash tag
#     $store->ask(@commands)        each of whom its second word belongs to
#     $store->remove(@names)
#     $store->victim($dice)         a server for a fault
#     $store->ready($server)        whether it, and all others, take commands
#
# With front => 1 the second gateway is led through a Front.  ClusterStore is a
# cluster of them.

use strict;
use warnings;

use Front;
use Segments::RedisServer;

our %OPTIONS = (
    'appendonly'                => 'yes',
    'appendfsync'               => 'no',
    'auto-aof-rewrite-min-size' => '1mb',
    'enable-debug-command'      => 'no',
);


sub start {
    my ($class, %args) = @_;

    my $server = Segments::RedisServer->start(options => {%OPTIONS});
    my $self = bless { server => $server }, $class;

    $self->{front} = Front->start($server->port) if $args{front};

    return $self;
}


sub urls {
    my ($self) = @_;

    my $other = $self->{front} // $self->{server};

    return ($self->{server}->url, $other->tcp_url);
}


sub front   { return $_[0]{front} }
sub servers { return $_[0]{server} }
sub victim  { return $_[0]{server} }
sub owner   { return $_[0]{server} }
sub refresh { return }


# where somebody may be asked for nothing at any time

sub probe { return $_[0]{server}->socket }


sub ask {
    my ($self, @commands) = @_;

    return $self->{server}->client->pipeline(@commands);
}


sub remove {
    my ($self, @names) = @_;

    $self->{server}->client->command('UNLINK', @names);

    return;
}


# an error is an object: it is loading

sub ready {
    my ($self, $server) = @_;

    return $server->ready && !ref $server->cmd('PING');
}


sub resume {
    my ($self) = @_;

    return $self->{server}->resume;
}


1;
