// SPDX-License-Identifier: Apache-2.0
//! What CloudNativePG does not take of an extension: such an image can be built, but no server can be configured with it.
//!
//! The lists are those of release 1.30.0, by <https://github.com/cloudnative-pg/cloudnative-pg/tree/v1.30.0>.

use std::collections::BTreeSet;

use super::Extension;
use crate::{
    finding::Findings,
    value::placeholder::{IMAGE_ROOT, Piece, pieces},
};

/// The longest name of a cluster: `validateName` in `internal/webhook/v1/cluster_webhook.go`. The suites call the cluster
/// as the extension is called.
const LONGEST_CLUSTER: usize = 50;

/// Variables that have a field of their own: `validateExtensionEnvVars` in `internal/webhook/v1/cluster_webhook.go`.
const WITH_A_FIELD: &[(&str, &str)] =
    &[("PATH", "bin_path"), ("LD_LIBRARY_PATH", "ld_library_path")];

/// Variables that the operator keeps for itself, whatever their case; the first two are beginnings:
/// `IsReservedEnvironmentVariable` in `pkg/postgres/environment.go`.
const RESERVED_BEGINNINGS: &[&str] = &["CNPG_", "PG"];
const RESERVED: &[&str] = &["POD_NAME", "NAMESPACE", "CLUSTER_NAME"];

/// The one parameter whose values are limited where WAL is archived: `validateConfiguration` in
/// `internal/webhook/v1/cluster_webhook.go`.
const WAL_LEVELS: &[&str] = &["logical", "replica"];

/// Parameters that the operator sets itself, or lets nobody set: `FixedConfigurationParameters` in
/// `pkg/postgres/configuration.go`.
const FIXED_PARAMETERS: &[&str] = &[
    "allow_system_table_mods",
    "archive_cleanup_command",
    "archive_command",
    "archive_mode",
    "bonjour",
    "bonjour_name",
    "cluster_name",
    "config_file",
    "data_directory",
    "data_sync_retry",
    "event_source",
    "external_pid_file",
    "hba_file",
    "hot_standby",
    "ident_file",
    "jit_provider",
    "listen_addresses",
    "log_destination",
    "log_directory",
    "log_file_mode",
    "log_filename",
    "log_rotation_age",
    "log_rotation_size",
    "log_truncate_on_rotation",
    "logging_collector",
    "pg_failover_slots.primary_dsn",
    "pg_failover_slots.standby_slot_names",
    "port",
    "primary_conninfo",
    "primary_slot_name",
    "promote_trigger_file",
    "recovery_end_command",
    "recovery_min_apply_delay",
    "recovery_target",
    "recovery_target_action",
    "recovery_target_inclusive",
    "recovery_target_lsn",
    "recovery_target_name",
    "recovery_target_time",
    "recovery_target_timeline",
    "recovery_target_xid",
    "restart_after_crash",
    "restore_command",
    "shared_preload_libraries",
    "ssl",
    "ssl_ca_file",
    "ssl_cert_file",
    "ssl_crl_file",
    "ssl_dh_params_file",
    "ssl_ecdh_curve",
    "ssl_key_file",
    "ssl_passphrase_command",
    "ssl_passphrase_command_supports_reload",
    "ssl_prefer_server_ciphers",
    "stats_temp_directory",
    "synchronized_standby_slots",
    "synchronous_standby_names",
    "syslog_facility",
    "syslog_ident",
    "syslog_sequence_numbers",
    "syslog_split_messages",
    "temp_tablespaces",
    "unix_socket_directories",
    "unix_socket_group",
    "unix_socket_permissions",
];

impl Extension {
    /// What a server with this extension would be refused for. `line` is where a field stands.
    pub(super) fn check_for_operator(
        &self,
        line: &dyn Fn(&str) -> Option<usize>,
        findings: &mut Findings,
    ) {
        let cluster = self.name.replace('_', "-");
        if cluster.len() > LONGEST_CLUSTER || !cluster.starts_with(|c: char| c.is_ascii_lowercase())
        {
            findings.error(
                line("name"),
                format!("the suites' cluster would be called `{cluster}`; CloudNativePG takes at most {LONGEST_CLUSTER} characters, and a letter first"),
            );
        }
        for (name, value) in &self.env {
            check_variable(name, value, line("env"), findings);
        }
        for (name, value) in &self.postgresql_parameters {
            check_parameter(name, value, line("postgresql_parameters"), findings);
        }
        for (field, paths) in [
            ("extension_control_path", &self.extension_control_path),
            ("dynamic_library_path", &self.dynamic_library_path),
            ("ld_library_path", &self.ld_library_path),
            ("bin_path", &self.bin_path),
        ] {
            let mut seen = BTreeSet::new();
            for path in paths.iter().filter(|path| !seen.insert(*path)) {
                findings.error(
                    line(field),
                    format!("`{field}` has `{path}` twice, which CloudNativePG refuses"),
                );
            }
        }
    }
}

fn check_parameter(name: &str, value: &str, line: Option<usize>, findings: &mut Findings) {
    if FIXED_PARAMETERS.contains(&name) {
        let instead = match name {
            "shared_preload_libraries" => ": name the libraries in the field of that name",
            _ => "",
        };
        findings.error(
            line,
            format!("`postgresql_parameters` sets `{name}`, which CloudNativePG lets nobody set{instead}"),
        );
    }
    if name == "wal_level" && !WAL_LEVELS.contains(&value) {
        findings.error(
            line,
            format!("`postgresql_parameters` sets `wal_level` to `{value}`; CloudNativePG takes `logical` and `replica`"),
        );
    }
}

fn check_variable(name: &str, value: &str, line: Option<usize>, findings: &mut Findings) {
    let upper = name.to_ascii_uppercase();
    let mut beginnings = RESERVED_BEGINNINGS.iter();
    if RESERVED.contains(&upper.as_str()) || beginnings.any(|one| upper.starts_with(one)) {
        findings.error(
            line,
            format!("`env` sets `{name}`, which CloudNativePG keeps for itself"),
        );
    }
    if let Some((_, field)) = WITH_A_FIELD.iter().find(|(known, _)| *known == name) {
        findings.error(
            line,
            format!(
                "`env` sets `{name}`, which CloudNativePG refuses: name the folders in `{field}`"
            ),
        );
    }
    for piece in pieces(value) {
        if let Piece::Placeholder(unknown) = piece
            && unknown != IMAGE_ROOT
        {
            findings.error(
                line,
                format!("`env` has `${{{unknown}}}` in `{name}`; CloudNativePG knows `${{{IMAGE_ROOT}}}` alone"),
            );
        }
    }
}
