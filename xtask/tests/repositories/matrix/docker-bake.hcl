# SPDX-License-Identifier: Apache-2.0
# Every distribution with every major, names that begin with the registry's path, and functions that metadata.hcl calls.
variable "registry" {
  default = "localhost:5000"
}

variable "distributions" {
  default = ["bookworm", "trixie"]
}

variable "pgVersions" {
  default = ["18"]
}

variable "platforms" {
  default = ["linux/amd64", "linux/arm64"]
}

moment = timestamp()

target "default" {
  matrix = {
    distribution = distributions
    postgres     = pgVersions
  }
  name       = "${metadata.name}_for_${postgres}_on_${distribution}"
  context    = "${metadata.name}/"
  dockerfile = "Dockerfile"
  platforms  = lookup(metadata, "platforms", platforms)

  args = {
    IMAGE           = server(postgres, distribution)
    MAJOR           = postgres
    PACKAGE_VERSION = metadata.versions[distribution][postgres].package
  }

  tags = [
    "${registry}/foreign/${metadata.image_name}:${postgres}-${distribution}",
    "${registry}/foreign/${metadata.image_name}:${postgres}-${distribution}-${formatdate("YYYYMMDD", moment)}",
  ]

  annotations = [
    "index,manifest:org.opencontainers.image.licenses=${join(" OR ", metadata.licenses)}",
    "index,manifest:io.cloudnativepg.image.base.name=${server(postgres, distribution)}",
    "index,manifest:io.cloudnativepg.image.base.pgmajor=${postgres}",
    "index,manifest:io.cloudnativepg.image.base.os=${distribution}",
    "index,manifest:io.cloudnativepg.image.sql.version=${metadata.versions[distribution][postgres].sql}",
  ]
}

function "server" {
  params = [postgres, distribution]
  result = "ghcr.io/cloudnative-pg/postgresql:${postgres}-minimal-${distribution}"
}

function "usual_licenses" {
  params = []
  result = ["PostgreSQL"]
}

function "folders" {
  params = [below]
  result = ["${below}"]
}
