//! Processes that are measured: started on a free port, watched through `/proc`, and ended with the handle.

use anyhow::{Context as _, bail};
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How many clock ticks of `/proc/PID/stat` make a second. Linux reports 100 on every architecture.
const TICKS_PER_S: f64 = 100.0;

/// How long nothing may be written before work in the background counts as done.
const QUIET: Duration = Duration::from_secs(2);
/// How long work in the background may take.
const SETTLED: Duration = Duration::from_secs(30);

/// A running process. It is killed when the handle is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    started: Instant,
}

impl Process {
    /// Starts a command whose output goes to a log file.
    pub fn start(mut command: Command, log: &Path) -> anyhow::Result<Process> {
        let output = File::create(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Process { child, log: log.to_owned(), started })
    }

    /// Waits until the process accepts connections, and returns the time since it was started.
    ///
    /// # Errors
    /// If it ends before, or does not accept within `longest`.
    pub fn accepts(&mut self, address: SocketAddr, longest: Duration) -> anyhow::Result<Duration> {
        loop {
            if TcpStream::connect(address).is_ok() {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the process ended with {status}:\n{}", self.log_text());
            }
            if self.started.elapsed() > longest {
                bail!("the process did not accept within {longest:?}:\n{}", self.log_text());
            }
            sleep(Duration::from_millis(2));
        }
    }

    /// What it has written to its log.
    pub fn log_text(&self) -> String {
        fs::read(&self.log)
            .map_or_else(|error| error.to_string(), |text| String::from_utf8_lossy(&text).into_owned())
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// If it does not end within 60 s, or if its log tells of a panic.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg("-TERM").arg(self.id().to_string()).status()?;
        let deadline = Instant::now() + Duration::from_secs(60);
        while asked.success() && self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                bail!("the process did not end within 60 s:\n{}", self.log_text());
            }
            sleep(Duration::from_millis(5));
        }
        let text = self.log_text();
        if text.contains("panicked at") {
            bail!("the process panicked:\n{text}");
        }
        Ok(())
    }

    /// The CPU time it has used, in seconds.
    pub fn cpu_s(&self) -> anyhow::Result<f64> {
        cpu_s(&self.id().to_string())
    }

    /// The bytes it has caused to be written to disk, of which the kernel keeps count when a page becomes dirty.
    pub fn written_bytes(&self) -> anyhow::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/io", self.id()))?;
        field(&text, "write_bytes:")
    }

    /// Waits until it writes nothing any more.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        let (mut written, mut since) = (self.written_bytes()?, began);
        while since.elapsed() < QUIET && began.elapsed() < SETTLED {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = self.written_bytes()?;
            if now != written {
                (written, since) = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// The memory it has resident, in bytes.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        Ok(field(&text, "VmRSS:")? * 1024)
    }

    /// The most memory it has had resident, in bytes.
    pub fn resident_bytes_max(&self) -> anyhow::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        Ok(field(&text, "VmHWM:")? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself. Nothing else can go wrong here that anyone could act on.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The CPU time that this process has used, in seconds.
pub fn own_cpu_s() -> anyhow::Result<f64> {
    cpu_s("self")
}

/// A port that nobody listens on.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn cpu_s(process: &str) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program stands in brackets and may contain spaces. User time and system time are the 12th and
    // 13th fields after it.
    let (_, fields) = text.rsplit_once(')').context("stat without a name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS_PER_S)
}

fn field(text: &str, name: &str) -> anyhow::Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    Ok(line.split_whitespace().next().with_context(|| format!("{name} has no number"))?.parse()?)
}
