# SPDX-License-Identifier: Apache-2.0
# Of the older kind: a version is the package's alone, nothing is annotated, and one group names its targets.
variable "registry" {
  default = "localhost:5000"
}

target "default" {
  matrix = {
    pair = [for distro, majors in metadata.versions : { distro = distro, major = keys(majors)[0] }]
  }
  name    = "${metadata.name}-${pair.major}-${pair.distro}"
  context = "images/${metadata.name}"
  args = {
    PG_MAJOR    = pair.major
    EXT_VERSION = metadata.versions[pair.distro][pair.major]
    BASE        = "ghcr.io/cloudnative-pg/postgresql:${pair.major}-minimal-${pair.distro}"
  }
  tags   = ["${registry}/foreign/${metadata.name}:${pair.major}-${pair.distro}"]
  labels = { "org.opencontainers.image.created" = timestamp() }
}
