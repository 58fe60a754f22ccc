# SPDX-License-Identifier: Apache-2.0
# Behind data.sh and server.sh: one server for several extensions. Behind it stand calls of `extension`, one for each, and one of `together` with
# the server's own variables, `--` and its options. Each line that is printed begins with its kind and a tab, so that what others say is no
# answer of ours: log (what the server has complained of), down (why it is not there), and of each extension begin, found, proof, failed, milliseconds.
names=() databases=() loads=() wanted=() sql_names=() silent=() proofs=()
# Arguments: its name, its database, XTASK_LOAD, XTASK_WANTED, XTASK_NAME, XTASK_SILENT and smoke.sql.
extension() {
  names+=("$1") databases+=("$2") loads+=("$3") wanted+=("$4") sql_names+=("$5") silent+=("$6") proofs+=("$7")
}
say() {
  local line
  while IFS= read -r line; do printf '%s\t%s\n' "$1" "$line"; done <<<"$2"
}
# What the server and its workers have complained of, without time and process. What a client has done wrong is in its own answer.
complaints() {
  { cat "$data.start" "$data"/log/server.log 2>/dev/null || true; } | awk '
    match($0, /^[^[]*\[[0-9]+\] <[^>]*> /) {
      rest = substr($0, RLENGTH + 1); who = substr($0, 1, RLENGTH); sub(/^[^<]*</, "", who); sub(/> $/, "", who)
      if (who != "client backend" && who != "parallel worker" && rest ~ /^(WARNING|ERROR|FATAL|PANIC):/) print "log\t" who ": " rest
    }'
}
use() {
  local at=$1 made proof
  make_database "${databases[at]}" || fail "no database could be made"
  made=$(make_extension "${loads[at]}" "${databases[at]}" "${wanted[at]}" "${sql_names[at]}") || { echo "$made"; return 1; }
  echo "$made"
  proof=$(in_database "${databases[at]}" "${wanted[at]}" "${sql_names[at]}" <<<"${proofs[at]}") || { echo "$proof"; fail "smoke.sql did not pass"; }
  [ -n "$proof" ] || proof=${silent[at]}
  tail -n 1 <<<"$proof"
}
prove() {
  local at=$1 said begun=${EPOCHREALTIME/[^0-9]/}
  say begin "${names[at]}"
  if ! wait_for_server; then
    say failed "the server does not answer any more"
    say failed "$(log)"
  elif said=$(use "$at"); then
    [[ $said != "found: "* ]] || say found "$(head -n 1 <<<"${said#found: }")"
    say proof "$(tail -n 1 <<<"$said")"
  else
    say failed "$said"
  fi
  say milliseconds "$(((${EPOCHREALTIME/[^0-9]/} - begun) / 1000))"
}
together() {
  take "$@"
  prepare
  start -c log_line_prefix='%m [%p] <%b> '
  if ! wait_for_server; then
    say down "$(log)"
  elif [ ${#names[@]} -gt 0 ]; then
    for at in "${!names[@]}"; do prove "$at"; done
    kill -0 "$server" 2>/dev/null || say down "$(log)"
  else
    # Workers begin once the server is there.
    sleep 1
  fi
  complaints
}
