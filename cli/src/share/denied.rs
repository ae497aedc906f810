//! Names of files and directories that are never shared: whoever meets one need not look inside.
//!
//! A list of names finds what is called as it usually is. It is the second line: the first is that
//! a person names the directories.

use std::path::{Component, Path};

/// Whole names, in lower case.
const NAMES: [&str; 40] = [
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".gcloud",
    "gcloud",
    ".kube",
    ".docker",
    ".terraform.d",
    ".password-store",
    "keyrings",
    ".mozilla",
    ".git",
    ".hg",
    ".svn",
    ".claude",
    ".claude.json",
    ".codex",
    ".gemini",
    ".claude-ipc-data",
    ".netrc",
    ".pgpass",
    ".my.cnf",
    ".npmrc",
    ".pypirc",
    ".htpasswd",
    ".git-credentials",
    ".gitconfig",
    ".dockercfg",
    ".boto",
    ".s3cfg",
    ".vault-token",
    "authorized_keys",
    "known_hosts",
    "shadow",
    "gshadow",
    "kubeconfig",
    "secret",
    "daemon.key",
    "messages.db",
];

/// Beginnings of names.
const BEGINNINGS: [&str; 6] = [
    ".env",
    "id_",
    "credentials",
    "secrets",
    "service-account",
    "service_account",
];

/// Ends of names.
const ENDS: [&str; 17] = [
    ".pem",
    ".key",
    ".p12",
    ".pfx",
    ".jks",
    ".keystore",
    ".kdbx",
    ".ppk",
    ".gpg",
    ".pgp",
    ".age",
    ".env",
    ".tfstate",
    ".tfvars",
    ".ovpn",
    ".wallet",
    "_history",
];

/// The first part of `path` that is never shared.
pub(super) fn find(path: &Path) -> Option<String> {
    path.components().find_map(|part| match part {
        Component::Normal(name) => {
            let name = name.to_string_lossy();
            is_denied(&name).then(|| name.into_owned())
        }
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => {
            None
        }
    })
}

/// Whether a file or directory of this name is never shared, however it is written.
fn is_denied(name: &str) -> bool {
    let name = name.to_lowercase();
    // What editors and people leave beside a file is the file.
    let name = name
        .trim_end_matches('~')
        .trim_end_matches(".bak")
        .trim_end_matches(".old")
        .trim_end_matches(".orig")
        .trim_end_matches(".swp");
    NAMES.contains(&name)
        || BEGINNINGS.iter().any(|word| name.starts_with(word))
        || ENDS.iter().any(|word| name.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names_in_any_case_and_anywhere_on_the_way() {
        for path in [
            "/home/me/.ssh/config",
            "a/.gnupg/x",
            ".aws/credentials",
            ".env",
            ".env.production",
            ".ENVRC",
            "prod.env",
            "id_rsa",
            "id_ed25519.pub",
            "tls/server.PEM",
            "server.key",
            "server.key.bak",
            "credentials.json",
            "Credentials",
            "secrets/x.txt",
            ".git/config",
            "sub/.git/HEAD",
            ".bash_history",
            "home/.claude-ipc-data/secret",
            "daemon.key~",
        ] {
            assert!(find(Path::new(path)).is_some(), "{path}");
        }
        for path in [
            "src/main.rs",
            ".gitignore",
            ".github/workflows/ci.yml",
            "docs/environment.md",
            "keys.md",
            "identity.rs",
        ] {
            assert_eq!(find(Path::new(path)), None, "{path}");
        }
    }
}
