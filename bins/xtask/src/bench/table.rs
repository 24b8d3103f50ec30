//! Figures, and how they are printed.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// A table of figures.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    /// The heading first.
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(title: impl Into<String>, columns: [&str; N]) -> Self {
        Self {
            title: title.into(),
            rows: vec![columns.map(str::to_owned).into()],
        }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

/// As Markdown, aligned.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows[0].len();
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or_default()
        };
        writeln!(f, "### {}\n", self.title)?;
        for (number, row) in self.rows.iter().enumerate() {
            for (column, cell) in row.iter().enumerate() {
                write!(f, "| {cell:0$} ", width(column))?;
            }
            writeln!(f, "|")?;
            if number == 0 {
                for column in 0..columns {
                    write!(f, "|{:-<1$}", "", width(column) + 2)?;
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}

/// The longest duration that is told from longer ones, in nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

/// Durations up to an hour and their percentiles, to three digits.
#[derive(Debug)]
pub(crate) struct Samples(Histogram<u64>);

impl Samples {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, HOUR, 3)?))
    }

    pub(crate) fn add(&mut self, sample: Duration) {
        // It grows as needed, and no duration here is longer than five centuries.
        self.0
            .saturating_record(u64::try_from(sample.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The percentile as milliseconds.
    pub(crate) fn ms(&self, percentile: f64) -> String {
        let nanos = Duration::from_nanos(self.0.value_at_percentile(percentile));
        format!("{:.3}", nanos.as_secs_f64() * 1_000.0)
    }
}
