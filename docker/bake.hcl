# SPDX-License-Identifier: Apache-2.0
#
# How an extension image is named, tagged, described and built. buildx reads this file first and the extension's
# metadata.hcl second, so that whatever the extension says about its targets wins:
#
#   docker buildx bake -f docker/bake.hcl -f extensions/<name>/metadata.hcl
#
# Every variable can be set from the environment under its own name.

# testing or production; testing adds -testing to the repository's name.
variable "environment" {
  default = "testing"
  validation {
    condition     = contains(["testing", "production"], environment)
    error_message = "environment is either testing or production."
  }
}

# Where the images go: host[:port][/namespace].
variable "registry" {
  default = "localhost:5000"
}

# The commit that the images are built from.
variable "revision" {
  default = ""
}

# When the images say that they were made, in seconds since 1970; a commit's: git log -1 --format=%ct. The moment of the build is
# in the annotation and the tag alone, so that the same packages make the same image at any time: https://reproducible-builds.org.
variable "SOURCE_DATE_EPOCH" {
  default = "0"
  validation {
    condition     = length(regexall("^[0-9]+$", SOURCE_DATE_EPOCH)) == 1
    error_message = "SOURCE_DATE_EPOCH is a number of seconds."
  }
}

# The PostgreSQL image that the extension is for; {pg} and {distro} are replaced.
variable "base_image" {
  default = "ghcr.io/cloudnative-pg/postgresql:{pg}-minimal-{distro}"
}

# Home of the sources and the documentation.
variable "url" {
  default = "https://github.com/cloudnative-pg/postgres-extensions-containers"
}

# Authors and vendor of the images.
variable "authors" {
  default = "The CloudNativePG Contributors"
}

# Read once: the tag and the creation date of one run are the same moment, in UTC.
now = timestamp()

# Makes the stage `archive` ask the package archive anew, once for all bakes of the same second. What follows that stage
# depends on the index by content and stays cached until there is something new. `no-cache-filter` would not do: BuildKit
# then empties the stage's cache mount as well, and apt fetches the whole index in every bake.
asked_at = formatdate("YYYYMMDDhhmmss", now)

target "default" {
  name = getBuildName(metadata.name, build.distro, build.pgVersion)
  matrix = {
    build = getBuildMatrix()
  }

  # The Dockerfile beside this file makes an image of Debian packages. An extension that needs more has a Dockerfile of its
  # own, with the package archive's index as the named context `archive`, for `RUN --mount=from=archive`. `--check` cannot
  # follow such a link (docker/buildx#3343) and wants `--set '*.contexts.archive=docker-image://scratch'` for these.
  context    = packaged() ? "docker" : "extensions/${metadata.name}"
  contexts   = packaged() ? {} : { archive = "target:archive-${build.pgVersion}-${build.distro}" }
  dockerfile = "Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]

  args = {
    PG_MAJOR    = build.pgVersion
    EXT_VERSION = packageOf(build.distro, build.pgVersion)
    PACKAGES    = packagesOf(build.pgVersion)
    # With /system on the linker's path the shared Dockerfile fills it.
    LIBRARIES   = contains(lookup(metadata, "ld_library_path", []), "system") ? "needed" : "none"
    BASE        = baseOf(build.distro, build.pgVersion)
    ASKED_AT    = asked_at
    # BuildKit's own: the time in the image's configuration and history.
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH
  }

  tags = [
    "${repository()}:${versionOf(build.distro, build.pgVersion)}-${build.pgVersion}-${build.distro}",
    "${repository()}:${versionOf(build.distro, build.pgVersion)}-${formatdate("YYYYMMDDhhmm", now)}-${build.pgVersion}-${build.distro}",
  ]
  output = ["type=image,oci-mediatypes=true,oci-artifact=true"]
  attest = ["type=provenance,mode=max", "type=sbom"]

  labels = merge(described(build.distro, build.pgVersion), {
    "org.opencontainers.image.created" = timeadd("1970-01-01T00:00:00Z", "${SOURCE_DATE_EPOCH}s")
  })
  annotations = [for key, value in described(build.distro, build.pgVersion) : "index,manifest:${key}=${value}"]
}

# The package archive's index for one base image: a named context for the Dockerfiles that are an extension's own. It is the
# stage that the shared Dockerfile has, with the same arguments, so that BuildKit runs it once for both.
target "archive" {
  name = "archive-${build.pgVersion}-${build.distro}"
  matrix = {
    build = getBuildMatrix()
  }

  context    = "docker"
  dockerfile = "Dockerfile"
  target     = "archive"
  platforms  = ["linux/amd64", "linux/arm64"]

  args = {
    BASE     = baseOf(build.distro, build.pgVersion)
    ASKED_AT = asked_at
  }
}

# What an image says about itself. Tools read the io.cloudnativepg keys to find the PostgreSQL image, the dependencies
# and the SQL version that belong to it.
function "described" {
  params = [distro, pgVersion]
  result = {
    "org.opencontainers.image.created"       = now
    "org.opencontainers.image.url"           = url
    "org.opencontainers.image.source"        = url
    "org.opencontainers.image.version"       = versionOf(distro, pgVersion)
    "org.opencontainers.image.revision"      = revision
    "org.opencontainers.image.vendor"        = authors
    "org.opencontainers.image.title"         = "${metadata.name} ${versionOf(distro, pgVersion)} ${pgVersion} ${distro}"
    "org.opencontainers.image.description"   = "${metadata.name} ${versionOf(distro, pgVersion)} as an image volume for PostgreSQL ${pgVersion} on ${distro}"
    "org.opencontainers.image.documentation" = url
    "org.opencontainers.image.authors"       = authors
    "org.opencontainers.image.licenses"      = join(" AND ", metadata.licenses)
    "org.opencontainers.image.base.name"     = "scratch"
    "io.cloudnativepg.image.base.name"       = baseOf(distro, pgVersion)
    "io.cloudnativepg.image.base.pgmajor"    = pgVersion
    "io.cloudnativepg.image.base.os"         = distro
    "io.cloudnativepg.image.sql.version"     = lookup(metadata.versions[distro][pgVersion], "sql", "")
  }
}

# The pairs that metadata.versions lists and no others: a distribution need not have every PostgreSQL major.
# metadata.hcl files call getBuildMatrix and getBuildName and use build.distro and build.pgVersion: keep these names.
function "getBuildMatrix" {
  params = []
  result = flatten([
    for distro, majors in metadata.versions : [
      for pgVersion in keys(majors) : { distro = distro, pgVersion = pgVersion }
    ]
  ])
}

function "getBuildName" {
  params = [name, distro, pgVersion]
  result = "${name}-${replace(versionOf(distro, pgVersion), ".", "_")}-${pgVersion}-${distro}"
}

function "repository" {
  params = []
  result = lower("${registry}/${metadata.image_name}${environment == "testing" ? "-testing" : ""}")
}

# Whether the image is made of Debian packages alone: metadata.packages names them, with {pg} for PostgreSQL's major.
function "packaged" {
  params = []
  result = length(lookup(metadata, "packages", [])) > 0
}

function "packagesOf" {
  params = [pgVersion]
  result = replace(join(" ", lookup(metadata, "packages", [])), "{pg}", pgVersion)
}

function "packageOf" {
  params = [distro, pgVersion]
  result = metadata.versions[distro][pgVersion].package
}

# The upstream version at the head of a Debian version: 3.6.4+dfsg-2 is 3.6.4. A tag cannot hold the colon of an epoch,
# so 1:6.1.0-2 is 1-6.1.0.
function "versionOf" {
  params = [distro, pgVersion]
  result = replace(regex("^(?:[0-9]+:)?[0-9]+(?:[.][0-9]+)*", packageOf(distro, pgVersion)), ":", "-")
}

function "baseOf" {
  params = [distro, pgVersion]
  result = replace(replace(base_image, "{pg}", pgVersion), "{distro}", distro)
}
