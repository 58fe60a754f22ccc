# SPDX-License-Identifier: Apache-2.0
# The server has the module with its parameters, and its worker has said so in the log.
set -eu
pod=pg-crash-1
loaded=$(
    kubectl exec --stdin "$pod" --namespace "$NAMESPACE" --container postgres -- \
        psql --no-psqlrc --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname app <<'SQL'
SELECT count(*) FROM pg_get_loaded_modules() WHERE file_name = 'pg_crash.so';
SELECT string_agg(name, ' ' ORDER BY name) FROM pg_settings WHERE name LIKE 'crash.%';
SQL
)
echo "$loaded"
[ "$loaded" = "1
crash.delay crash.signals" ]
# The instance manager forwards the log in its own time; Chainsaw ends the wait.
until kubectl logs "$pod" --namespace "$NAMESPACE" --container postgres | grep 'pg_crash background worker started'; do
    sleep 0.2
done
