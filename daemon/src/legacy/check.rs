//! `check`: mail, as the predecessor showed it, lent until the reply has been written.
//!
//! A reply stays under what old clients read at one go; what does not fit waits for the next
//! check. A message that is too large becomes a file, as the predecessor's clients expect. Text is
//! made harmless on the way: these clients print it as it comes.

use std::sync::Arc;

use ipc_protocol::client::{keep_whole, whole_path};
use ipc_protocol::id::MessageId;
use ipc_protocol::limits::FETCH_DEFAULT;
use ipc_protocol::message::{Data, Handover, Mail, SystemEvent};
use ipc_protocol::request::{Ack, Fetch, Fetched, Nack, Read, Request};
use ipc_protocol::safe;

use super::native::ask;
use super::wire::{Content, Entry, Refused};
use crate::actions;
use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::error::{Done, Fault};
use crate::limits::{OLD_PORT_MESSAGE, OLD_PORT_REPLY};
use crate::store::context::{Context, View};

/// Bytes of a reply around its messages, generously.
const ENVELOPE: usize = 64;

/// Longest summary of a large message, in characters.
const SUMMARY_CHARS: usize = 150;

/// Mail on its way to a client: delivered once its reply has been written, else given back.
#[derive(Debug)]
pub(super) struct Lent {
    caller: Caller,
    message_ids: Vec<MessageId>,
}

impl Lent {
    /// Says whether the reply was taken. The session may have ended meanwhile: what was handed over
    /// under it was handed over all the same.
    pub(super) async fn settle(self, was_taken: bool, daemon: &Daemon) {
        let Self {
            caller,
            message_ids,
        } = self;
        let settled = if was_taken {
            let request = Ack {
                message_ids,
                handover: Handover::OldPort,
            };
            let work =
                move |context: &mut Context<'_>| actions::ack::ack(&request, &caller, context);
            daemon.writer.run(work).await.map(|_| ())
        } else {
            give_back(message_ids, &caller, daemon).await
        };
        if let Err(error) = settled {
            // Offered again when the lease ends.
            tracing::warn!(%error, "mail over the old port could not be settled");
        }
    }
}

async fn give_back(message_ids: Vec<MessageId>, caller: &Caller, daemon: &Daemon) -> Done<()> {
    let (request, caller) = (Nack { message_ids }, caller.clone());
    let work = move |context: &mut Context<'_>| actions::ack::nack(&request, &caller, context);
    daemon.writer.run(work).await.map(|_| ())
}

/// Takes as much mail as fits a reply.
pub(super) async fn check(
    caller: &Caller,
    daemon: &Arc<Daemon>,
) -> Result<(Vec<Entry>, Option<Lent>), Refused> {
    let fetch = |peek, limit| {
        let request = Fetch {
            peek,
            limit: Some(limit),
            ..Fetch::default()
        };
        ask::<Fetched>(Request::Fetch(request), caller, daemon)
    };
    let seen = fetch(true, FETCH_DEFAULT).await?;
    let (fitting, _) = fitting(&seen.messages, daemon);
    let Some(number) = u32::try_from(fitting.len()).ok().filter(|n| *n > 0) else {
        return Ok((Vec::new(), None));
    };
    // Another front-end may have taken some in between, so it is measured once more.
    let mut taken = fetch(false, number).await?.messages;
    let (entries, large) = self::fitting(&taken, daemon);
    let surplus = taken.split_off(entries.len());
    let ids = |mail: &[Mail]| mail.iter().map(|mail| mail.id).collect::<Vec<_>>();
    let lent = Lent {
        caller: caller.clone(),
        message_ids: ids(&taken),
    };
    let kept = keep(&taken, &large, caller, daemon).await;
    let returned = if surplus.is_empty() {
        Ok(())
    } else {
        give_back(ids(&surplus), caller, daemon).await
    };
    match kept.and(returned) {
        Ok(()) => Ok((entries, Some(lent))),
        Err(error) => {
            lent.settle(false, daemon).await;
            Err(error.told(&daemon.shared.counters).into())
        }
    }
}

/// As many messages as fit a reply, as it shows them, and which of them become files.
fn fitting(mail: &[Mail], daemon: &Daemon) -> (Vec<Entry>, Vec<bool>) {
    let mut room = OLD_PORT_REPLY.saturating_sub(ENVELOPE);
    let (mut entries, mut large) = (Vec::new(), Vec::new());
    for mail in mail {
        let (entry, is_large) = entry(mail, daemon);
        // One byte for the comma.
        match room.checked_sub(bytes_of(&entry).saturating_add(1)) {
            Some(rest) => room = rest,
            None => break,
        }
        entries.push(entry);
        large.push(is_large);
    }
    (entries, large)
}

fn bytes_of(entry: &Entry) -> usize {
    serde_json::to_vec(entry).map_or(usize::MAX, |bytes| bytes.len())
}

/// A message as the predecessor showed it, and whether it becomes a file.
fn entry(mail: &Mail, daemon: &Daemon) -> (Entry, bool) {
    let plain = Entry {
        from: mail
            .from
            .as_ref()
            .map_or_else(|| "system".to_owned(), |sender| sender.name.to_string()),
        to: mail
            .to
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        timestamp: daemon
            .old_port
            .local_time
            .iso(mail.sent_ms)
            .unwrap_or_default(),
        message: Content {
            content: text_of(mail),
            data: mail.data.clone(),
        },
        summary: None,
        large_file_path: None,
    };
    let is_large = mail.truncated || mail.data_omitted || bytes_of(&plain) > OLD_PORT_MESSAGE;
    if !is_large {
        return (plain, false);
    }
    let path = whole_path(&daemon.data_dir, mail);
    let path = safe::line(&path.display().to_string());
    let summary = safe::line(&summary(&mail.text));
    let entry = Entry {
        message: Content {
            content: format!("{summary} Full content saved to: {path}"),
            data: mail.data.clone().filter(fits_beside),
        },
        summary: Some(summary),
        large_file_path: Some(path),
        ..plain
    };
    (entry, true)
}

/// Whether data goes along with a message that became a file; else it is in the file.
fn fits_beside(data: &Data) -> bool {
    serde_json::to_vec(data).is_ok_and(|json| json.len() <= OLD_PORT_MESSAGE)
}

fn text_of(mail: &Mail) -> String {
    match (&mail.from, &mail.event) {
        (None, Some(SystemEvent::Renamed { old, new })) => format!("📝 {old} renamed to {new}"),
        (None, Some(event)) => event.sentence(),
        (None, None) => "(a notice of a kind that this version does not know)".to_owned(),
        (Some(_), _) => safe::block(&mail.text),
    }
}

/// The first two sentences of `text`, or its beginning.
fn summary(text: &str) -> String {
    let text = text.trim_start();
    let start: String = text.chars().take(SUMMARY_CHARS).collect();
    // A full stop close to the beginning is an abbreviation or a number.
    let ends = start
        .match_indices(['.', '!', '?'])
        .map(|(at, mark)| (at, mark.len()));
    let second = ends.filter(|(at, _)| *at > 10).nth(1);
    let whole = second.and_then(|(at, bytes)| start.get(..at.checked_add(bytes)?));
    match whole {
        Some(sentences) => sentences.to_owned(),
        None if start.len() < text.len() => format!("{}...", start.trim_end()),
        None => start,
    }
}

/// Writes the files of the large ones among `mail`.
async fn keep(mail: &[Mail], large: &[bool], caller: &Caller, daemon: &Arc<Daemon>) -> Done<()> {
    for (mail, _) in mail.iter().zip(large).filter(|(_, is_large)| **is_large) {
        let (text, data) = whole(mail.id, caller, daemon).await?;
        let beside = data
            .as_ref()
            .is_none_or(|_| mail.data.as_ref().is_some_and(fits_beside));
        let file = if beside {
            text
        } else {
            let json = serde_json::to_string(&data).unwrap_or_default();
            format!("{text}\n\nData: {json}\n")
        };
        let (data_dir, mail) = (daemon.data_dir.clone(), mail.clone());
        let write = move || keep_whole(&data_dir, &mail, &file);
        let kept = tokio::task::spawn_blocking(write).await;
        let kept = kept.map_err(|_| Fault::Stopping)?;
        drop(kept.map_err(|error| Fault::Files(std::io::Error::other(error)))?);
    }
    Ok(())
}

/// The whole text of a message, and its data.
async fn whole(id: MessageId, caller: &Caller, daemon: &Daemon) -> Done<(String, Option<Data>)> {
    let (mut text, mut data) = (String::new(), None);
    let mut next = Some(0);
    while let Some(offset) = next {
        let (request, caller) = (
            Read {
                message_id: id,
                offset,
            },
            caller.clone(),
        );
        let question = move |view: &View<'_>| actions::read::read(&request, &caller, view);
        let page = daemon.reader.run(question).await?;
        text.push_str(&page.message.text);
        data = data.or(page.message.data);
        next = page.next_offset;
    }
    Ok((text, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_two_sentences_or_the_beginning() {
        assert_eq!(
            summary("  The build is green. Deploy it now! Then rest."),
            "The build is green. Deploy it now!"
        );
        assert_eq!(summary("no mark anywhere"), "no mark anywhere");
        let long = "word ".repeat(100);
        let short = summary(&long);
        assert!(short.ends_with("word...") && short.len() < 160, "{short}");
        assert_eq!(summary(""), "");
    }
}
