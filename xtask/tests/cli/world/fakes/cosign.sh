# SPDX-License-Identifier: Apache-2.0
# A fake cosign: `signed` lists what was signed, a digest and the key's name a line. `NAME.key` signs, `NAME.pub` verifies.
signed=$here/cosign-signed
command=$1
shift
key= public=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case $1 in
  --key=*) key=${1#--key=} ;;
  --yes | --use-signing-config=false | --tlog-upload=false | --insecure-ignore-tlog=true) ;;
  --certificate-identity=* | --certificate-identity-regexp=* | --certificate-oidc-issuer=*) key=keyless ;;
  --output) [ "$2" = json ] || refuse "$@"; shift ;;
  *) refuse "$command $*" ;;
  esac
  shift
done
[ $# -eq 0 ] || shift
case $key in
'') name=keyless ;;
env://*) eval "name=\$${key#env://}"; name=$(printf %s "$name") ;;
*) name=${key##*/} name=${name%.*} ;;
esac
digest=${1##*@}
case $command in
public-key) [ -n "${COSIGN_PASSWORD+set}" ] || fail "Error: no password"; echo "$name" ;;
sign)
  case $key in *.key) [ -n "${COSIGN_PASSWORD+set}" ] || fail "Error: no password" ;; esac
  echo "$digest $name" >> "$signed" ;;
verify)
  grep -qs "^$digest $name\$" "$signed" || fail "Error: no signatures found" 10
  echo "[{\"critical\":{\"image\":{\"docker-manifest-digest\":\"$digest\"}}}]" ;;
*) refuse "$command" "$@" ;;
esac
