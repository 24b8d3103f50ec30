//! The JSON of the Responses API, with its fields in OpenAI's order.

use serde::Serialize;

use crate::scripted::script::TokenUsage;

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum OutputItem {
    Reasoning {
        id: String,
        summary: Vec<Part>,
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<String>,
    },
    Message {
        id: String,
        status: Status,
        role: &'static str,
        content: Vec<Part>,
    },
    FunctionCall {
        id: String,
        status: Status,
        arguments: String,
        call_id: String,
        name: String,
    },
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part {
    SummaryText {
        text: String,
    },
    OutputText {
        text: String,
        annotations: [(); 0],
        logprobs: [(); 0],
    },
    Refusal {
        refusal: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
    Failed,
}

#[derive(Serialize)]
pub(super) struct ResponseObject<'a> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created_at: u64,
    pub(super) status: Status,
    pub(super) error: Option<ResponseError<'a>>,
    pub(super) incomplete_details: Option<IncompleteDetails<'a>>,
    pub(super) model: &'a str,
    pub(super) output: &'a [OutputItem],
    pub(super) parallel_tool_calls: bool,
    pub(super) usage: Option<Usage>,
}

#[derive(Serialize)]
pub(super) struct ResponseError<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
}

#[derive(Serialize)]
pub(super) struct IncompleteDetails<'a> {
    pub(super) reason: &'a str,
}

#[derive(Serialize)]
pub(super) struct Usage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Serialize)]
struct InputDetails {
    cached_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl From<TokenUsage> for Usage {
    fn from(usage: TokenUsage) -> Self {
        Self {
            input_tokens: usage.input,
            input_tokens_details: InputDetails {
                cached_tokens: usage.cached_input,
            },
            output_tokens: usage.output,
            output_tokens_details: OutputDetails {
                reasoning_tokens: usage.reasoning,
            },
            total_tokens: usage.input.saturating_add(usage.output),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Event<'a, T> {
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) sequence_number: u64,
    #[serde(flatten)]
    pub(super) rest: T,
}

#[derive(Serialize)]
pub(super) struct NoFields {}

#[derive(Serialize)]
pub(super) struct ResponseEvent<'a> {
    pub(super) response: ResponseObject<'a>,
}

#[derive(Serialize)]
pub(super) struct ItemEvent<'a> {
    pub(super) output_index: usize,
    pub(super) item: &'a OutputItem,
}

#[derive(Serialize)]
pub(super) struct ErrorFields<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) param: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct NestedError<'a> {
    pub(super) error: ErrorFields<'a>,
}

/// An event about the content of an item; each kind has some of the optional fields.
#[derive(Default, Serialize)]
pub(super) struct ContentEvent<'a> {
    pub(super) item_id: &'a str,
    pub(super) output_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<&'a Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<[(); 0]>,
}
