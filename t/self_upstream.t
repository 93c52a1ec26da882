# The stand-in for the API does what its words say.
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $port = $upstream->port;

sub said {
    my ($words, %args) = @_;

    return http($port, 'POST', '/v4/segments', body => { name => 'n' },
        mock => $words, %args);
}


# the defaults

my $answer = said(undef);

is($answer->status, 201, 'create');
is($answer->json->{name}, 'n', 'its name');
is(http($port, 'GET', '/v4/segments')->json->{object}, 'list', 'list');
is(http($port, 'GET', '/v4/segments/system')->json->{object}, 'list',
    'list system');
is(http($port, 'GET', '/v4/segments/a')->json->{id}, 'a', 'get');
is(http($port, 'PUT', '/v4/segments/a', body => {})->status, 200, 'update');
is(http($port, 'DELETE', '/v4/segments/a')->status, 204, 'delete');
is($upstream->effects, 3, 'effects');


# what an answer looks like

$answer = said('status=418; reason=Teapot; header=X-A:1; header=X-A:2');

is($answer->status . $answer->reason, '418Teapot', 'status');
is_deeply([$answer->headers('x-a')], [1, 2], 'headers');

is(length said('body=100000')->body, 100000, 'size');
is(said('type=text/plain; text=hello')->body, 'hello', 'text');
is(said('empty')->body, '', 'empty');
is(said('gzip; text=' . 'a' x 99)->header('Content-Encoding'), 'gzip', 'gzip');
is(length said('chunked; body=2500')->body, 2500, 'chunked');
is(said('http10; text=old')->version, '1.0', 'HTTP/1.0');
is(said('dribble=7; text=slow')->body, 'slow', 'dribbled');
is((said('early-hints')->interim)[0]->status, 103, 'early hints');
is(join(' ', map { $_->status } said('interim=100,102')->interim), '100 102',
    'interim answers');
is(said('no-type; text=a')->header('Content-Type'), undef, 'no type');

$answer = said('no-length; text=hello');

is($answer->body, 'hello', 'without a length');
is($answer->header('Content-Length'), undef, 'without a length indeed');


# only whom it knows

my $strict = upstream();

$strict->accept(qw(sk_a sk_b));

for (['no key', 401], ['unknown key', 401, 'sk_c'], ['known key', 200, 'sk_a'],
    ['another', 200, 'sk_b'])
{
    my ($name, $status, $key) = @$_;

    is(http($strict->port, 'GET', '/v4/segments', headers => [
        Authorization => defined $key ? "Bearer $key" : undef])->status,
        $status, $name);
}


# answers that break off

for my $words ('close=before-read', 'close=after-read', 'close=mid-headers',
    'rst')
{
    is(said($words), undef, $words);
}

ok(said('close=mid-body')->truncated, 'close=mid-body');
ok(said('truncate')->truncated, 'truncate');

my $c = Segments::HTTP->connect($port);

$c->send_request('POST', '/', mock => 'garbage');
like($c->read_bytes(10), qr/no HTTP/, 'garbage');

$c = Segments::HTTP->connect($port);
$c->send_request('POST', '/', mock => 'rst');
ok($c->wait_closed && $c->was_reset, 'reset');


# held answers

$c = Segments::HTTP->connect($port);
$c->send_request('POST', '/', mock => 'hold=a', body => 'x');
$upstream->wait_held('a');

ok($c->usable, 'held');
is(said('status=400')->status, 400, 'others meanwhile');

$upstream->release('a');
is($c->read_response->status, 201, 'released');
is(said('hold=a')->status, 201, 'not held again');

$c->send_request('POST', '/', mock => 'hold-body=b; text=hello');
$upstream->wait_held('b');
like($c->read_bytes(10), qr/\r\n\r\nhe\z/, 'half of a body');
$upstream->release('b');
is($c->read_bytes(10), 'llo', 'the other half');

my $before = Time::HiRes::time();

said('delay=0.2');
cmp_ok(Time::HiRes::time() - $before, '>=', 0.2, 'delayed');


# words without a header

$upstream->next('status=500', 'status=404');
is(said(undef)->status, 500, 'first');
is(said(undef)->status, 404, 'second');
$upstream->default('status=503');
is(said(undef)->status, 503, 'default');
$upstream->default('');
is(said(undef)->status, 201, 'no default');


# what was seen

my $bytes = join '', map { chr } 0 .. 255;

said(undef, body => $bytes, headers => ['X-Odd' => "a\xe9b"], chunked =>
    [substr($bytes, 0, 100), substr $bytes, 100]);

my ($last) = reverse $upstream->requests;

is($last->body, $bytes, 'body byte for byte');
is($last->header('X-Odd'), "a\xe9b", 'header byte for byte');
is($last->{line}, 'POST /v4/segments HTTP/1.1', 'request line');

my $posts = $upstream->count(method => 'POST');
my $connections = $upstream->connections;

$c = Segments::HTTP->connect($port);
is($c->request('GET', "/$_")->status, 200, 'keep-alive') for 1 .. 3;
is($upstream->connections, $connections + 1, 'one connection');
is($upstream->count(method => 'POST'), $posts, 'no more posts');

my @answers = parallel(map {
    [$port, 'POST', '/', body => "$_", mock => "text=$_"] } 1 .. 200);

is(join(' ', map { $_->body } @answers), join(' ', 1 .. 200), '200 at once');
is($upstream->count(method => 'POST'), $posts + 200, '200 seen');


# a client that leaves

$c = Segments::HTTP->connect($port);
$c->send_request('GET', '/', mock => 'hold=c');
$upstream->wait_held('c');
$c->close;
ok(wait_for(sub { grep { $_->{event} eq 'closed' && $_->{busy} }
    $upstream->events }), 'seen to leave');


# gone and back

$upstream->stop;
is(said(undef), undef, 'stopped');
$upstream->listen;
is(said(undef)->status, 201, 'back');


# an API that honours keys

my $honest = upstream(honour_keys => 1);

sub keyed {
    my ($key, $words) = @_;

    return http($honest->port, 'POST', '/v4/segments', body => {}, key => $key,
        mock => $words);
}

is(keyed('a')->body, keyed('a')->body, 'same answer');
isnt(keyed('b')->body, keyed('a')->body, 'another key, another answer');
is($honest->effects, 2, 'two effects');
is(keyed('c', 'status=502; effect')->status, 502, 'executed, and lost');
is(keyed('c')->status, 201, 'its answer');
is($honest->effects, 3, 'one effect');

done_testing();
