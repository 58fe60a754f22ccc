# SPDX-License-Identifier: Apache-2.0
# A fake chainsaw: wants what the real one wants, keeps the values that it was given, and counts how many of it run.
if [ "$*" = version ]; then
  printf 'Version: v0.2.15\nTime: unknown\nGit commit ID: unknown\n'
  exit
fi
[ "$1 $3 $5 $7 $8 $9 ${10} ${11} ${13}" = "test --values --namespace --skip-delete --no-color --report-format JUNIT-OPERATION --report-name --report-path" ] || refuse "$@"
suite=$2 values=$4 namespace=$6 report=${12} folder=${14}
[ -d "$suite" ] || fail "Error: lstat $suite: no such file or directory"
[ -e "$values" ] || fail "Error: open $values: no such file or directory"
[ -d "$folder" ] || fail "Error: open $folder/$report.xml: no such file or directory"
[ -e "$KUBECONFIG" ] || fail "Error: invalid configuration: no configuration has been provided"
grep -qs "\"$namespace\"" "$here"/kube/*/objects/Namespace-*.json || fail "Error: namespaces \"$namespace\" not found"
mine=$here/chainsaw
mkdir -p "$mine/values" "$mine/running"
cp "$values" "$mine/values/$report"
: > "$mine/running/$$"
set -- "$mine"/running/*
echo $# >> "$mine/counts"
seconds=$(first "$mine/seconds")
[ -z "$seconds" ] || sleep "$seconds"
rm "$mine/running/$$"
echo "<testsuites/>" > "$folder/$report.xml"
for pattern in "$mine"/fails.*; do
  case "$report" in
  *"${pattern##*/fails.}"*)
    cat "$pattern"
    fail "Error: some tests failed" ;;
  esac
done
echo "--- PASS: chainsaw ($suite)"
