//! The graph over the vectors of a large head: a `USearch` index whose keys are the rows of the points.
//!
//! Rows are only ever added. What is removed stays in the graph as a place to pass through until the head is compacted, and
//! is erased from every serialised form.

use half::f16;
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
    pub(super) fn add(&mut self, rows: &[(u32, &[f16])]) -> Result<(), VectorError> {
        let wanted = self.index.size() + rows.len();
        if wanted > self.index.capacity() {
            reserve(&self.index, wanted + wanted / 2)?;
        }
        spread(rows, 1, |rows| {
            for (row, vector) in rows {
                let bits: Vec<i16> = vector.iter().map(|number| number.to_bits().cast_signed()).collect();
                // A row that is there was added before the addition of a later one failed.
                if !self.index.contains(u64::from(*row)) {
                    self.index
                        .add(u64::from(*row), usearch::f16::from_i16s(&bits))
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
    pub(super) fn read(&self, row: u32, bits: &mut [i16]) -> Result<(), VectorError> {
        self.index
            .get(u64::from(row), usearch::f16::from_mut_i16s(bits))
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

    /// The whole graph; the numbers of rows that do not live are zero.
    pub(super) fn to_bytes(&self, is_live: impl Fn(u64) -> bool) -> Result<Vec<u8>, VectorError> {
        let mut bytes = vec![0; self.index.serialized_length()];
        self.index
            .save_to_buffer(&mut bytes)
            .map_err(|error| failed("serialise a graph", &error))?;
        erase(&mut bytes, is_live).ok_or_else(|| VectorError::Index {
            attempted: "erase removed vectors",
            detail: "the graph is serialised in an unknown form".to_owned(),
        })?;
        Ok(bytes)
    }

    /// What [`Graph::to_bytes`] gave.
    pub(super) fn from_bytes(bytes: &[u8], dimension: usize) -> Result<Self, VectorError> {
        let index = empty(dimension)?;
        index
            .load_from_buffer(bytes)
            .map_err(|error| failed("load a graph", &error))?;
        if index.dimensions() != dimension || index.scalar_kind() != ScalarKind::F16 {
            return Err(VectorError::Index {
                attempted: "load a graph",
                detail: format!("it has {} dimensions", index.dimensions()),
            });
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

/// Zeroes the vectors of the rows that do not live in a serialised index; `None` when its form is not the one known here.
///
/// The form: rows and bytes a row, the vectors by slot, 64 bytes that begin with a magic word, five numbers about the graph,
/// the level of each slot, and for each slot its key followed by its links.
fn erase(bytes: &mut [u8], is_live: impl Fn(u64) -> bool) -> Option<()> {
    const LENGTHS: usize = 8;
    const HEAD: usize = 64;
    const MAGIC: &[u8] = b"usearch";

    let (rows, width) = (u32_at(bytes, 0)?, u32_at(bytes, 4)?);
    let head = LENGTHS + rows * width;
    if bytes.get(head..)?.get(..MAGIC.len())? != MAGIC {
        return None;
    }
    let graph = head + HEAD;
    let (size, links, base_links) = (
        u64_at(bytes, graph)?,
        u64_at(bytes, graph + 8)?,
        u64_at(bytes, graph + 16)?,
    );
    if size != rows {
        return None;
    }
    let levels = graph + 40;
    let mut node = levels + rows * 2;
    for slot in 0..rows {
        let level = u16::from_le_bytes(*bytes.get(levels + slot * 2..)?.first_chunk()?);
        let key = u64::from_le_bytes(*bytes.get(node..)?.first_chunk()?);
        if !is_live(key) {
            bytes.get_mut(LENGTHS + slot * width..)?.get_mut(..width)?.fill(0);
        }
        node += 10 + (4 + base_links * 4) + usize::from(level) * (4 + links * 4);
    }
    (node == bytes.len()).then_some(())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}

fn u64_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}

fn failed(attempted: &'static str, error: &impl std::fmt::Display) -> VectorError {
    VectorError::Index {
        attempted,
        detail: error.to_string(),
    }
}
