# SPDX-License-Identifier: Apache-2.0
metadata = {
  name                  = "similar"
  sql_name              = "vector"
  image_name            = "Similar"
  licenses              = "PostgreSQL"
  postgresql_parameters = { "max_parallel_workers" = 3 }
  required_extensions   = ["image-sql:similar_words", "base-image:pg_trgm"]
  distributors          = ["somebody"]

  versions = {
    // renovate: suite=trixie-pgdg depName=postgresql-18-pgvector
    trixie = { "18" = "0.8.1-2.pgdg13+1" }
  }
}
