# SPDX-License-Identifier: Apache-2.0
metadata = {
  name                     = "decoder"
  sql_name                 = "wal2json"
  image_name               = "decoder"
  shared_preload_libraries = []
  extension_control_path   = []
  dynamic_library_path     = []
  ld_library_path          = []
  create_extension         = false
  required_extensions      = ["vector"]
  maintainer               = "somebody"

  versions = {
    // renovate: suite=trixie-pgdg depName=postgresql-18-wal2json
    trixie = { "18" = "2.6-3.pgdg13+1" }
  }
}
