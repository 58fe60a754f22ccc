# SPDX-License-Identifier: Apache-2.0
metadata = {
  name                     = "timescaledb-oss"
  sql_name                 = "timescaledb"
  image_name               = "timescaledb-oss"
  packages                 = ["postgresql-{pg}-timescaledb"]
  licenses                 = ["Apache-2.0", "PostgreSQL"]
  shared_preload_libraries = ["timescaledb"]
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
        // renovate: suite=bookworm-pgdg depName=postgresql-18-timescaledb
        package = "2.29.2+dfsg-1.pgdg12+1"
        // renovate: suite=bookworm-pgdg depName=postgresql-18-timescaledb extractVersion=^(?<version>\d+\.\d+\.\d+)
        sql     = "2.29.2"
      }
    }
    trixie = {
      "18" = {
        // renovate: suite=trixie-pgdg depName=postgresql-18-timescaledb
        package = "2.29.2+dfsg-1.pgdg13+1"
        // renovate: suite=trixie-pgdg depName=postgresql-18-timescaledb extractVersion=^(?<version>\d+\.\d+\.\d+)
        sql     = "2.29.2"
      }
    }
  }
}
