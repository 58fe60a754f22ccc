# SPDX-License-Identifier: Apache-2.0
# One Dockerfile for all, which stands here; nothing is annotated, no argument names the server, and only the end of a
# target's name says for which it is.
variable "registry" {
  default = "localhost:5000"
}

target "default" {
  matrix = {
    server = flatten([
      for distro, majors in metadata.versions : [for major, _ in majors : { distro = distro, major = major }]
    ])
  }
  name    = "similar-to-${server.major}-${server.distro}"
  context = metadata.name
  args = {
    SERVER = "ghcr.io/cloudnative-pg/postgresql:${server.major}-minimal-${server.distro}"
    WANTED = "postgresql-${server.major}-pgvector=${metadata.versions[server.distro][server.major]}"
    FOR    = server.major
  }
  tags = ["${registry}/foreign/${lower(metadata.image_name)}:${server.distro}-${server.major}"]

  dockerfile-inline = <<EOT
ARG SERVER=ghcr.io/cloudnative-pg/postgresql:18-minimal-trixie
FROM $${SERVER} AS unpacked
ARG WANTED FOR
USER root
WORKDIR /unpacked
RUN apt-get update -q && apt-get download "$${WANTED}" && dpkg-deb -x postgresql-*.deb .
RUN mkdir -p /image/share /image/licenses \
    && cp usr/share/doc/postgresql-*/copyright /image/licenses/ \
    && mv "usr/lib/postgresql/$${FOR}/lib" /image/lib \
    && mv "usr/share/postgresql/$${FOR}/extension" /image/share/extension
COPY extension/ /image/share/extension/
FROM scratch
COPY --from=unpacked /image/ /
USER 65532
EOT
}
