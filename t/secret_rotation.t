#!/usr/bin/perl

# A changed key file is taken up without a reload, however it was changed, and
# no request notices.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw(time);

use Segments::HTTP qw(http);
use Segments::Process;
use Segments::Test;

my $TAKEN_UP = qr/\[(?:notice|info)\] \S+ key file "\S*" has a new Secret Key/;

my $upstream = upstream();
my $redis = redis_server();

# as Kubernetes mounts a secret: the file is a link into a directory that is a
# link itself

my $mount = tempdir() . '/mount';

mkdir $_ or die "$_: $!" for $mount, "$mount/..v1";
spew("$mount/..v1/key", key(1) . "\n");
symlink '..v1', "$mount/..data" or die $!;
symlink '..data/key', "$mount/key" or die $!;

my $nginx = nginx(upstream => $upstream, redis => $redis, workers => 2,
    server => 'location /other { segments_gateway on; segments_operations all;'
        . " segments_secret_key_file $mount/key; proxy_pass %%UPSTREAM%%;"
        . ' segments_redis ' . $redis->url . '; }',
    set => { %Segments::Nginx::PATIENT, segments_operations => 'all',
        segments_secret_key_file => "$mount/key" });

my %ways = (
    'written in place'  => sub { spew("$mount/key", $_[0]) },
    'replaced'          => sub {
        spew("$mount/new", $_[0]);
        rename "$mount/new", "$mount/..data/key" or die $!;
    },
    'link switched'     => sub {
        my $to = "..v$_[0]" =~ s/sk_//r;
        mkdir "$mount/$to" or die $!;
        spew("$mount/$to/key", $_[0]);
        symlink $to, "$mount/..new" or die $!;
        rename "$mount/..new", "$mount/..data" or die $!;
    },
    'replaced, of the same time' => sub {
        spew("$mount/new", $_[0]);
        same_time("$mount/key", "$mount/new");
        rename "$mount/new", "$mount/..data/key" or die $!;
    },
    'written in place, of the same time' => sub {
        spew("$mount/old", '');
        same_time("$mount/key", "$mount/old");
        spew("$mount/key", $_[0]);
        same_time("$mount/old", "$mount/key");
    },
);

my $n = 1;
my $stop = tempdir() . '/stop';

$upstream->accept(key(1));

my @load = map { load($_) } 1 .. 3;

for my $way (sort keys %ways) {
    my ($old, $new) = (key($n), key(++$n));
    my $mark = length $nginx->error_log;
    my $start = time;

    change($ways{$way}, $old, $new);
    cmp_ok(time - $start, '<', slow(5), "$way: taken up in time");

    # those that were sent before have arrived when the old one is revoked

    my $count = $upstream->count;

    $upstream->wait_requests($count + 20);
    $upstream->accept($new);
    $upstream->forget;
    $upstream->wait_requests(50);

    is_deeply([grep { $_ ne "Bearer $new" }
        map { $_->header('Authorization') } $upstream->requests], [],
        "$way: sent by both workers");
    is(scalar(() = $nginx->error_log($mark) =~ /$TAKEN_UP/g), 2,
        "$way: said once, though two locations have the file");
    is(scalar(() = $nginx->error_log($mark) =~ /\[notice\].* new Secret Key/g),
        1, "$way: by one worker aloud");
    is($nginx->request('GET', '/other', close => 1)->status, 200,
        "$way: the other location has it");
}

spew($stop, '');
ok($_->{process}->wait(20), 'load ended') for @load;

my %seen;

$seen{$_}++ for map { split /\n/, slurp($_->{output}) } @load;

cmp_ok($seen{201} // 0, '>', 200, 'many requests');
is_deeply([keys %seen], [201], 'all of them created') or diag explain \%seen;

# A worker that takes a dead one's place was born with the first key.  What the
# others have taken up is old enough for it, too, which takes up to two seconds
# if only whole ones are counted.

wait_for { my $now = time; $now - int $now < 0.1 } 10, 'a second begins';

change($ways{'written in place'}, key($n), key($n + 1));
$upstream->accept(key(++$n));

$nginx->kill_worker for 1 .. 2;
wait_for { 2 == $nginx->worker_pids } 10, 'two workers';

is($nginx->create->status, 201, 'new worker has the key') for 1 .. 10;

# a file that has not changed is not taken up again by a reload

my $mark = length $nginx->error_log;

$nginx->reload;
is($nginx->create->status, 201, 'reload');
unlike($nginx->error_log($mark), qr/key file/, 'nothing to say');

# no word of a key

my $keys = join '|', map { quotemeta key($_) } 1 .. $n;

unlike(join('', map { slurp($_) } glob $nginx->dir . '/*.log'), qr/$keys/,
    'keys are not logged');

done_testing();


sub key {
    my ($number) = @_;

    return "sk_rotated${number}abcdefghijklmnopqrstuvwxyz";
}


# Comes back when both workers have the new key.  The API has both for a while.

sub change {
    my ($way, $old, $new) = @_;

    my $mark = length $nginx->error_log;

    $upstream->accept($old, $new);
    $way->("$new\n");

    my $changed = time;

    wait_for {
        time >= $changed + 1
            && 2 == (() = $nginx->error_log($mark) =~ /$TAKEN_UP/g)
    } 10, 'both workers';

    return;
}


# to the nanosecond, as backups and "cp -p" do it

sub same_time {
    my ($from, $to) = @_;

    return system('touch', '-r', $from, $to) == 0 || die 'touch failed';
}


# creates, one by one, until told to stop; the file has their statuses

sub load {
    my ($number) = @_;

    my $output = tempdir() . "/load$number";
    my $i = 0;

    my $process = Segments::Process->spawn(name => 'load', output => $output,
        code => sub {
            STDOUT->autoflush(1);

            while (!-e $stop) {
                my $answer = $nginx->create(key => "load-$number-" . ++$i);

                print $answer ? $answer->status : 'none', "\n";
            }
        });

    return { process => $process, output => $output };
}
