package Segments::HTTP::Response;

# An answer, and the parser that makes it from bytes as they come.

use strict;
use warnings;

use JSON::PP ();


sub status  { return $_[0]{status} }
sub reason  { return $_[0]{reason} }
sub version { return $_[0]{version} }
sub body    { return $_[0]{body} }
sub raw     { return $_[0]{raw} }          # the header's bytes
sub fields  { return @{ $_[0]{fields} } }  # [name, value] as they came
sub interim { return @{ $_[0]{interim} } } # the 1xx answers before it

# the body ended before its announced length, or before its last chunk

sub truncated { return $_[0]{truncated} }


# the first of that name, or undef

sub header {
    my ($self, $name) = @_;

    return ($self->headers($name))[0];
}


sub headers {
    my ($self, $name) = @_;

    return map { $_->[1] } grep { lc $_->[0] eq lc $name }
        @{ $self->{fields} };
}


# undef where the body is not JSON

sub json {
    my ($self) = @_;

    return eval { JSON::PP->new->utf8->allow_nonref->decode($self->{body}) };
}


# What became of a create, in one line: its status, Idempotency-Status,
# "marked" where Idempotent-Replayed says so, and the error's code, as in
# "201 recorded", "201 replayed marked", "409 in-progress
# idempotency_in_progress".

sub summary {
    my ($self) = @_;

    my $json = $self->json;
    my $error = ref $json eq 'HASH' && ref $json->{error} eq 'HASH'
        ? $json->{error}{code} : undef;
    my $marked = $self->header('Idempotent-Replayed');

    return join ' ', $self->status, $self->header('Idempotency-Status') // '-',
        defined $marked ? ($marked eq 'true' ? 'marked' : "marked=$marked")
        : (), $error // ();
}


sub parser {
    my ($class) = @_;

    return bless { in => '', methods => [], interim => [] },
        'Segments::HTTP::Response::Parser';
}


package Segments::HTTP::Response::Parser;


# the next answer belongs to a request with that method

sub expect {
    my ($self, $method) = @_;

    push @{ $self->{methods} }, $method;

    return;
}


sub feed {
    my ($self, $bytes) = @_;

    $self->{in} .= $bytes;

    return;
}


# a complete answer, or undef

sub next {
    my ($self) = @_;

    while (!$self->{head}) {
        $self->parse_head or return;
    }

    return $self->parse_body;
}


sub parse_head {
    my ($self) = @_;

    # first without fields: another answer may follow

    $self->{in} =~ s{\A(HTTP/([0-9.]+)\ ([0-9]{3})(?:\ ([^\r\n]*))?\r?\n
                    )()\r?\n}{}xs
        or $self->{in} =~ s{\A(HTTP/([0-9.]+)\ ([0-9]{3})(?:\ ([^\r\n]*))?\r?\n
                    (.*?)\r?\n)\r?\n}{}xs
        or return 0;

    my $head = bless {
        raw     => $1,
        version => $2,
        status  => $3,
        reason  => $4,
        fields  => [],
        body    => '',
    }, 'Segments::HTTP::Response';

    for my $line (split /\r?\n/, $5 // '') {
        push @{ $head->{fields} }, [$1, $2]
            if $line =~ /\A([^:]*):[ \t]*(.*?)[ \t]*\z/s;
    }

    if ($head->{status} =~ /\A1/ && $head->{status} != 101) {
        push @{ $self->{interim} }, $head;
        return 1;
    }

    $self->{head} = $head;

    return 1;
}


sub parse_body {
    my ($self) = @_;

    my $head = $self->{head};

    if (($self->{methods}[0] // '') eq 'HEAD'
        || $head->{status} =~ /\A(?:204|304)\z/)
    {
        return $self->finished;
    }

    if (lc($head->header('Transfer-Encoding') // '') eq 'chunked') {
        return $self->parse_chunks;
    }

    my $length = $head->header('Content-Length');
    my $missing = defined $length ? $length - length $head->{body} : undef;

    $head->{body} .= substr $self->{in}, 0, $missing // length $self->{in}, '';

    return if !defined $length || length $head->{body} < $length;

    return $self->finished;
}


sub parse_chunks {
    my ($self) = @_;

    while ($self->{in} =~ /\A([0-9A-Fa-f]+)[^\r\n]*\r\n/) {
        my ($start, $size) = (length $&, hex $1);

        if ($size == 0) {
            $self->{in} =~ s/\A[^\r\n]+\r\n(?:[^\r\n]+\r\n)*\r\n// or return;
            return $self->finished;
        }

        return if length $self->{in} < $start + $size + 2;

        $self->{head}{body} .= substr $self->{in}, $start, $size;
        substr $self->{in}, 0, $start + $size + 2, '';
    }

    return;
}


# the connection was closed: what there is, or undef

sub finish {
    my ($self) = @_;

    my $head = $self->{head} or return;

    $head->{truncated} = defined $head->header('Content-Length')
        || defined $head->header('Transfer-Encoding') ? 1 : 0;

    return $self->finished;
}


sub finished {
    my ($self) = @_;

    my $head = delete $self->{head};

    $head->{interim} = $self->{interim};
    $self->{interim} = [];
    shift @{ $self->{methods} };

    return $head;
}


1;
