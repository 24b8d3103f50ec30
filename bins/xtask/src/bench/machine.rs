//! The machine that is measured on.

use std::fs;

use anyhow::Context as _;

/// Processor, cores, memory, and how busy it is with other things.
pub(crate) fn description() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?;
    let model = field("/proc/cpuinfo", "model name")?;
    let memory: u64 = field("/proc/meminfo", "MemTotal")?
        .trim_end_matches(" kB")
        .parse()
        .context("could not read the size of the memory")?;
    let load = fs::read_to_string("/proc/loadavg").context("could not read the load")?;
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!(
        "{model}, {cores} cores, {} GiB; load before the start {load}\n",
        memory.div_ceil(1024 * 1024)
    ))
}

/// The resident memory of a process in KiB.
pub(crate) fn resident_kib(process: u32) -> anyhow::Result<u64> {
    let text = field(&format!("/proc/{process}/status"), "VmRSS")?;
    text.trim_end_matches(" kB")
        .parse()
        .with_context(|| format!("{text:?} is no size of memory"))
}

/// The first line `name : value` of a file of the kernel.
fn field(path: &str, name: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read {path}"))?;
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
        .with_context(|| format!("{path} has no {name}"))
}
