# SPDX-License-Identifier: Apache-2.0
#
# What `ci bench` compares with: one image in a call of bake, as an extension's own bake file would say it.
variable "NAME" {}
variable "BASE" {}
variable "PG_MAJOR" {}
variable "PACKAGES" {}
variable "CONTEXT" {}

target "default" {
  context = CONTEXT
  args    = { BASE = BASE, PG_MAJOR = PG_MAJOR, PACKAGES = PACKAGES }
  tags    = ["bench-reference/${NAME}:latest", "bench-reference/${NAME}:${formatdate("YYYYMMDDhhmm", timestamp())}"]
  output  = ["type=image,oci-mediatypes=true,oci-artifact=true"]
  attest  = ["type=provenance,mode=max"]
  labels  = { "org.opencontainers.image.created" = timestamp() }
}
