#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# libraries.pl FILE...: puts the shared libraries that these modules and programs need, directly, by a name in their text or through
# each other, and that the base image lacks, into image/system and their packages' copyright files into image/licenses. It reads the ELF headers
# instead of asking ldd, so a build for arm64 needs no emulation. Modules of perl-base suffice.
#
# packages/<package>/  what apt would install on the base image, unpacked; beside it <package>.control, which goes into
#                      image/var/lib/dpkg/status.d
# /base/lib, /base/doc the base image's /usr/lib and /usr/share/doc
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(basename);

my (%seen, %licensed);
# Modules may need each other.
my %own = map { basename($_) => 1 } @ARGV;
my @queue = map { needed($_), named($_) } @ARGV;
while (defined(my $name = shift @queue)) {
    next if $seen{$name}++ || $own{$name} || $name =~ /^ld-linux/;
    # Where alternatives are in use (BLAS) the file lies one folder deeper.
    next if in('/base/lib/*-linux-gnu', $name) || in('/base/lib', $name) || in('/base/lib/*-linux-gnu/*', $name);
    my $path = packaged($name) // die "neither the base image nor any package has $name\n";
    my $real = resolved($path) // die "$path leads nowhere\n";
    my $file = basename($real);
    run('cp', '-f', $real, "image/system/$file");
    $file eq $name or symlink($file, "image/system/$name") or die "image/system/$name: $!\n";
    license($_) for "$path $real" =~ m{\bpackages/([^/]+)/}g;
    push @queue, needed($real);
}

# The first file of that name in a folder that matches. A dangling link counts: the base image is seen in part only.
sub in {
    my ($folders, $name) = @_;
    for my $folder (glob $folders) {
        return "$folder/$name" if -e "$folder/$name" || -l "$folder/$name";
    }
    return undef;
}

# Where a package has a library of that name.
sub packaged {
    my ($name) = @_;
    return in('packages/*{/usr,}/lib/*-linux-gnu', $name) // in('packages/*{/usr,}/lib', $name)
        // in('packages/*{/usr,}/lib/*-linux-gnu/*', $name);
}

# The file itself. A link may lead into another package.
sub resolved {
    my ($path) = @_;
    for (1 .. 9) {
        return abs_path($path) if -e $path;
        $path = packaged(basename(readlink($path) // return undef)) // return undef;
    }
    return undef;
}

# What a module may load by its name while it runs: the names of libraries among its texts, where a package has such a one.
sub named {
    my ($path) = @_;
    open(my $handle, '<:raw', $path) or die "$path: $!\n";
    my $elf = do { local $/; <$handle> };
    return grep { packaged($_) } $elf =~ /(?<![\w.+-])(lib[\w+-]+\.so(?:\.\d+)*)\0/g;
}

# Packages from one source often share a documentation folder, by a link to that of another package.
sub license {
    my ($package) = @_;
    return if $licensed{$package}++;
    my $doc = readlink("packages/$package/usr/share/doc/$package") // $package;
    my ($copyright) = grep { -e } map { "$_/$doc/copyright" } "packages/$doc/usr/share/doc", '/base/doc';
    $copyright // die "$package has no copyright file\n";
    run('install', '-D', '-m', '644', '-t', "image/licenses/$package", $copyright);
    my $control = "packages/$package.control";
    run('install', '-D', '-m', '644', $control, "image/var/lib/dpkg/status.d/$package") if -e $control;
}

sub run { system(@_) == 0 or die "@_: failed\n"; }

# The DT_NEEDED names of a 64-bit little-endian ELF file.
sub needed {
    my ($path) = @_;
    open(my $handle, '<:raw', $path) or die "$path: $!\n";
    my $elf = do { local $/; <$handle> };
    substr($elf, 0, 6) eq "\x7fELF\x02\x01" or die "$path: not a 64-bit little-endian ELF file\n";
    my ($table, $size, $count) = (unpack('x32 Q<', $elf), unpack('x54 v v', $elf));
    my (@load, $dynamic, $strings, @offsets);
    for my $i (0 .. $count - 1) {
        my ($type, $offset, $address, $length) = unpack('V x4 Q< Q< x8 Q<', substr($elf, $table + $i * $size, $size));
        push @load, [$address, $offset, $length] if $type == 1;
        $dynamic = substr($elf, $offset, $length) if $type == 2;
    }
    for (my $i = 0; defined $dynamic && $i < length $dynamic; $i += 16) {
        my ($tag, $value) = unpack('Q< Q<', substr($dynamic, $i, 16));
        last if $tag == 0;
        push @offsets, $value if $tag == 1;
        $strings = $value if $tag == 5;
    }
    return unless @offsets;
    my ($segment) = grep { $strings >= $_->[0] && $strings < $_->[0] + $_->[2] } @load;
    $strings += $segment->[1] - $segment->[0];
    return map { unpack('Z*', substr($elf, $strings + $_, 256)) } @offsets;
}
