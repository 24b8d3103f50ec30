//! One turn: assemble the context, ask the reasoner, run its tools, feed the results back, until it answers.

use mira_llm::chat::{Item, Request, ToolCall, ToolChoice};

use crate::context;
use crate::event::Event;
use crate::failure::{Failure, FailureCode};
use crate::journal::Change;
use crate::listen::{self, note};
use crate::operation::{Limit, ModelRole, Status};
use crate::operations::Inner;
use crate::tool::{self, Toolbox};
use crate::turns::{End, Job};

/// Said to the reasoner when it may call no more tools.
const LAST_WORD: &str = "You have used all the tool calls of this turn. Answer now with what you have: say what is \
                         done, what is not, and how to go on.";

/// Runs a turn to its end. Dropping the future stops whatever it does; the caller writes the end.
pub(crate) async fn run(inner: &Inner, job: &Job) -> Result<End, Failure> {
    let reasoner = inner
        .models
        .get(ModelRole::Reasoner)
        .map_err(|error| Failure::from(&error))?;
    let started = Event::StatusChanged {
        from: Status::Pending,
        to: Status::Started,
    };
    note(inner, job, Some(Change::Status(Status::Started)), vec![started]).await?;

    let files = match job.turn.project {
        Some(project) => match inner.workspace.files(project).await {
            Ok(files) => Some(files),
            Err(mira_workspace::Error::NotAttached { .. }) => None,
            Err(error) => return Err((&crate::Error::from(error)).into()),
        },
        None => None,
    };
    let context = context::assemble(inner, job, files.as_ref(), reasoner.model())
        .await
        .map_err(|error| Failure::from(&error))?;
    let receipt = Event::Context {
        purpose: ModelRole::Reasoner,
        model: reasoner.model().to_owned(),
        parts: context.parts,
    };
    note(inner, job, None, vec![receipt]).await?;

    let toolbox = Toolbox::new(inner, job, files);
    let mut request = Request {
        instructions: context.instructions,
        input: context.input,
        tools: toolbox.tools(),
        cache_key: Some(job.turn.session.to_string()),
        max_output_tokens: inner.options.reasoner_output_tokens,
        ..Request::default()
    };
    let mut spent = 0;
    let mut said_something = false;
    let mut made_something = false;
    let mut iteration = 0;
    loop {
        let last = iteration == inner.options.max_iterations;
        iteration += 1;
        if last {
            request.tool_choice = ToolChoice::None;
            request.input.push(Item::Developer(LAST_WORD.to_owned()));
        }
        let reply = listen::reply(
            inner,
            job,
            ModelRole::Reasoner,
            reasoner.as_ref(),
            request.clone(),
        )
        .await?;
        spent += reply.usage.total();
        said_something |= !reply.text().is_empty();
        let calls: Vec<ToolCall> = reply.tool_calls().cloned().collect();
        if calls.is_empty() || last {
            if !said_something && !made_something {
                return Err(Failure {
                    retryable: true,
                    ..Failure::new(
                        FailureCode::ModelMalformed,
                        format!("{} answered with nothing", reasoner.model()),
                    )
                });
            }
            return Ok(End::Completed(last.then_some(Limit::Iterations)));
        }
        request.input.extend(reply.items);
        for call in calls {
            let outcome = tool::run(&toolbox, &call).await?;
            spent += outcome.spent;
            made_something |= outcome.made_artifact;
            request.input.push(Item::ToolOutput {
                call_id: call.call_id,
                output: outcome.output,
            });
        }
        if spent > inner.options.max_turn_tokens {
            return Ok(End::Completed(Some(Limit::Tokens)));
        }
    }
}
