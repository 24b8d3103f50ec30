//! `code_intelligence_command`: what answers it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

/// What answers a command about code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CodeData {
    /// To `code.search`.
    CodeSearchResults {
        /// What was looked for.
        pattern: String,
        /// The project.
        project_id: String,
        /// Best first.
        elements: Vec<CodeElement>,
        /// How many there are.
        count: u64,
    },
    /// To `code.complexity_hotspots`.
    ComplexityHotspots {
        /// The project.
        project_id: String,
        /// Most complex first.
        hotspots: Vec<ComplexityHotspot>,
        /// How many there are.
        count: u64,
    },
    /// To `code.repo_stats`.
    RepoStats {
        /// The attachment.
        attachment_id: String,
        /// All files.
        total_files: u64,
        /// Those that were parsed.
        analyzed_files: u64,
        /// Functions, types and so on in them.
        total_elements: u64,
        /// Mean cyclomatic complexity of the functions.
        avg_complexity: f64,
        /// All findings.
        total_quality_issues: u64,
        /// The worst of them.
        critical_issues: u64,
        /// The next worst.
        high_issues: u64,
    },
    /// To `code.elements_by_type`.
    ElementsByType {
        /// What was asked for.
        element_type: String,
        /// The project.
        project_id: String,
        /// By path and line.
        elements: Vec<CodeElement>,
        /// How many there are.
        count: u64,
    },
    /// To `code.supported_languages`.
    SupportedLanguages {
        /// In lower case.
        languages: Vec<String>,
    },
    /// To `code.delete_repository_data`.
    RepositoryDataDeleted {
        /// The project.
        project_id: String,
        /// How many elements were forgotten.
        deleted_elements: u64,
    },
}

/// A function, type or the like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct CodeElement {
    /// What it is, such as `function`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// File and name.
    pub full_path: String,
    /// Who may use it.
    pub visibility: String,
    /// Its first line, counted from 1.
    pub start_line: u32,
    /// Its last line, counted from 1.
    pub end_line: u32,
    /// Its cyclomatic complexity.
    pub complexity_score: u32,
    /// Whether it is a test.
    pub is_test: bool,
    /// Whether it is asynchronous.
    pub is_async: bool,
    /// What its documentation says.
    pub documentation: Option<String>,
}

/// A function that is hard to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ComplexityHotspot {
    /// Its name.
    pub name: String,
    /// File and name.
    pub full_path: String,
    /// Its cyclomatic complexity.
    pub complexity_score: u32,
    /// Its first line, counted from 1.
    pub start_line: u32,
    /// Its last line, counted from 1.
    pub end_line: u32,
    /// What it is, such as `function`.
    pub element_type: String,
}
