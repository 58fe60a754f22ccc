# SPDX-License-Identifier: Apache-2.0
metadata = {
  name                = "adrift"
  sql_name            = "adrift"
  image_name          = "adrift"
  required_extensions = ["nowhere"]
  versions            = { trixie = { "18" = "1.0-1.pgdg13+1" } }
}
