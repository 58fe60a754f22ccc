# SPDX-License-Identifier: Apache-2.0
metadata = {
  name                     = "pg-crash"
  sql_name                 = "pg_crash"
  image_name               = "pg-crash"
  packages                 = ["postgresql-{pg}-pg-crash"]
  licenses                 = ["BSD-3-Clause"]
  shared_preload_libraries = ["pg_crash"]
  # Every second a random process gets a signal unless told otherwise: too often for a test of anything else.
  postgresql_parameters    = {
    "crash.delay" = "3600"
  }
  extension_control_path   = []
  dynamic_library_path     = []
  ld_library_path          = []
  bin_path                 = []
  env                      = {}
  auto_update_os_libs      = false
  required_extensions      = []
  create_extension         = false

  versions = {
    bookworm = {
      "18" = {
        // renovate: suite=bookworm-pgdg depName=postgresql-18-pg-crash
        package = "0.3-2.pgdg12+1"
      }
    }
    trixie = {
      "18" = {
        // renovate: suite=trixie-pgdg depName=postgresql-18-pg-crash
        package = "0.3-2.pgdg13+1"
      }
    }
  }
}
