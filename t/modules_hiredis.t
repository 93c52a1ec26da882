#!/usr/bin/perl

# Two copies of hiredis in one process: nchan brings one of its own, and nginx
# opens every module for all others to see.  Whichever is loaded first, each
# works with its own.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Modules qw(load_module);
use Segments::Test;

use Segments::Util qw(find_program);

my $NCHAN = load_module('ngx_nchan_module');

plan skip_all => 'no nchan here' if !$NCHAN;


# nchan leaves what it has to the end of its process

$ENV{ASAN_OPTIONS} = join ':', 'detect_leaks=0', $ENV{ASAN_OPTIONS} // ();

my $upstream = upstream();
my $redis = redis_server();

for my $order (qw(first main)) {
    my $nginx = nginx(upstream => $upstream, redis => $redis, $order => $NCHAN,
        set => { %Segments::Nginx::PATIENT,
            segments_redis_prefix => "$order:" },
        http => 'upstream channels { nchan_redis_server '
            . $redis->tcp_url . '; }',
        server => <<'CONF');
        location = /publish {
            nchan_publisher;
            nchan_channel_id %%PORT%%;
            nchan_redis_pass channels;
        }
        location = /subscribe {
            nchan_subscriber longpoll;
            nchan_channel_id %%PORT%%;
            nchan_redis_pass channels;
            nchan_subscriber_first_message oldest;
        }
CONF

    for my $key (1 .. 3) {
        is($nginx->create(key => $key)->summary, '201 recorded',
            "nchan $order: created");
        is($nginx->create(key => $key)->summary, '201 replayed marked',
            'replayed');

        # nchan connects in its own time, and says 503 until it has

        my $text = "$order message $key";
        my $told = publish($nginx, $text);

        like($told->status, qr/^20[12]$/, 'told');
    }

    my $heard = $nginx->request('GET', '/subscribe');

    is($heard->status, 200, 'heard');
    is($heard->body, "$order message 1", 'by way of Redis');
}

# nothing of it is seen from outside, or looked for there

my $module = Segments::Nginx::module_path();
my @names = map { (split)[-1] } qx{@{[ find_program('nm') ]} -D $module};
my @exported = map { (split)[-1] }
    qx{@{[ find_program('nm') ]} -D --defined-only $module};

is_deeply([grep { /redis|^sds/i } @names], [], 'no name of hiredis');
is_deeply([sort @exported],
    [qw(ngx_http_segments_version ngx_module_names ngx_module_order
        ngx_modules)], 'only what nginx and strings(1) ask for');

done_testing();


sub publish {
    my ($nginx, $text) = @_;

    my $answer;

    wait_for {
        $answer = $nginx->request('POST', '/publish', body => $text);
        $answer && $answer->status != 503;
    } 20, 'nchan';

    return $answer;
}
