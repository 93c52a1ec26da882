# What stands in front of Redis is slow, or refuses, as it is told.
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::RedisFront;
use Segments::Test;

use IO::Select;
use Time::HiRes qw(time);

my $redis = redis_server();
my $front = Segments::RedisFront->start($redis);
my $client = Segments::RedisServer::Client->new($front->{socket});

is($client->command('SET', 'a', 'b'), 'OK', 'passes');
is($client->command('GET', 'a'), 'b', 'and back');
is_deeply([$client->pipeline(['SET', 'a', "1\r\n2"], ['GET', 'a'],
    ['MGET', 'a', 'none'], ['NONE'])]->[2], ["1\r\n2", undef], 'any reply');

my $large = 'x' x 3_000_000;

is($client->command('SET', 'large', $large), 'OK', 'large command');
ok($client->command('GET', 'large') eq $large, 'large reply');

for my $how (qw(wait late)) {
    $front->rule(get => "$how=0.3");

    my $start = time;

    is_deeply([$client->pipeline(['SET', 'a', $how], ['GET', 'a'],
        ['SET', 'a', 'c'])], ['OK', $how, 'OK'], "$how: in order");
    cmp_ok(time - $start, '>=', 0.3, "$how: later");
}

$front->rule(get => 'error=OOM no memory');
is($client->command('GET', 'a') . '', 'OOM no memory', 'refuses');
is($client->command('SET', 'a', 'd'), 'OK', 'nothing else');

$front->rule(get => 'pass');
is($client->command('GET', 'a'), 'd', 'passes again');

# a script is known by its verb

my $script = 'return {KEYS[1], ARGV[1], ARGV[2]}';

$front->rule(claim => 'error=NO');
is($client->command('EVAL', $script, 1, 'k', 'claim', 't') . '', 'NO',
    'a verb refused');
is_deeply($client->command('EVAL', $script, 1, 'k', 'renew', 't'),
    ['k', 'renew', 't'], 'another passes');
is_deeply([$front->commands('renew')], [['renew', 'k', 't']], 'written down');

# a long path, and one that swallows what comes

$front->path(0.1);

my $start = time;

is($client->command('GET', 'a'), 'd', 'a path');
cmp_ok(time - $start, '>=', 0.2, 'both ways');
$front->path(0);

my $other = Segments::RedisServer::Client->new($front->{socket});

is($other->command('PING'), 'PONG', 'another connection');
$front->stall;

my $new = Segments::RedisServer::Client->new($front->{socket});

is($new->command('SET', 'a', 'e'), 'OK', 'a new one is not stalled');
ok(silent($other), 'the old one is');
$front->flow;
is($other->reply, 'e', 'but nothing is lost');

$front->forget;
ok(silent($other), 'forgotten');
$front->flow;
ok(silent($other), 'for ever');

$client = Segments::RedisServer::Client->new($front->{socket});

# both ends notice the other's end

$client->pipeline(['QUIT']);
ok(!defined eval { $client->command('PING') }, 'closed by Redis');

done_testing();


# whether nothing answers for a while

sub silent {
    my ($c) = @_;

    syswrite $c->{socket}, "*2\r\n\$3\r\nGET\r\n\$1\r\na\r\n";

    return !IO::Select->new($c->{socket})->can_read(0.3);
}
