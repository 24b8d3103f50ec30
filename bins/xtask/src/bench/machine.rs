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

/// Processor time up to a moment, in ticks of the kernel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticks {
    /// Of all cores.
    elapsed: i64,
    /// Not idle.
    busy: i64,
    /// Used by this process.
    own: i64,
}

impl Ticks {
    pub(crate) fn now() -> anyhow::Result<Self> {
        let [
            user,
            nice,
            system,
            idle,
            waiting,
            interrupts,
            soft_interrupts,
            stolen,
            ..,
        ] = numbers("/proc/stat", "cpu ")?[..]
        else {
            anyhow::bail!("/proc/stat has too few numbers");
        };
        let busy = user + nice + system + interrupts + soft_interrupts + stolen;
        // After the name and the state of the process: ten other things, then its user and system time.
        let [_, _, _, _, _, _, _, _, _, _, own_user, own_system, ..] = numbers("/proc/self/stat", ") ")?[..]
        else {
            anyhow::bail!("/proc/self/stat has too few numbers");
        };
        Ok(Self {
            elapsed: busy + idle + waiting,
            busy,
            own: own_user + own_system,
        })
    }

    /// How many cores other programs have kept busy since then, on average, to one decimal.
    pub(crate) fn cores_of_others(self) -> anyhow::Result<String> {
        let now = Self::now()?;
        let cores = i64::try_from(std::thread::available_parallelism()?.get())?;
        let others = (now.busy - self.busy) - (now.own - self.own);
        let tenths = others.max(0) * 10 * cores / (now.elapsed - self.elapsed).max(1);
        Ok(format!("{}.{}", tenths / 10, tenths % 10))
    }
}

/// The numbers that come first after a mark in a file of the kernel.
fn numbers(path: &str, mark: &str) -> anyhow::Result<Vec<i64>> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read {path}"))?;
    let (_, rest) = text
        .split_once(mark)
        .with_context(|| format!("{path} has no {mark:?}"))?;
    let numbers = rest.split_whitespace().map(str::parse).skip_while(Result::is_err);
    Ok(numbers.map_while(Result::ok).collect())
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
