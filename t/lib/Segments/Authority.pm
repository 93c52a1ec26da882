package Segments::Authority;

# A certificate authority of the test's own.
#
#     my $ca = Segments::Authority->new;
#     my ($crt, $key) = $ca->certificate('redis.test', expired => 1);
#     $ca->file;                                  what trusts it
#
# A name that looks like an address becomes one.

use strict;
use warnings;

use POSIX qw(strftime);

use Segments::Process;
use Segments::Util qw(find_program slurp spew tempdir);

my $instances = 0;


sub new {
    my ($class) = @_;

    my $dir = tempdir() . '/authority' . ++$instances;

    mkdir $dir or die "$dir: $!";

    my $self = bless { dir => $dir, issued => 0 }, $class;

    spew("$dir/index", '');
    spew("$dir/serial", "01\n");
    spew("$dir/conf", <<"CONF");
[ca]
default_ca = own
[own]
new_certs_dir = $dir
database = $dir/index
serial = $dir/serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
CONF

    $self->openssl(qw(req -x509 -nodes -days 2 -newkey ec
        -pkeyopt ec_paramgen_curve:prime256v1), -subj => "/CN=CA $instances",
        -keyout => "$dir/ca.key", -out => "$dir/ca.crt");

    return $self;
}


sub file { return "$_[0]{dir}/ca.crt" }


sub certificate {
    my ($self, $name, %args) = @_;

    my $base = "$self->{dir}/" . ++$self->{issued};
    my $kind = $name =~ /\A[0-9.]+\z|:/ ? 'IP' : 'DNS';
    my $day = 24 * 60 * 60;
    my ($from, $to) = map { strftime('%Y%m%d%H%M%SZ', gmtime(time + $_)) }
        $args{expired} ? (-2 * $day, -$day) : (-$day, $day);

    $self->openssl(qw(req -new -nodes -newkey ec
        -pkeyopt ec_paramgen_curve:prime256v1), -subj => "/CN=$name",
        -addext => "subjectAltName=$kind:$name",
        -keyout => "$base.key", -out => "$base.csr");
    $self->openssl('ca', '-batch', '-notext', -config => "$self->{dir}/conf",
        -cert => $self->file, -keyfile => "$self->{dir}/ca.key",
        -startdate => $from, -enddate => $to,
        -in => "$base.csr", -out => "$base.crt");

    return ("$base.crt", "$base.key");
}


sub openssl {
    my ($self, @words) = @_;

    my $output = "$self->{dir}/output";
    my $openssl = Segments::Process->spawn(
        name   => 'openssl',
        argv   => [find_program('openssl'), @words],
        output => $output,
    );

    $openssl->wait(20) && $openssl->status == 0
        or die "openssl $words[0] failed: " . slurp($output);

    return;
}


1;
