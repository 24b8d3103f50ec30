//! The graph over the vectors of a large head: a `USearch` index whose keys are the rows of the points.
//!
//! Rows are only ever added. What is removed stays in the graph as a place to pass through until the head is compacted, and
//! is erased from every serialised form.

use std::ops::Range;

use usearch::{IndexOptions, MetricKind, ScalarKind};

use super::super::VectorError;
use super::{THREADS, spread};

/// How many candidates a search keeps in sight; more finds more of the true neighbours and takes longer.
const EXPANSION_SEARCH: usize = 96;
/// The same for an addition.
const EXPANSION_ADD: usize = 128;
/// Links of a vector on each level but the lowest, which has twice as many.
const CONNECTIVITY: usize = 16;
/// Vectors that there is room for at first.
const ROOM: usize = 32_768;

pub(super) struct Graph {
    index: usearch::Index,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("size", &self.index.size()).finish()
    }
}

impl Graph {
    pub(super) fn new(dimension: usize) -> Result<Self, VectorError> {
        let index = empty(dimension)?;
        reserve(&index, ROOM)?;
        Ok(Self { index })
    }

    /// Adds rows with their vectors on as many threads as there are.
    ///
    /// Takes the graph for itself although the index would allow for searches meanwhile: a search reads the entry point and
    /// its level without a lock, and could pair a new level with an old entry.
    pub(super) fn add(&mut self, rows: &[(u32, &[i16])]) -> Result<(), VectorError> {
        let wanted = self.index.size() + rows.len();
        if wanted > self.index.capacity() {
            reserve(&self.index, wanted + wanted / 2)?;
        }
        spread(rows, 1, |rows| {
            for (row, vector) in rows {
                // A row that is there was added before the addition of a later one failed.
                if !self.index.contains(u64::from(*row)) {
                    self.index
                        .add(u64::from(*row), usearch::f16::from_i16s(vector))
                        .map_err(|error| failed("add a vector", &error))?;
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    pub(super) fn contains(&self, row: u32) -> bool {
        self.index.contains(u64::from(row))
    }

    /// Copies the vector of a row.
    pub(super) fn read(&self, row: u32, vector: &mut [i16]) -> Result<(), VectorError> {
        self.index
            .get(u64::from(row), usearch::f16::from_mut_i16s(vector))
            .map_err(|error| failed("read a vector", &error))?;
        Ok(())
    }

    /// About the `wanted` nearest rows that are allowed.
    pub(super) fn search(
        &self,
        query: &[f32],
        wanted: usize,
        allowed: impl Fn(u64) -> bool,
    ) -> Result<Vec<u64>, VectorError> {
        let found = self.index.filtered_search(query, wanted, allowed);
        Ok(found.map_err(|error| failed("search", &error))?.keys)
    }

    pub(super) fn serialised_size(&self) -> usize {
        self.index.serialized_length()
    }

    /// Fills bytes of that size; the numbers of rows that do not live are zero.
    pub(super) fn serialise(
        &self,
        bytes: &mut [u8],
        is_live: impl Fn(u64) -> bool,
    ) -> Result<(), VectorError> {
        self.index
            .save_to_buffer(bytes)
            .map_err(|error| failed("serialise a graph", &error))?;
        let slots = slots(bytes).ok_or_else(unknown_form)?;
        for slot in slots.into_iter().filter(|slot| !is_live(slot.key)) {
            bytes[slot.vector].fill(0);
        }
        Ok(())
    }

    /// Reads what [`Graph::serialise`] wrote.
    pub(super) fn from_bytes(bytes: &[u8], dimension: usize) -> Result<Self, VectorError> {
        let slots = slots(bytes).ok_or_else(unknown_form)?;
        if slots
            .iter()
            .any(|slot| slot.vector.len() != dimension * size_of::<i16>())
        {
            return Err(unknown_form());
        }
        let index = empty(dimension)?;
        index
            .load_from_buffer(bytes)
            .map_err(|error| failed("load a graph", &error))?;
        if index.dimensions() != dimension || index.scalar_kind() != ScalarKind::F16 {
            return Err(unknown_form());
        }
        reserve(&index, index.size())?;
        Ok(Self { index })
    }
}

fn empty(dimension: usize) -> Result<usearch::Index, VectorError> {
    usearch::new_index(&IndexOptions {
        dimensions: dimension,
        // Of unit vectors, the cosine.
        metric: MetricKind::IP,
        quantization: ScalarKind::F16,
        connectivity: CONNECTIVITY,
        expansion_add: EXPANSION_ADD,
        expansion_search: EXPANSION_SEARCH,
        multi: false,
    })
    .map_err(|error| failed("start a graph", &error))
}

fn reserve(index: &usearch::Index, capacity: usize) -> Result<(), VectorError> {
    index
        .reserve_capacity_and_threads(capacity, THREADS)
        .map_err(|error| failed("make room", &error))
}

/// Where a serialised index has a vector.
struct Slot {
    key: u64,
    vector: Range<usize>,
}

/// The slots of a serialised index; `None` when its form is not the one known here.
///
/// The form: rows and bytes a row, the vectors by slot, 64 bytes that begin with a magic word, five numbers about the graph,
/// the level of each slot, and for each slot its key followed by its links.
fn slots(bytes: &[u8]) -> Option<Vec<Slot>> {
    const MAGIC: &[u8] = b"usearch";

    let (rows, width) = (u32_at(bytes, 0)?, u32_at(bytes, 4)?);
    let head = rows.checked_mul(width)?.checked_add(8)?;
    if !bytes.get(head..)?.starts_with(MAGIC) {
        return None;
    }
    let graph = head + 64;
    let (size, links, base_links) = (
        u64_at(bytes, graph)?,
        u64_at(bytes, graph + 8)?,
        u64_at(bytes, graph + 16)?,
    );
    let links_of = |most: usize| most.checked_mul(4)?.checked_add(4);
    let (links, base_links) = (links_of(links)?, links_of(base_links)?);
    let levels = graph + 40;
    let mut node = levels + rows * 2;
    if size != rows || node > bytes.len() {
        return None;
    }
    let mut slots = Vec::with_capacity(rows);
    for slot in 0..rows {
        let level = u16::from_le_bytes(*bytes.get(levels + slot * 2..)?.first_chunk()?);
        let key = u64::from_le_bytes(*bytes.get(node..)?.first_chunk()?);
        let start = 8 + slot * width;
        slots.push(Slot {
            key,
            vector: start..start + width,
        });
        let upper_links = links.checked_mul(usize::from(level))?;
        node = node
            .checked_add(10)?
            .checked_add(base_links)?
            .checked_add(upper_links)?;
    }
    (node == bytes.len()).then_some(slots)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}

fn u64_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}

fn unknown_form() -> VectorError {
    VectorError::Index {
        attempted: "understand a serialised graph",
        detail: "it has an unknown form".to_owned(),
    }
}

fn failed(attempted: &'static str, error: &impl std::fmt::Display) -> VectorError {
    VectorError::Index {
        attempted,
        detail: error.to_string(),
    }
}
