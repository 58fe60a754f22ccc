# SPDX-License-Identifier: Apache-2.0
# Nobody defines this function.
metadata = {
  name       = "broken"
  sql_name   = "broken"
  image_name = "broken"
  licenses   = licenses_of_nobody()
  versions   = { trixie = { "18" = { package = "1.0-1.pgdg13+1", sql = "1.0" } } }
}
