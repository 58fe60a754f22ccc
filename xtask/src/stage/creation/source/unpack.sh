# SPDX-License-Identifier: Apache-2.0
# Unpacks `archive` into `source`.
set -eu
mkdir said
mkdir unpacked
case $(head -c 2 archive) in
PK) unzip -q archive -d unpacked ;;
*) tar -xf archive -C unpacked --no-same-owner ;;
esac
# Most archives hold one folder, with everything in it.
set -- unpacked/*
if [ $# = 1 ] && [ -d "$1" ]; then mv "$1" source; else mv unpacked source; fi
