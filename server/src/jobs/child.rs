//! The process of one job: what it is given on stdin, and what it says on stdout, line by line.
//! A crash, a kill for memory or a leak is the process's own; its end is all a server sees of it.

use std::io::{BufRead, Write};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::failure::JobFailure;
use super::work::{Outcome, Report, Told};
use crate::config::Config;
use crate::encode::measure::Measured;
use crate::lake::LakeSpec;

/// What a job's process is given, as one line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Given {
    /// The job's, in the names of what it writes and in its commit.
    pub(crate) id: String,
    /// The job, as it was asked for.
    pub(crate) job: String,
    /// Nothing is done but to find out what its model takes.
    #[serde(default)]
    pub(crate) is_measured: bool,
}

/// A line that it says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Said {
    Told(Told),
    Done(Box<Outcome>),
    Measured(Measured),
    Failed(String),
}

/// How a job's process is begun: this program, on the lakes of the server.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    program: std::path::PathBuf,
    arguments: Vec<String>,
}

impl Start {
    pub(crate) fn new(lakes: &[LakeSpec], config: &Config) -> std::io::Result<Self> {
        let limits = &config.limits;
        let mut arguments = vec!["job".to_owned()];
        let mut add = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        for lake in lakes {
            add("lake", lake.argument());
        }
        add("memory", format!("{}B", limits.memory_bytes));
        add("spill-limit", format!("{}B", limits.spill_bytes));
        add("threads", limits.threads.to_string());
        add("store-timeout", format!("{}ms", limits.store_timeout.as_millis()));
        if let Some(bytes) = limits.job_bytes {
            add("job-memory", format!("{bytes}B"));
        }
        if let Some(folder) = &limits.spill_dir {
            add("spill-dir", folder.display().to_string());
        }
        if let Some(folder) = &config.models {
            add("models", std::path::absolute(folder)?.display().to_string());
        }
        for host in &config.image_hosts {
            add("image-host", host.to_string());
        }
        Ok(Self { program: std::env::current_exe()?, arguments })
    }

    pub(super) async fn begin(&self, given: &Given) -> std::io::Result<Running> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            // What a terminal sends to the server is the server's to pass on.
            .process_group(0)
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, child.stderr.take())
        else {
            return Err(std::io::Error::other("the job's process has no pipes"));
        };
        let last_words = tokio::spawn(last_words(stderr));
        let mut line = serde_json::to_string(given)?;
        line.push('\n');
        stdin.write_all(line.as_bytes()).await?;
        let lines = BufReader::new(stdout).lines();
        Ok(Running { child, lines, last_words, stdin })
    }
}

/// A job's process. Ends when this is dropped, and when the server ends: its stdin closes then.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    last_words: JoinHandle<String>,
    stdin: ChildStdin,
}

/// How long a process may take to keep what it has made, once nobody waits for the rest.
pub(crate) const FAREWELL: Duration = Duration::from_secs(5);

/// The last words of a process that are kept, where they are all that is known.
const LAST_WORDS_BYTES: usize = 4096;

/// Reads what a process logs to its end, so that it never waits for a reader; keeps the last.
async fn last_words(mut log: ChildStderr) -> String {
    let (mut kept, mut chunk) = (Vec::new(), vec![0; LAST_WORDS_BYTES]);
    while let Ok(read) = log.read(&mut chunk).await
        && read > 0
    {
        kept.extend_from_slice(chunk.get(..read).unwrap_or_default());
        kept.drain(..kept.len().saturating_sub(LAST_WORDS_BYTES));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

impl Running {
    /// What it says next; `Failed` where it ended without having said what became of it.
    pub(super) async fn next(&mut self) -> Said {
        loop {
            match self.lines.next_line().await {
                Ok(Some(line)) => match serde_json::from_str(&line) {
                    Ok(said) => return said,
                    Err(error) => tracing::warn!("a job said {line:?}: {error}"),
                },
                Ok(None) | Err(_) => return Said::Failed(self.why_ended().await),
            }
        }
    }

    async fn why_ended(&mut self) -> String {
        let status = self.child.wait().await;
        let words = (&mut self.last_words).await.unwrap_or_default();
        let signal = status.as_ref().ok().and_then(std::os::unix::process::ExitStatusExt::signal);
        match (signal, words.trim()) {
            (Some(9), _) => "the job's process was killed, most likely because the machine ran \
                out of memory: filter rows, or give it more"
                .to_owned(),
            (Some(6), words) if words.contains("memory allocation of") => {
                "the job needs more memory than it may have: filter rows, or raise --job-memory"
                    .to_owned()
            }
            (Some(signal), _) => format!("the job's process died of signal {signal}"),
            (None, "") => "the job's process ended without a word".to_owned(),
            (None, words) => format!("the job's process ended: {words}"),
        }
    }

    /// Ends it now.
    pub(super) async fn kill(mut self) {
        drop(self.child.kill().await);
    }

    /// Has it end by itself, soon; ends it otherwise. Most end at once.
    pub(super) async fn end(mut self) {
        drop(self.stdin);
        // What it still says must find somebody who reads.
        let over = async { while let Ok(Some(_)) = self.lines.next_line().await {} };
        drop(tokio::time::timeout(FAREWELL, over).await);
        drop(self.child.kill().await);
    }
}

/// The process's own side: keeps to `bytes` of memory, and where the machine has none left is the
/// one to be ended, before the server and whatever else runs there.
pub(crate) fn bound_memory(bytes: Option<u64>) -> std::io::Result<()> {
    // Only Linux has it, and there anybody may give himself up.
    drop(std::fs::write("/proc/self/oom_score_adj", "1000"));
    bytes.map_or(Ok(()), |bytes| rlimit::setrlimit(rlimit::Resource::DATA, bytes, bytes))
}

/// The process's own side: says lines on stdout.
#[derive(Debug)]
pub(crate) struct Speaker;

impl Speaker {
    pub(crate) fn say(&self, said: &Said) {
        let mut line = serde_json::to_string(said).unwrap_or_default();
        line.push('\n');
        let mut out = std::io::stdout().lock();
        // Nobody listens any more: the server is gone, and this process will soon see it.
        drop(out.write_all(line.as_bytes()).and_then(|()| out.flush()));
    }
}

impl Report for Speaker {
    fn tell(&self, told: Told) {
        self.say(&Said::Told(told));
    }
}

/// What the outcome of a job is to those who hear of it.
pub(crate) fn said(outcome: Result<Outcome, JobFailure>) -> Said {
    match outcome {
        Ok(outcome) => Said::Done(Box::new(outcome)),
        Err(failure) => Said::Failed(failure.to_string()),
    }
}

/// What is read from stdin, and what comes when the server ends and stdin with it. Reads on a
/// thread of its own, which nothing waits for.
pub(crate) async fn given() -> std::io::Result<(Given, impl Future<Output = ()>)> {
    let (first, line) = tokio::sync::oneshot::channel();
    let (last, end) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut line = String::new();
        drop(first.send(input.read_line(&mut line).map(|_| line)));
        drop(std::io::copy(&mut input, &mut std::io::sink()));
        drop(last);
    });
    let line = line.await.map_err(std::io::Error::other)??;
    let closed = async move { drop(end.await) };
    Ok((serde_json::from_str(&line)?, closed))
}
