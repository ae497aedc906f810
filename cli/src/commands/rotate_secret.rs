//! `ipc admin rotate-secret`: another shared secret.
//!
//! The new secret is on disk as `secret.new` before the daemon hears of it, and takes its place
//! only when the daemon has it: at no moment is the secret in force written nowhere. When the
//! answer is lost, the new secret is tried, and only a daemon that refuses it makes us forget it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ipc_protocol::auth::{Bytes, Credential, Kdf};
use ipc_protocol::limits::SECRET_BYTES;
use ipc_protocol::private;
use ipc_protocol::request::{AdminRotateSecret, ChallengeSalt, NewVerifier, Rotated};
use ipc_protocol::secret::SharedSecret;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::args::RotateSecretArguments;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::{prove, secret};

/// Puts another secret in force.
pub(crate) fn run(
    context: &mut Context,
    arguments: &RotateSecretArguments,
) -> Result<ExitStatus, Failure> {
    let path = context.data_dir.secret();
    let old = secret::of_file(context)?.ok_or_else(|| {
        Failure::usage(format!(
            "no secret to prove: {} is not there",
            path.display()
        ))
        .hint("write the deployment's present secret into it, mode 0600")
    })?;
    let new = new_secret(context, arguments, &old)?;
    let verifiers = verifiers(context, &new)?;
    let pending = Pending::write(&path, &new)?;
    let answer = ask(context, Credential::Secret(old), verifiers);
    let rotated = settle(context, pending, new, answer)?;
    warn_of_environment(context)?;
    context.screen.confirm(&rotated, || {
        format!(
            "the new secret is in force and in {}; {} sessions ended\n",
            path.display(),
            rotated.sessions
        )
    })?;
    Ok(ExitStatus::Done)
}

fn ask(
    context: &mut Context,
    old: Credential,
    verifiers: Vec<NewVerifier>,
) -> Result<Rotated, Failure> {
    let mut client = prove(context, &old)?;
    drop(old);
    Ok(client.call(&AdminRotateSecret { verifiers })?)
}

/// The secret of the environment if it is another one, else standard input if asked for, else a
/// random one.
fn new_secret(
    context: &mut Context,
    arguments: &RotateSecretArguments,
    old: &SharedSecret,
) -> Result<SharedSecret, Failure> {
    let is_old = |new: &SharedSecret| bool::from(new.expose().ct_eq(old.expose()));
    if let Some(new) = secret::of_environment(context)?.filter(|new| !is_old(new)) {
        return Ok(new);
    }
    if !arguments.stdin {
        let bytes = Zeroizing::new(context.random_bytes::<32>());
        let text = data_encoding::BASE64URL_NOPAD.encode(&*bytes);
        return Ok(SharedSecret::new(text.into_bytes())?);
    }
    let most = u64::try_from(SECRET_BYTES.2).unwrap_or(0).saturating_add(2);
    let mut bytes = Zeroizing::new(Vec::new());
    let read = io::stdin().lock().take(most).read_to_end(&mut bytes);
    read.map_err(|error| Failure::usage(format!("standard input: {error}")))?;
    let new = SharedSecret::new(std::mem::take(&mut *bytes))?;
    if is_old(&new) {
        return Err(Failure::usage("the new secret is the old one"));
    }
    Ok(new)
}

fn verifiers(context: &mut Context, secret: &SharedSecret) -> Result<Vec<NewVerifier>, Failure> {
    let verifier = |kdf: Kdf| {
        let salt = context.random_bytes::<16>();
        let key = kdf
            .derive(secret, &salt)
            .map_err(|error| Failure::local(error.to_string()))?;
        let verifier = key.verifier();
        Ok(NewVerifier {
            kdf: kdf.name(),
            params: kdf.to_string(),
            salt: ChallengeSalt::new(salt.to_vec()),
            stored_key: Bytes(verifier.stored_key),
            server_key: Bytes(verifier.server_key),
        })
    };
    [Kdf::ARGON2ID, Kdf::SCRYPT]
        .into_iter()
        .map(verifier)
        .collect()
}

/// The new secret on disk, not yet in its place.
#[derive(Debug)]
struct Pending {
    new: PathBuf,
    place: PathBuf,
}

impl Pending {
    fn write(place: &Path, secret: &SharedSecret) -> Result<Self, Failure> {
        let new = place.with_extension("new");
        private::write_file(&new, secret.expose())?;
        Ok(Self {
            new,
            place: place.to_owned(),
        })
    }

    fn put_in_place(self) -> Result<(), Failure> {
        let failed = |error: io::Error| {
            Failure::local(format!("{}: {error}", self.place.display())).hint(format!(
                "the new secret is in force: `mv {} {}`",
                self.new.display(),
                self.place.display()
            ))
        };
        std::fs::rename(&self.new, &self.place).map_err(failed)?;
        let directory = self.place.parent().unwrap_or_else(|| Path::new("/"));
        std::fs::File::open(directory)
            .and_then(|d| d.sync_all())
            .map_err(failed)
    }

    fn forget(self) {
        // Left behind it would be a file that nobody reads; the failure to report is another.
        drop(std::fs::remove_file(&self.new));
    }
}

/// Decides by the daemon's answer which secret is in force.
fn settle(
    context: &mut Context,
    pending: Pending,
    new: SharedSecret,
    answer: Result<Rotated, Failure>,
) -> Result<Rotated, Failure> {
    let failure = match answer {
        Ok(rotated) => {
            pending.put_in_place()?;
            return Ok(rotated);
        }
        Err(failure) => failure,
    };
    if failure.code.is_some() {
        pending.forget();
        return Err(failure);
    }
    // Asked, and no answer: the secret that the daemon takes now is the one in force.
    match prove(context, &Credential::Secret(new)) {
        Ok(_) => pending.put_in_place().map(|()| Rotated { sessions: 0 }),
        Err(tried) if tried.code.is_some() => {
            pending.forget();
            Err(failure)
        }
        Err(_) => Err(failure.hint(format!(
            "which secret is in force is not known; if enrolling fails: `mv {} {}`",
            pending.new.display(),
            pending.place.display()
        ))),
    }
}

/// A variable with the old secret would hide the new file from every command that sees it.
fn warn_of_environment(context: &Context) -> Result<(), Failure> {
    let variable = secret::of_environment(context)?;
    let file = secret::of_file(context)?;
    if let (Some(variable), Some(file)) = (variable, file)
        && !bool::from(variable.expose().ct_eq(file.expose()))
    {
        context.screen.note(
            "warning: IPC_SHARED_SECRET holds another secret than the one now in force\n\
             hint: unset it, here and where it is set",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_secret_takes_its_place_or_is_forgotten() {
        let room = tempfile::Builder::new().prefix("ipc-").tempdir().unwrap();
        let place = room.path().join("secret");
        private::write_file(&place, b"old secret").unwrap();
        let secret = |text: &str| SharedSecret::new(text.as_bytes().to_vec()).unwrap();
        Pending::write(&place, &secret("forgotten"))
            .unwrap()
            .forget();
        assert_eq!(std::fs::read(&place).unwrap(), b"old secret");
        Pending::write(&place, &secret("new secret"))
            .unwrap()
            .put_in_place()
            .unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), b"new secret");
        assert_eq!(std::fs::read_dir(room.path()).unwrap().count(), 1);
    }
}
