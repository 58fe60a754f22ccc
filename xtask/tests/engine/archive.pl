# SPDX-License-Identifier: Apache-2.0
# A small archive of packages: answers at port 8080 with the files of the folder that the argument names, and with 304 who has them.
use strict;
use warnings;
use POSIX qw(strftime);
use Socket;
my $folder = $ARGV[0];
socket(my $server, PF_INET, SOCK_STREAM, 0) or die $!;
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1) or die $!;
bind($server, sockaddr_in(8080, INADDR_ANY)) or die $!;
listen($server, 16) or die $!;
while (accept(my $client, $server)) {
    my ($path, $since) = ('', '');
    while (my $line = <$client>) {
        last if $line =~ /^\r?$/;
        $path = $1 if $line =~ m{^GET /\.?/?(\S*) };
        $since = $1 if $line =~ /^If-Modified-Since: (.*?)\r?$/i;
    }
    my $file = "$folder/$path";
    if ($path =~ m{^[A-Za-z0-9_.+~-]+$} && -f $file) {
        my $changed = strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime((stat $file)[9]));
        if ($since eq $changed) {
            print $client "HTTP/1.1 304 Not Modified\r\nLast-Modified: $changed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        } else {
            open(my $in, '<:raw', $file) or die $!;
            my $text = do { local $/; <$in> };
            print $client "HTTP/1.1 200 OK\r\nLast-Modified: $changed\r\nConnection: close\r\nContent-Length: " . length($text) . "\r\n\r\n$text";
        }
    } else {
        print $client "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    }
    close $client;
}
