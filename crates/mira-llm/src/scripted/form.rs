//! How a step is written in TOML: the key names what the step does.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::step::{Action, ErrorEvent, Fault, HttpFault, Step};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepForm {
    reasoning: Option<String>,
    text: Option<String>,
    refusal: Option<String>,
    tool_call: Option<ToolCallForm>,
    hold: Option<String>,
    fault: Option<FaultForm>,
    chunk: Option<NonZeroUsize>,
    delay_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolCallForm {
    name: String,
    arguments: Option<Value>,
    arguments_text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FaultForm {
    http: Option<u16>,
    retry_after: Option<u64>,
    body: Option<String>,
    error_event: Option<String>,
    failed: Option<String>,
    message: Option<String>,
    nested: Option<bool>,
    cut: bool,
    stall: bool,
    garbage: Option<GarbageForm>,
    unknown_event: Option<String>,
    comment: Option<String>,
    split_bytes: Option<NonZeroUsize>,
    no_terminal_event: bool,
    incomplete: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GarbageForm {
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum FormError {
    #[error("a step is one of reasoning, text, refusal, tool_call, hold, fault, or delay_ms alone")]
    Step,
    #[error("a tool_call has either arguments or arguments_text")]
    Arguments,
    #[error(
        "a fault is one of http, error_event, failed, cut, stall, garbage, unknown_event, comment, split_bytes, \
         no_terminal_event, incomplete"
    )]
    Fault,
    #[error("{key} does not belong to this fault")]
    Stray { key: &'static str },
}

impl TryFrom<StepForm> for Step {
    type Error = FormError;

    fn try_from(form: StepForm) -> Result<Self, FormError> {
        let tool_call = form.tool_call.map(Action::try_from).transpose()?;
        let fault = form.fault.map(Fault::try_from).transpose()?;
        let actions = [
            form.reasoning.map(Action::Reasoning),
            form.text.map(Action::Text),
            form.refusal.map(Action::Refusal),
            tool_call,
            form.hold.map(Action::Hold),
            fault.map(Action::Fault),
        ];
        let action = match only(actions) {
            Only::One(action) => action,
            Only::None if form.delay_ms.is_some() => Action::Pause,
            Only::None | Only::Several => return Err(FormError::Step),
        };
        let delay = Duration::from_millis(form.delay_ms.unwrap_or(0));
        Ok(Step {
            action,
            chunk: form.chunk,
            delay,
        })
    }
}

impl TryFrom<ToolCallForm> for Action {
    type Error = FormError;

    fn try_from(form: ToolCallForm) -> Result<Self, FormError> {
        let arguments = match (form.arguments, form.arguments_text) {
            (Some(value), None) => value.to_string(),
            (None, Some(text)) => text,
            (None, None) | (Some(_), Some(_)) => return Err(FormError::Arguments),
        };
        Ok(Action::ToolCall {
            name: form.name,
            arguments,
        })
    }
}

impl TryFrom<FaultForm> for Fault {
    type Error = FormError;

    fn try_from(form: FaultForm) -> Result<Self, FormError> {
        let is_http = form.http.is_some();
        let is_error = form.error_event.is_some() || form.failed.is_some();
        let details = [
            ("retry_after", form.retry_after.is_some(), is_http),
            ("body", form.body.is_some(), is_http),
            ("message", form.message.is_some(), is_error),
            ("nested", form.nested.is_some(), form.error_event.is_some()),
        ];
        if let Some((key, ..)) = details
            .into_iter()
            .find(|(_, given, belongs)| *given && !*belongs)
        {
            return Err(FormError::Stray { key });
        }
        let message = form.message.unwrap_or_else(|| "the script says so".to_owned());
        let error = |code| ErrorEvent {
            code,
            message,
            nested: form.nested.unwrap_or(false),
        };
        let faults = [
            form.http.map(|status| {
                Fault::Http(HttpFault {
                    status,
                    retry_after: form.retry_after,
                    body: form.body,
                })
            }),
            form.cut.then_some(Fault::Cut),
            form.stall.then_some(Fault::Stall),
            form.garbage.map(|garbage| {
                Fault::Garbage(match garbage {
                    GarbageForm::Text(text) => text.into_bytes(),
                    GarbageForm::Bytes(bytes) => bytes,
                })
            }),
            form.unknown_event.map(Fault::UnknownEvent),
            form.comment.map(Fault::Comment),
            form.split_bytes.map(Fault::SplitBytes),
            form.no_terminal_event.then_some(Fault::NoTerminalEvent),
            form.incomplete.map(Fault::Incomplete),
            match (form.error_event, form.failed) {
                (Some(code), None) => Some(Fault::ErrorEvent(error(code))),
                (None, Some(code)) => Some(Fault::Failed(error(code))),
                (None, None) => None,
                (Some(_), Some(_)) => return Err(FormError::Fault),
            },
        ];
        match only(faults) {
            Only::One(fault) => Ok(fault),
            Only::None | Only::Several => Err(FormError::Fault),
        }
    }
}

enum Only<T> {
    None,
    One(T),
    Several,
}

fn only<T, const N: usize>(candidates: [Option<T>; N]) -> Only<T> {
    let mut given = candidates.into_iter().flatten();
    match (given.next(), given.next()) {
        (None, _) => Only::None,
        (Some(one), None) => Only::One(one),
        (Some(_), Some(_)) => Only::Several,
    }
}
