//! `large-messages/`: the whole of a message that is too large to show, as a file of its reader's.

use std::path::PathBuf;

use crate::message::Mail;
use crate::paths::DataDir;
use crate::private::{self, PrivateError};

/// Writes `text`, the whole of `mail`, to a file of mode 0600, and says where. The name of the
/// file holds the id, so that two messages never share one.
///
/// # Errors
/// [`PrivateError`] when the directory cannot be trusted or the file not be written.
pub fn keep_whole(data_dir: &DataDir, mail: &Mail, text: &str) -> Result<PathBuf, PrivateError> {
    let directory = data_dir.large_messages();
    drop(private::ensure_directory(&directory)?);
    let from = mail
        .from
        .as_ref()
        .map_or("system", |from| from.name.as_str());
    let time = mail.sent_ms.for_file_name();
    let path = directory.join(format!("{time}_{from}_{}.md", mail.id));
    private::write_file(&path, text.as_bytes())?;
    Ok(path)
}
