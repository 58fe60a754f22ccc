#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# After the packages are installed: an empty home for postgres, and no package index that would age in the image.
set -eu
root=$1
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/lib/postgresql/*
chown 26:26 "$root/var/lib/postgresql"
chmod 700 "$root/var/lib/postgresql"
