# The clients: HTTP/1.1 as the test spells it, and HTTP/2.
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $nginx = nginx(module => 0, conf => <<"CONF");
%%MAIN%%
events { }
http {
%%HTTP%%
    keepalive_timeout 5s;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen unix:%%DIR%%/h2.sock http2;
        location / {
            proxy_pass @{[ $upstream->url ]};
            proxy_http_version 1.1;
        }
        location /huffman { return 200 \$arg_a; add_header X-Long \$arg_b; }
        location /hints { return 204; }
    }
}
CONF


# HTTP/1.1

my $c = $nginx->connect;

$c->send_request('HEAD', '/v4/segments');
is($c->read_response->body, '', 'HEAD');
is($c->request('DELETE', '/x')->status, 204, 'no body');
is($c->request('POST', '/', body => 'abc', chunked => ['a', 'bc'])->status,
    201, 'chunked');
is(($upstream->requests)[-1]->body, 'abc', 'its body');

$c->send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n"
    . "Host: x\r\n\r\n");
is($c->read_response->json->{id}, 'a', 'pipelined');
is($c->read_response->json->{id}, 'b', 'pipelined, second');
ok($c->usable, 'still open');

$c->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
    . "Expect: 100-continue\r\n\r\n");
$c->send('x');

my $answer = $c->read_response;

is($answer->status, 201, 'expected');
is(($answer->interim)[0]->status, 100, 'continued');

$c->send("nonsense\r\n\r\n");
is($c->read_response->status, 400, 'bad request');
ok($c->wait_closed, 'closed by the server');

for my $way (qw(close reset shutdown_write)) {
    $c = $nginx->connect;
    $c->send_request('POST', '/', mock => "hold=$way");
    $upstream->wait_held($way);
    $c->$way;
    wait_for { grep { $_->{event} eq 'closed' && $_->{busy} }
        $upstream->events } 10, "nginx to see $way";
    pass("$way is seen");
    $upstream->release($way);
    $upstream->forget;
}


# HTTP/2

my $h2 = h2($nginx->dir . '/h2.sock');

$answer = $h2->request('POST', '/v4/segments', body => { name => 'x' },
    headers => ['X-Test' => 'yes'], key => 'k');
is($answer->status, 201, 'HTTP/2');
is($answer->json->{name}, 'x', 'its body');
is(($upstream->requests)[-1]->header('X-Test'), 'yes', 'its headers');
is(($upstream->requests)[-1]->header('Idempotency-Key'), 'k', 'its key');

my $text = join '', map { chr } grep { !/^(?:32|35|38)$/ } 33 .. 126;

for (1 .. 2) {
    $answer = $h2->request('GET', "/huffman?a=$text&b=$text$text");
    is($answer->header('X-Long'), "$text$text", 'a header as it was');
    is($answer->body, $text, 'a body as it was');
}

my $big = 'x' x 300_000;

is($h2->request('PUT', '/big', body => $big)->status, 200, 'a large body');
is(($upstream->requests)[-1]->body, $big, 'arrived');
is(length $h2->request('GET', '/', mock => 'body=300000')->body, 300_000,
    'a large answer');

my $id = $h2->send_request('POST', '/', body => 'x', mock => 'hold=h');

$upstream->wait_held('h');
is($h2->request('GET', '/other')->status, 200, 'streams side by side');
$h2->reset($id);
ok(wait_for(sub { grep { $_->{event} eq 'closed' && $_->{busy} }
    $upstream->events }), 'a reset is seen');
is($h2->request('GET', '/after')->status, 200, 'the connection lives on');

$id = $h2->send_request('POST', '/', body => 'x',
    mock => 'truncate; body=5000');
$answer = $h2->read_response($id);
ok(defined $answer->rst, 'an answer cut short');

$h2->close;

done_testing();
