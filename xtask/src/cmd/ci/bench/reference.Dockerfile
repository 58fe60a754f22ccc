# SPDX-License-Identifier: Apache-2.0
#
# What `ci bench` compares with: packages are installed, and what they have brought for PostgreSQL is copied, with the libraries
# that the modules find then.
ARG BASE
FROM $BASE AS builder
ARG PG_MAJOR
ARG PACKAGES
USER 0
RUN apt-get update && apt-get install -y --no-install-recommends $PACKAGES
RUN mkdir -p /image/system && \
    ldd /usr/lib/postgresql/$PG_MAJOR/lib/*.so | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u | xargs -r cp -L -t /image/system && \
    cp -r /usr/lib/postgresql/$PG_MAJOR/lib /image/lib && cp -r /usr/share/postgresql/$PG_MAJOR/extension /image/share

FROM scratch
COPY --from=builder /image/ /
USER 65532:65532
