// SPDX-License-Identifier: Apache-2.0
//! A hangup ends what the tests start, however they were started themselves.

use std::{
    fs,
    sync::{Arc, LazyLock, atomic::AtomicBool},
};

use signal_hook::{consts::SIGHUP, flag};

/// Under `nohup` the children would ignore it, as they should. A signal that is caught here is theirs to take again
/// (execve(2)).
static HEARD: LazyLock<()> = LazyLock::new(|| {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default();
    if ignored & 1 == 1 {
        flag::register(SIGHUP, Arc::new(AtomicBool::new(false))).unwrap();
    }
});

/// To be called before anything is started.
pub(crate) fn is_heard() {
    LazyLock::force(&HEARD);
}
