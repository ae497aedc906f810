//! `ipc daemon run`: the daemon itself, in the foreground or started by another command.

mod descriptors;

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use ipc_daemon::clock::SystemClock;
use ipc_daemon::config::{Config, Listening};
use ipc_daemon::migrate::{Outside, Progress, is_due};
use ipc_daemon::systemd::{self, HandedOver, ServiceManager, Watchdog};
use ipc_daemon::{Deps, KeptSecret, Prepared, sandbox};
use ipc_protocol::limits::SECRET_BYTES;
use ipc_protocol::private;
use ipc_protocol::secret::SharedSecret;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

use crate::args::RunArguments;
use crate::autostart;
use crate::commands::migrate;
use crate::configuration;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::secret;

/// A log larger than this is put aside when the daemon starts, in bytes.
const LARGEST_LOG: u64 = 8 * 1_024 * 1_024;

/// Runs the daemon until it is told to stop.
pub(crate) fn run(context: &mut Context, arguments: &RunArguments) -> Result<ExitStatus, Failure> {
    // Whoever starts it by a command leaves it nothing.
    if !arguments.autostarted && !arguments.alone {
        descriptors::leave_behind(handed_over(context))?;
    }
    sandbox::harden().map_err(|error| Failure::local(format!("hardening: {error}")))?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let outcome = if arguments.autostarted {
        autostarted(context)
    } else {
        foreground(context)
    };
    if let (Err(failure), true) = (&outcome, arguments.autostarted) {
        tracing::error!(error = failure.message, "the daemon ends");
        say(&autostart::failed_line(failure));
    }
    outcome.map(|()| ExitStatus::Done)
}

/// Says something to the command that started the daemon, which may have gone.
fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}

/// Tells the command that started the daemon, a hundred times at most, that work goes on.
fn still_busy() -> impl FnMut(u64, u64) {
    let mut told = 0;
    move |done, all| {
        let percent = done.saturating_mul(100).checked_div(all).unwrap_or(100);
        if percent > told {
            told = percent;
            say(autostart::BUSY);
        }
    }
}

fn autostarted(context: &mut Context) -> Result<(), Failure> {
    // Not in the terminal's session: closing the terminal must not take everybody's mail down.
    rustix::process::setsid().map_err(|error| Failure::local(format!("setsid: {error}")))?;
    let handed_over = secret_of_starter()?;
    drop(private::ensure_directory(context.data_dir.root())?);
    log_to_file(&context.data_dir.log(), context)?;
    let config = Config {
        secret: handed_over,
        leaves_when_idle: true,
        ..configuration::load(context)?
    };
    let prepared = shut_in(context, &config, &mut still_busy(), |took_over| {
        say(&autostart::note_line(took_over));
    })?;
    let nobody = ServiceManager::default();
    serve(context, prepared, config, &nobody, || {
        say(autostart::READY);
    })
}

/// The secret on standard input, where the command that started this process has put it.
fn secret_of_starter() -> Result<Option<KeptSecret>, Failure> {
    let failed = |error| Failure::local(format!("standard input: {error}"));
    // Without the buffer of `io::stdin`, which would keep a copy for ever; and with room for all of
    // it: a vector that grows leaves what it held behind.
    let input = io::stdin().as_fd().try_clone_to_owned().map_err(failed)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_BYTES.2.saturating_add(64)));
    let most = u64::try_from(SECRET_BYTES.2).unwrap_or(0).saturating_add(2);
    let read = File::from(input).take(most).read_to_end(&mut bytes);
    read.map_err(failed)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let secret = SharedSecret::new(std::mem::take(&mut *bytes))?;
    Ok(Some(KeptSecret::new(secret)))
}

fn foreground(context: &mut Context) -> Result<(), Failure> {
    log_to_standard_error(context);
    let inherited = systemd::inherited_socket(handed_over(context));
    let inherited = inherited.map_err(|error| Failure::local(error.to_string()))?;
    let manager = Arc::new(service_manager(context));
    let config = Config {
        secret: secret::of_starter(context)?.map(KeptSecret::new),
        listening: inherited.map_or(Listening::Bind, Listening::Inherited),
        watchdog: Watchdog::of(&manager),
        ..configuration::load(context)?
    };
    let prepared = shut_in(context, &config, &mut |_, _| {}, |_| {})?;
    let started = Arc::clone(&manager);
    serve(context, prepared, config, &manager, move || {
        report("ready", started.ready());
    })
}

/// What the environment says of descriptors that were handed over.
fn handed_over(context: &Context) -> HandedOver<'_> {
    let [pid, count, first] = context.environment.listen.each_ref().map(Option::as_deref);
    HandedOver { pid, count, first }
}

/// The service manager that started this process; one that cannot be told anything is none.
fn service_manager(context: &Context) -> ServiceManager {
    let Some(path) = &context.environment.notify_socket else {
        return ServiceManager::default();
    };
    ServiceManager::connect(path).unwrap_or_else(|error| {
        tracing::warn!(%error, "the service manager cannot be told anything");
        ServiceManager::default()
    })
}

/// Has what lies outside, enters the sandbox, and only there looks at what another program wrote.
fn shut_in(
    context: &mut Context,
    config: &Config,
    progress: Progress<'_>,
    tell: impl FnOnce(&str),
) -> Result<Prepared, Failure> {
    let mut prepared = ipc_daemon::prepare(config)?;
    let due = is_due(&context.data_dir)?.then(|| Outside::look(config.legacy));
    let inside = prepared.shut_in(config)?;
    if let Some(outside) = due
        && let Some(report) =
            migrate::take_over(context, prepared.lock(), &inside, outside, progress)?
    {
        let took_over = migrate::sentence(&report);
        tracing::info!("{took_over}");
        tell(&took_over);
    }
    Ok(prepared)
}

fn serve(
    context: &mut Context,
    prepared: Prepared,
    config: Config,
    manager: &ServiceManager,
    ready: impl FnOnce() + Send + 'static,
) -> Result<(), Failure> {
    let deps = Deps {
        clock: Arc::new(SystemClock::new()),
        rng: StdRng::from_rng(&mut context.random),
        ready: Box::new(ready),
    };
    let failed = |error: io::Error| Failure::local(format!("starting: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(failed)?;
    let outcome = runtime.block_on(async {
        let stop = StopSignals::new()?;
        Ok(ipc_daemon::run(prepared, config, deps, stop.wait(manager)).await)
    });
    // A check of a large store may still be looking; it changes nothing and is not waited for.
    runtime.shutdown_background();
    outcome.map_err(failed)?.map_err(Failure::from)
}

/// The signals that stop the daemon, and one that does not.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl StopSignals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn wait(mut self, manager: &ServiceManager) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                // There is nothing to read again, and a lost terminal is no reason to stop.
                _ = self.hangup.recv() => {}
            }
        }
        report("stopping", manager.stopping());
    }
}

fn report(what: &str, told: io::Result<()>) {
    if let Err(error) = told {
        tracing::warn!(%error, "the service manager was not told: {what}");
    }
}

/// What is logged: `IPC_LOG` as a level or a list of filters, else what an operator should know.
fn filter(context: &Context) -> EnvFilter {
    let wanted = context
        .environment
        .log
        .as_ref()
        .and_then(|text| text.to_str());
    EnvFilter::builder().parse_lossy(wanted.unwrap_or("info"))
}

fn log_to_standard_error(context: &Context) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(context))
        .with_writer(io::stderr);
    if io::stderr().is_terminal() {
        log.init();
    } else {
        log.json().init();
    }
}

fn log_to_file(path: &Path, context: &Context) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::local(format!("{}: {error}", path.display()));
    if std::fs::symlink_metadata(path).is_ok_and(|facts| facts.len() > LARGEST_LOG) {
        std::fs::rename(path, path.with_extension("log.1")).map_err(failed)?;
    }
    let file: File = private::open_append(path)?;
    let log = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter(context));
    log.with_writer(std::sync::Mutex::new(file)).init();
    Ok(())
}
