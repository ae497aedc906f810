//! The shared secret: whether there is one, and whether it is strong. It is never shown.

use ipc_protocol::limits::SECRET_BYTES;
use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use ipc_protocol::secret::SharedSecret;

use super::Installation;
use super::finding::{Finding, word};

const CHECK: &str = "secret";

pub(super) fn check(installation: &Installation, data_dir: &DataDir) -> Vec<Finding> {
    let mut findings = Vec::new();
    if installation.environment.shared_secret.is_some() {
        let what = "IPC_SHARED_SECRET is set: every program that this shell starts can read it";
        findings.push(Finding::note(CHECK, what).fix("unset IPC_SHARED_SECRET"));
    }
    let path = data_dir.secret();
    let most = u64::try_from(SECRET_BYTES.2).unwrap_or(0).saturating_add(1);
    let bytes = match private::read_file(&path, most) {
        Ok(mut bytes) => std::mem::take(&mut *bytes),
        Err(error) if error.is_missing() => {
            if data_dir.database().exists() {
                let what = format!(
                    "{} is not there: new agents need IPC_SHARED_SECRET",
                    path.display()
                );
                findings.push(Finding::note(CHECK, what));
            }
            return findings;
        }
        Err(error) => {
            findings.push(Finding::problem(CHECK, error.to_string()));
            return findings;
        }
    };
    findings.push(match SharedSecret::new(bytes) {
        Ok(secret) if secret.is_weak() => {
            let what = format!(
                "the shared secret is shorter than {} bytes: easy to guess",
                SECRET_BYTES.1
            );
            Finding::problem(CHECK, what).fix(format!("{} admin rotate-secret", installation.ipc))
        }
        Ok(_) => Finding::good(CHECK, "there is a strong one"),
        Err(error) => Finding::problem(CHECK, format!("{}: {error}", path.display()))
            .fix(format!("mv {0} {0}.bad", word(&path))),
    });
    findings
}
