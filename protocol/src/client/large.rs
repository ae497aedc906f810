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
    drop(private::ensure_directory(&data_dir.large_messages())?);
    let path = whole_path(data_dir, mail);
    private::write_file(&path, text.as_bytes())?;
    Ok(path)
}

/// Where [`keep_whole`] writes the whole of `mail`.
pub fn whole_path(data_dir: &DataDir, mail: &Mail) -> PathBuf {
    let from = mail
        .from
        .as_ref()
        .map_or("system", |from| from.name.as_str());
    let time = mail.sent_ms.for_file_name();
    let name = format!("{time}_{from}_{}.md", mail.id);
    data_dir.large_messages().join(name)
}
