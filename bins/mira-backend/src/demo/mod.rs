//! `demo`: a whole turn without a key, over the real WebSocket, against a scripted model upstream.

mod screen;
mod script;
mod story;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mira_client::{Client, Options};
use mira_proto::native::{
    Artifact, Project, ProjectCreate, ProjectCreateParams, SessionOpen, SessionOpenParams,
};
use mira_server::Server;
use mira_server::config::Config;
use mira_server::scripted::Upstream;
use mira_server::transport::Stop;
use screen::Screen;
use script::Plan;

pub(crate) async fn run(project: &Path) -> anyhow::Result<()> {
    let directory = project
        .canonicalize()
        .with_context(|| format!("there is no directory {}", project.display()))?;
    let plan = Plan::for_directory(&directory)?;
    let data = tempfile::tempdir().context("could not make a temporary data directory")?;
    let upstream = Upstream::start(plan.script())
        .await
        .context("could not start the scripted model")?;
    let server = Server::start(config(&upstream, data.path())?).await?;
    let url = format!("ws://{}/ws", server.local_addr());

    let mut screen = Screen::new();
    screen.title("Mira, a demonstration without a key")?;
    screen.note(&format!("server    {url}"))?;
    screen.note(&format!("models    scripted, at {}", upstream.base_url()))?;
    screen.note(&format!(
        "project   {} (nothing in it is changed)",
        directory.display()
    ))?;

    let stop = Stop::default();
    let told = async {
        let told = tell(&mut screen, &url, &directory, &plan).await;
        stop.soft.cancel();
        told
    };
    let (told, ()) = tokio::join!(told, server.run(stop.clone()));
    told?;
    let violations = upstream.violations();
    anyhow::ensure!(
        violations.is_empty(),
        "the model upstream refused a request: {violations:?}"
    );
    upstream.shutdown().await;
    Ok(())
}

fn config(upstream: &Upstream, data: &Path) -> anyhow::Result<Config> {
    let data = data
        .to_str()
        .context("the temporary directory has a name that is not UTF-8")?;
    let settings = [
        ("MIRA_PORT", "0"),
        ("MIRA_DATA_DIR", data),
        ("OPENAI_BASE_URL", &upstream.base_url()),
        ("OPENAI_API_KEY", "demonstration"),
        ("DEEPSEEK_BASE_URL", &upstream.base_url()),
        ("DEEPSEEK_API_KEY", "demonstration"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(Config::load(settings.into_iter(), None)?)
}

async fn tell(screen: &mut Screen, url: &str, directory: &Path, plan: &Plan) -> anyhow::Result<()> {
    let mut client = Client::connect(Options::new(url)).await?;
    let session = client.call::<SessionOpen>(SessionOpenParams::default()).await?;
    let project = attach(&client, "demonstration", directory).await?;

    screen.chapter("1. A change is asked for, planned, and delegated")?;
    let artifact = story::change(screen, &mut client, &session.session_id, &project, plan).await?;

    screen.chapter("2. The file is applied to a scratch copy, and undone")?;
    let scratch = Scratch::of(directory, &artifact)?;
    let copy = attach(&client, "scratch copy", scratch.directory.path()).await?;
    story::apply_and_undo(screen, &client, &artifact, &copy, &scratch).await?;

    screen.chapter("3. The connection breaks in the middle of an answer")?;
    story::break_and_resume(screen, url, client, &session.session_id).await?;

    screen.chapter("That was all of it")?;
    screen.note("With keys it works on your projects: set OPENAI_API_KEY and DEEPSEEK_API_KEY, then")?;
    screen.note("  cargo run --release            starts the server")?;
    screen.note("  cargo run -p mira -- chat      talks to it")?;
    Ok(())
}

async fn attach(client: &Client, name: &str, directory: &Path) -> anyhow::Result<Project> {
    let create = ProjectCreateParams {
        name: name.to_owned(),
        directory: Some(directory.to_string_lossy().into_owned()),
        ..ProjectCreateParams::default()
    };
    Ok(client.call::<ProjectCreate>(create).await?.project)
}

/// A directory with a copy of the one file that is going to change.
struct Scratch {
    directory: tempfile::TempDir,
    file: PathBuf,
    before: Option<Vec<u8>>,
}

impl Scratch {
    fn of(project: &Path, artifact: &Artifact) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("could not make a scratch directory")?;
        let file = directory.path().join(&artifact.summary.path);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let original = project.join(&artifact.summary.path);
        let before = if artifact.summary.is_new_file {
            None
        } else {
            Some(std::fs::read(original)?)
        };
        if let Some(bytes) = &before {
            std::fs::write(&file, bytes)?;
        }
        Ok(Self {
            directory,
            file,
            before,
        })
    }

    /// The file as it is now.
    fn now(&self) -> Option<Vec<u8>> {
        // That there is none is one of the answers.
        std::fs::read(&self.file).ok()
    }
}
