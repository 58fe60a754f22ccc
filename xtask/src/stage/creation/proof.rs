// SPDX-License-Identifier: Apache-2.0
//! The first `smoke.sql` of an extension, which uses what is known of it, and the suite that runs that on a cluster.

use super::draft::Draft;

const CREATED: &str = include_str!("created.sql");
const DECODES: &str = include_str!("decodes.sql");
const LOADED: &str = include_str!("loaded.sql");

impl Draft {
    /// What `smoke` runs once the extension is created or loaded.
    pub(crate) fn proof(&self) -> String {
        let template = if self.is_created {
            CREATED
        } else if self.is_decoder {
            DECODES
        } else {
            LOADED
        };
        let all = std::iter::once(self.sql_name.as_str());
        let all = all.chain(self.others.iter().map(|name| &**name));
        let all: Vec<String> = all.map(|name| format!("'{name}'")).collect();
        template
            .replace("@names@", &all.join(", "))
            .replace("@name@", &self.sql_name)
    }

    /// The suite: a cluster, a database, and what `smoke` runs.
    pub(crate) fn suite(&self, steps: &str) -> String {
        let step = |name: &str| {
            format!(
                "    - name: \"{name}\"\n      use:\n        template: \"{steps}/{name}.yaml\"\n"
            )
        };
        let does = if self.is_created { "created" } else { "loaded" };
        format!(
            "# SPDX-License-Identifier: Apache-2.0\napiVersion: chainsaw.kyverno.io/v1alpha1\nkind: Test\nmetadata:\n  name: \"{}\"\n  annotations:\n    # What it applies is what the shared suite has applied.\n    io.cloudnativepg.xtask.cluster: \"shared\"\nspec:\n  \
             description: \"the extension is {does}, and smoke.sql passes\"\n  timeouts:\n    apply: \"5s\"\n    assert: \"3m\"\n    delete: \"30s\"\n  steps:\n{}{}{}",
            self.name,
            step("cluster"),
            step("database"),
            step("smoke")
        )
    }
}
