//! A message as one reader sees it: put together from message, body and delivery.

use ipc_protocol::conversation::Within;
use ipc_protocol::id::{AgentId, ConversationId, MessageId};
use ipc_protocol::message::{Data, Mail, Provenance, Sender};
use ipc_protocol::name::Name;
use ipc_protocol::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::context::View;
use super::messages::Seq;
use super::{conversations, names, word};
use crate::error::{Done, Fault};

const SELECT: &str = "SELECT m.id, m.sender, m.sender_name, m.sender_incarnation, m.kind,
    m.reply_to, m.hops, m.sent_ms, m.bytes, m.event, m.uid, m.pid, m.start_ticks, m.program,
    b.text, b.data, d.name, d.via_alias,
    coalesce(d.offers > 0 AND d.state IN ('stored', 'offered'), 0), m.conversation, c.title,
    m.interim
    FROM messages AS m JOIN bodies AS b ON b.message = m.seq
    LEFT JOIN conversations AS c ON c.conversation = m.conversation";

/// Message `seq` as `agent` has it in its mailbox, text and data cut to a preview.
pub(crate) fn preview(view: &View<'_>, seq: Seq, agent: AgentId) -> Done<Mail> {
    let mail = whole(view, seq, agent)?;
    let most = usize::try_from(view.limits.preview_bytes).unwrap_or(usize::MAX);
    Ok(shorten(mail, most))
}

/// Message `seq` as `agent` has it, as recipient or as sender, whole.
pub(crate) fn whole(view: &View<'_>, seq: Seq, agent: AgentId) -> Done<Mail> {
    let sql = format!(
        "{SELECT} LEFT JOIN deliveries AS d ON d.message = m.seq AND d.agent = ?2
         WHERE m.seq = ?1"
    );
    let mut query = view.db.prepare_cached(&sql)?;
    let row = query
        .query_row(params![seq.0, agent.to_row()], read)
        .optional()?;
    let (mut mail, data, event) = row.ok_or(Fault::Inconsistent("a delivery without a message"))?;
    let wrong = |_| Fault::Inconsistent("stored JSON that is none");
    mail.data = data
        .map(|json| serde_json::from_str::<Data>(&json))
        .transpose()
        .map_err(wrong)?;
    mail.event = event
        .map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(wrong)?;
    Ok(mail)
}

/// Cuts the text of `mail` at `most` bytes, and leaves data out that is larger.
pub(crate) fn shorten(mut mail: Mail, most: usize) -> Mail {
    if mail.text.len() > most {
        mail.text.truncate(floor_char(&mail.text, most));
        mail.truncated = true;
    }
    let data_bytes = mail
        .data
        .as_ref()
        .and_then(|d| serde_json::to_string(d).ok());
    if data_bytes.is_some_and(|json| json.len() > most) {
        mail.data = None;
        mail.data_omitted = true;
    }
    mail
}

/// The start of the character that `at` lies in, or the end of the text.
pub(crate) fn floor_char(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

type Raw = (Mail, Option<String>, Option<String>);

fn read(row: &Row<'_>) -> rusqlite::Result<Raw> {
    let sender: Option<i64> = row.get(1)?;
    let sender = match sender {
        Some(agent) => Some(Sender {
            agent_id: AgentId::from_row(agent),
            name: names::read(row.get_ref(2)?)?,
            incarnation: row.get(3)?,
        }),
        None => None,
    };
    let name = |column: usize| -> rusqlite::Result<Option<Name>> {
        match row.get_ref(column)? {
            rusqlite::types::ValueRef::Null => Ok(None),
            value => names::read(value).map(Some),
        }
    };
    let mail = Mail {
        id: MessageId::from_row(row.get(0)?),
        from: sender,
        to: name(16)?,
        kind: word(row.get_ref(4)?)?,
        text: row.get(14)?,
        bytes: row.get::<_, i64>(8)?.unsigned_abs(),
        truncated: false,
        data: None,
        data_omitted: false,
        reply_to: row.get::<_, Option<i64>>(5)?.map(MessageId::from_row),
        conversation: within(row)?,
        interim: row.get(21)?,
        hops: row.get(6)?,
        sent_ms: Timestamp::from_millis(row.get(7)?),
        via_alias: name(17)?,
        redelivered: row.get(18)?,
        provenance: provenance(row)?,
        event: None,
    };
    Ok((mail, row.get(15)?, row.get(9)?))
}

fn within(row: &Row<'_>) -> rusqlite::Result<Option<Within>> {
    let Some(id) = row.get::<_, Option<i64>>(19)? else {
        return Ok(None);
    };
    Ok(Some(Within {
        id: ConversationId::from_row(id),
        title: conversations::read_title(row.get_ref(20)?)?,
    }))
}

fn provenance(row: &Row<'_>) -> rusqlite::Result<Option<Provenance>> {
    let (uid, pid): (Option<u32>, Option<u32>) = (row.get(10)?, row.get(11)?);
    let start_ticks = row.get::<_, Option<i64>>(12)?.map(i64::cast_unsigned);
    let program: Option<String> = row.get(13)?;
    Ok(uid.zip(pid).map(|(uid, pid)| Provenance {
        uid,
        pid,
        start_ticks,
        program: program.and_then(|text| text.try_into().ok()),
    }))
}
