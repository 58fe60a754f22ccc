# SPDX-License-Identifier: Apache-2.0
# Answers whoever asks at port 8080 with the bytes that the argument says in hexadecimal digits.
use strict;
use warnings;
use Socket;
my $file = pack('H*', $ARGV[0]);
socket(my $server, PF_INET, SOCK_STREAM, 0) or die;
bind($server, sockaddr_in(8080, INADDR_ANY)) or die $!;
listen($server, 5) or die $!;
while (accept(my $client, $server)) {
    while (my $line = <$client>) { last if $line =~ /^\r?$/ }
    print $client "HTTP/1.0 200 OK\r\nContent-Length: " . length($file) . "\r\n\r\n$file";
    close $client;
}
