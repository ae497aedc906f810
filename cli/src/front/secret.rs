//! The shared secret: where it is found.

use ipc_protocol::auth::Credential;
use ipc_protocol::limits::SECRET_BYTES;
use ipc_protocol::private::{self, PrivateError};
use ipc_protocol::secret::SharedSecret;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

/// The secret of `IPC_SHARED_SECRET`, else of the `secret` file; nothing where there is neither.
pub(crate) fn find(context: &Context) -> Result<Option<SharedSecret>, Failure> {
    match of_environment(context)? {
        Some(secret) => Ok(Some(secret)),
        None => of_file(context),
    }
}

/// The secret as a credential, once a daemon runs: the first one ever makes the file.
pub(crate) fn require(context: &Context) -> Result<Credential, Failure> {
    let secret = find(context)?.ok_or_else(|| {
        let path = context.data_dir.secret();
        Failure::new(
            ExitStatus::Usage,
            format!("no shared secret: {} is not there", path.display()),
        )
        .hint("set IPC_SHARED_SECRET to the secret that this deployment was made with")
    })?;
    if secret.is_weak() {
        let shortest = SECRET_BYTES.1;
        context.screen.note(&format!(
            "warning: the shared secret is shorter than {shortest} bytes\n\
             hint: `ipc admin rotate-secret` makes a strong one"
        ));
    }
    Ok(Credential::Secret(secret))
}

/// The secret that a service manager hands over as the credential `ipc_shared_secret`, else the
/// one of `IPC_SHARED_SECRET`.
pub(crate) fn of_starter(context: &Context) -> Result<Option<SharedSecret>, Failure> {
    let Some(directory) = &context.environment.credentials else {
        return of_environment(context);
    };
    // The service manager vouches for its own directory; the file may belong to root.
    let path = directory.join("ipc_shared_secret");
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(SharedSecret::new(bytes)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => of_environment(context),
        Err(error) => Err(Failure::local(format!("{}: {error}", path.display()))),
    }
}

/// The secret of `IPC_SHARED_SECRET`.
pub(crate) fn of_environment(context: &Context) -> Result<Option<SharedSecret>, Failure> {
    let bytes = context.environment.shared_secret.as_ref();
    let secret = bytes
        .map(|bytes| SharedSecret::new(bytes.to_vec()))
        .transpose();
    secret.map_err(|error| Failure::from(error).hint("IPC_SHARED_SECRET holds it"))
}

/// The secret of the `secret` file.
pub(crate) fn of_file(context: &Context) -> Result<Option<SharedSecret>, Failure> {
    let path = context.data_dir.secret();
    // One newline at the end is not part of the secret, so the file may be one byte longer.
    let most = u64::try_from(SECRET_BYTES.2).unwrap_or(0).saturating_add(1);
    match private::read_file(&path, most) {
        Ok(mut bytes) => {
            let secret = SharedSecret::new(std::mem::take(&mut *bytes));
            secret
                .map(Some)
                .map_err(|error| Failure::from(error).hint(format!("{} holds it", path.display())))
        }
        Err(error) if error.is_missing() => Ok(None),
        Err(error @ PrivateError::TooLarge { .. }) => Err(Failure::usage(error.to_string())),
        Err(error) => Err(error.into()),
    }
}
