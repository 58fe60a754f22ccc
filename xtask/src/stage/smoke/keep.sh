# SPDX-License-Identifier: Apache-2.0
# Runs inside the base image, behind data.sh: leaves a data directory in the container's own files, of which an image is made.
# Argument: where. What else it has written is gone then.
set -euo pipefail
keep() { make_data "$1" || { rm -rf -- "$1"; exit 1; }; }
keep "$@"; exit
