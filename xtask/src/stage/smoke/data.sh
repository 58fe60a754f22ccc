# SPDX-License-Identifier: Apache-2.0
# The one recipe of a throw-away server's data directory: of those that an image keeps, and of those that a test makes.
make_data() { initdb --pgdata="$1" --username=postgres --auth=trust --no-sync --encoding=UTF8 --no-locale; }
