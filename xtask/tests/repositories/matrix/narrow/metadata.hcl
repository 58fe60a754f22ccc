# SPDX-License-Identifier: Apache-2.0
metadata = {
  name                   = "narrow"
  sql_name               = "vector"
  image_name             = "narrow"
  licenses               = usual_licenses()
  platforms              = ["linux/riscv64"]
  extension_control_path = folders("share")
  dynamic_library_path   = folders("lib")
  env                    = { "VECTOR_HOME" = "$${image_root}/${"share"}" }

  versions = {
    bookworm = {
      "18" = {
        // renovate: suite=bookworm-pgdg depName=postgresql-18-pgvector
        package = "0.8.1-2.pgdg12+1"
        sql     = "0.8.1"
      }
    }
    trixie = {
      "18" = {
        // renovate: suite=trixie-pgdg depName=postgresql-18-pgvector
        package = "0.8.1-2.pgdg13+1"
        sql     = "0.8.1"
      }
    }
  }
}
