// SPDX-License-Identifier: Apache-2.0
//! What is thrown at the parsers, and what must hold whatever it is: the entry points of `fuzz/`, and of the
//! unit tests that throw less at the same functions. In no build but theirs.

mod files;
mod shown;
mod tools;
mod words;

pub use self::{
    files::{
        arguments, earlier_results, extension_dockerfile, extension_metadata, extension_template,
        image_catalog, run_record, settings_file,
    },
    shown::{shell_line, shown_text, tool_line},
    tools::{
        apt_output, bake_metadata, bake_print, bake_progress, control_files, copyright_file,
        engine_output, image_bundle, image_files, package_facts, registry_manifest, scan_report,
        shared_object,
    },
    words::{debian_version, image_reference, operator_release, typed_value},
};

/// One thing to throw bytes at.
pub struct Target {
    /// Also the file in `fuzz/fuzz_targets` and the folder in `fuzz/seeds`.
    pub name: &'static str,
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident)*) => {
        /// Every target.
        pub const TARGETS: &[Target] = &[$(Target { name: stringify!($name), run: $name }),*];
    };
}

targets! {
    apt_output arguments bake_metadata bake_print bake_progress control_files copyright_file debian_version earlier_results engine_output extension_dockerfile
    extension_metadata extension_template image_bundle image_catalog image_files image_reference operator_release package_facts registry_manifest settings_file shared_object shell_line
    shown_text typed_value
    scan_report tool_line
    run_record
}

/// What a file or a tool's output is to us: text. What is not UTF-8 is refused where it is read.
fn text(data: &[u8]) -> &str {
    std::str::from_utf8(data).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests;
