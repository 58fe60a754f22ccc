# SPDX-License-Identifier: Apache-2.0
metadata = {
  name                     = "pg-ivm"
  sql_name                 = "pg_ivm"
  image_name               = "pg-ivm"
  packages                 = ["postgresql-{pg}-pg-ivm"]
  licenses                 = ["PostgreSQL"]
  shared_preload_libraries = ["pg_ivm"]
  postgresql_parameters    = {}
  extension_control_path   = []
  dynamic_library_path     = []
  ld_library_path          = []
  bin_path                 = []
  env                      = {}
  auto_update_os_libs      = false
  required_extensions      = []
  create_extension         = true

  versions = {
    bookworm = {
      "18" = {
        // renovate: suite=bookworm-pgdg depName=postgresql-18-pg-ivm
        package = "1.13-1.pgdg12+1"
        // renovate: suite=bookworm-pgdg depName=postgresql-18-pg-ivm extractVersion=^(?<version>\d+\.\d+)
        sql     = "1.13"
      }
    }
    trixie = {
      "18" = {
        // renovate: suite=trixie-pgdg depName=postgresql-18-pg-ivm
        package = "1.13-1.pgdg13+1"
        // renovate: suite=trixie-pgdg depName=postgresql-18-pg-ivm extractVersion=^(?<version>\d+\.\d+)
        sql     = "1.13"
      }
    }
  }
}
