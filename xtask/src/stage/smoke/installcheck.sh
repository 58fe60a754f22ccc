# SPDX-License-Identifier: Apache-2.0
# Behind data.sh and server.sh, and fetch.sh before: the regression tests of the source in /installcheck/source, run by pg_regress in a server with the
# images. Arguments: the server's own variables, `--`, its options. Each line that is printed begins with its kind and a tab: begin (a test),
# ended, milliseconds, diff; lacks, failed, down, said.
say() {
  local line
  while IFS= read -r line; do printf '%s\t%s\n' "$1" "$line"; done <<<"$2"
}
# The folder whose makefile has regression tests: the root, or one in it.
tests() {
  local file
  while IFS= read -r file; do
    if grep -qE '^[[:space:]]*(override )?(REGRESS|ISOLATION)[[:space:]]*[+:?]?=' "$file" && grep -q '^include $(PGXS)' "$file"; then dirname "$file"; return; fi
  done < <(find /installcheck/source -maxdepth 2 -name Makefile -printf '%d %p\n' | sort -n | cut -d ' ' -f 2-)
}
# What differs in the test that was named.
diffs() { awk -v name="$1" '/^diff / { n = split($NF, part, "/"); wanted = part[n] ~ ("^" name "(_[0-9])?\\.out$") } wanted' "$folder"/regression.diffs "$folder"/*/regression.diffs 2>/dev/null | head -n 60; }
installcheck() {
  local folder config printed result name time is_not
  take "$@"
  prepare
  folder=$(tests)
  [ -n "$folder" ] || { say lacks "its source has no makefile of PGXS with regression tests"; return; }
  config=$(command -v pg_config) || { say lacks "the base image has no pg_config"; return; }
  [ -f "$("$config" --pgxs)" ] || { say lacks "the base image has no $("$config" --pgxs)"; return; }
  start
  wait_for_server || { say down "$(log)"; return; }
  cd "$folder"
  # Tests in Perl would start servers of their own, without the images.
  printed=$(PGHOST=/tmp PGUSER=postgres make -i installcheck USE_PGXS=1 PG_CONFIG="$config" PGXS="$("$config" --pgxs)" TAP_TESTS= 2>&1) || true
  folder=$PWD
  while IFS= read -r line; do
    if [[ $line =~ ^(not )?ok[[:space:]]+[0-9]+[[:space:]]+[-+][[:space:]]+([^[:space:]]+)[[:space:]]+([0-9]+)[[:space:]]ms ]]; then
      is_not=${BASH_REMATCH[1]} name=${BASH_REMATCH[2]} time=${BASH_REMATCH[3]}
      say begin "$name"
      say milliseconds "$time"
      if [ -z "$is_not" ]; then say ended ok; else say ended differs; say diff "$(diffs "$name")"; fi
      result=some
    else
      say said "$line"
    fi
  done <<<"$printed"
  [ -n "${result:-}" ] || say failed "error: no test has run: $(tail -n 1 <<<"$printed")"
  kill -0 "$server" 2>/dev/null || say down "$(log)"
}
installcheck "$@"; exit
