# SPDX-License-Identifier: Apache-2.0
metadata = {
  name       = "stray"
  sql_name   = "stray"
  image_name = "stray"

  versions = {
    // Copied from another extension: renovate: suite=trixie-pgdg depName=postgresql-18-hypopg
    trixie = { "18" = "1.0" }
  }
}
