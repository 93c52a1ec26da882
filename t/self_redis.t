# The scripted Redis plays its dialogue, and notices when it is not followed.
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

use IO::Socket::UNIX;

sub connected {
    my ($fake) = @_;

    my ($path) = $fake->url =~ /unix:(.*)/;

    return IO::Socket::UNIX->new(Peer => $path);
}

sub say_words {
    my ($socket, @words) = @_;

    return syswrite $socket, '*' . @words . "\r\n"
        . join '', map { '$' . length() . "\r\n$_\r\n" } @words;
}

sub heard {
    my ($socket, $length) = @_;

    my $bytes = '';

    while (length $bytes < $length) {
        sysread $socket, $bytes, $length - length $bytes, length $bytes
            or last;
    }

    return $bytes;
}


# a dialogue on two connections

my $fake = fake_redis(
    [EXPECT => 'GET', qr/^k/],
    [SEND => '+OK', undef, ['a', ':1', []], \"raw", bulk('+x')],
    [EXPECT => 'EVALSHA', bind_word('sha'), '...'],
    [DRIBBLE => sub { my %bound = @_; $bound{sha} }],
    [ACCEPT => 'b'],
    [EXPECT => 'PING'],
    [WAIT => 'later'],
    ['CLOSE'],
    [ON => 'first'],
    [GARBAGE => '???'],
    ['CLOSED'],
    ['REFUSE'],
);

my $socket = connected($fake);

say_words($socket, 'get', 'key');

my $replies = "+OK\r\n\$-1\r\n*3\r\n\$1\r\na\r\n:1\r\n*0\r\nraw\$2\r\n+x\r\n";

is(heard($socket, length $replies), $replies, 'replies');

syswrite $socket, "*3\r\n\$7\r\nEVAL";
syswrite $socket, "SHA\r\n\$3\r\nabc\r\n\$0\r\n\r\n";
is(heard($socket, 9), "\$3\r\nabc\r\n", 'a bound word');

my $other = connected($fake);

say_words($other, 'PING');
$fake->wait_step(6);
$fake->go('later');
is(heard($other, 1), '', 'closed');
close $other;                           # it is waited for: no reset
is(heard($socket, 3), '???', 'garbage');
close $socket;

ok($fake->played, 'played');
is(connected($fake), undef, 'refused afterwards');
is_deeply([map { $_->[0] } $fake->commands], [qw(get EVALSHA PING)],
    'commands');


# dialogues that are not followed

for my $row (
    ['another command', ['SET', 'a'], qr/word 0 should be GET/],
    ['another word', ['GET', 'b'], qr/word 1 should be/],
    ['too many words', ['GET', 'a', 'b'], qr/expected 2 words/],
    ['too few words', ['GET'], qr/expected 2 words/],
) {
    my ($name, $words, $error) = @$row;

    $fake = fake_redis([EXPECT => 'GET', 'a']);
    say_words(connected($fake), @$words);
    like($fake->result, $error, $name);
}

$fake = fake_redis([EXPECT => 'GET', 'a'], [SEND => '+OK']);
$socket = connected($fake);
say_words($socket, 'GET', 'a');
is($fake->result, 'ok', 'over');
say_words($socket, 'GET', 'b');
like(wait_for(sub { (grep { $_->{error} } $fake->events)[0] })->{error},
    qr/after step 2: GET b/, 'a command too many');

$fake = fake_redis([EXPECT => 'GET', 'a'], [SEND => '+OK']);
like($fake->result(0.1), qr/not over after 0/, 'nobody came');

$fake = fake_redis([EXPECT => 'GET', 'a']);
connected($fake);
like($fake->result, qr/the other side closed/, 'closed too early');

$fake = fake_redis([EXPECT => 'GET', 'a']);
syswrite connected($fake), "GET a\r\n";
like($fake->result, qr/not a command/, 'not a command');

done_testing();
