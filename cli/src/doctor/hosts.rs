//! The agents' hosts: whether each that is here uses this program.

use std::path::Path;

use ipc_protocol::paths::DataDir;
use serde_json::Value;

use super::Installation;
use super::finding::{Finding, word};
use super::program;
use crate::setup::host::{Host, HostFile, SERVER};
use crate::setup::program::{Program, is_same, on_search_path};
use crate::setup::{self, record};

pub(super) fn check(installation: &Installation, data_dir: Option<&DataDir>) -> Vec<Finding> {
    let program = data_dir.map(|data_dir| Program::of(&installation.environment, data_dir));
    let Some(Ok(program)) = program else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for host in Host::ALL {
        let Ok(directory) = host.directory(&installation.environment) else {
            continue;
        };
        let Ok(files) = host.files(&installation.environment, &program) else {
            continue;
        };
        // A host that never ran here has neither.
        if directory.is_dir() || files.iter().any(|file| file.path.exists()) {
            let is_ours = data_dir
                .is_some_and(|data_dir| matches!(record::read(data_dir, host), Ok(Some(_))));
            let host_check = HostCheck {
                installation,
                host,
                is_ours,
            };
            findings.extend(host_check.findings(&directory, &files));
        }
    }
    findings
}

struct HostCheck<'a> {
    installation: &'a Installation,
    host: Host,
    /// Whether setup wrote what is there.
    is_ours: bool,
}

impl HostCheck<'_> {
    fn check(&self) -> &'static str {
        self.host.word()
    }

    fn setup(&self) -> String {
        format!("{} setup {}", self.installation.ipc, self.host.word())
    }

    /// Takes away what is there, whoever wrote it, and sets up anew.
    fn again(&self) -> String {
        if self.is_ours {
            self.setup()
        } else {
            format!("{} && {}", self.host.removal(), self.setup())
        }
    }

    fn findings(&self, directory: &Path, files: &[HostFile]) -> Vec<Finding> {
        let check = self.check();
        let has_package = self.host.package(directory).is_some();
        let mut entry = None;
        let (mut hooks, mut wanted_hooks) = (0_usize, 0_usize);
        for file in files {
            let looked = match setup::look(file) {
                Ok(looked) => looked,
                Err(failure) => return vec![Finding::problem(check, failure.message)],
            };
            entry = entry.or(looked.server);
            hooks = hooks.saturating_add(looked.hooks);
            wanted_hooks = wanted_hooks.saturating_add(looked.wanted_hooks);
        }
        let title = self.host.title();
        match entry {
            None if has_package => vec![Finding::good(
                check,
                format!("{title} has the package of ipc"),
            )],
            None => vec![
                Finding::note(check, format!("{title} is here and does not use ipc"))
                    .fix(self.setup()),
            ],
            Some(_) if has_package => {
                let what = format!(
                    "{title} has the package of ipc and is set up as well: it tells of mail twice"
                );
                let fix = if self.is_ours {
                    format!("{} --uninstall", self.setup())
                } else {
                    self.host.removal().to_owned()
                };
                vec![Finding::problem(check, what).fix(fix)]
            }
            Some(entry) => self.of_entry(&entry, hooks, wanted_hooks),
        }
    }

    fn of_entry(&self, entry: &Value, hooks: usize, wanted_hooks: usize) -> Vec<Finding> {
        let (check, title) = (self.check(), self.host.title());
        let own = program::own();
        let command = entry
            .get("command")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let called = Path::new(command);
        let is_this = if command == SERVER {
            on_search_path(&self.installation.environment)
                .is_some_and(|found| is_same(&found, &own))
        } else {
            is_same(called, &own)
        };
        let mut findings = Vec::new();
        if !is_this {
            let state = if called.is_absolute() && !called.exists() {
                "is not there"
            } else {
                "is not this program"
            };
            let what = format!("{title} calls {}, which {state}", word(called));
            findings.push(Finding::problem(check, what).fix(self.again()));
        } else if hooks < wanted_hooks {
            let what = format!(
                "{title} has {hooks} of {wanted_hooks} hooks: it is not told of mail by itself"
            );
            findings.push(Finding::problem(check, what).fix(self.again()));
        } else {
            findings.push(Finding::good(check, format!("{title} calls this program")));
        }
        if entry.pointer("/env/IPC_SHARED_SECRET").is_some() {
            let what = format!(
                "the shared secret stands in {title}'s configuration, where it does not belong"
            );
            findings.push(Finding::problem(check, what).fix(self.again()));
        }
        if self.host == Host::Codex && hooks > 0 {
            let what = "Codex runs hooks only once you trusted them: type `/hooks` in it";
            findings.push(Finding::note(check, what));
        }
        findings
    }
}
