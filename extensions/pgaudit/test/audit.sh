# SPDX-License-Identifier: Apache-2.0
# A write is to be audited, a read is not: CloudNativePG's log has a record of the one and none of the other.
set -eu
pod=pgaudit-1
marker=audited_$$
kubectl exec --stdin "$pod" --namespace "$NAMESPACE" --container postgres -- \
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname app <<SQL
SET pgaudit.log = 'write';
CREATE TABLE $marker (id int);
INSERT INTO $marker VALUES (1);
SELECT id FROM $marker;
SQL
# The instance manager forwards the log in its own time; Chainsaw ends the wait.
until records=$(kubectl logs "$pod" --namespace "$NAMESPACE" --container postgres | grep '"logger":"pgaudit"' | grep "$marker"); do
    sleep 0.2
done
echo "$records"
echo "$records" | grep -q '"class":"WRITE"'
echo "$records" | grep -q '"command":"INSERT"'
if echo "$records" | grep -q '"command":"SELECT"'; then
    echo "the read was audited too"
    exit 1
fi
