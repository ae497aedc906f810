//! A message as one reader sees it: put together from message, body and delivery.

use ipc_protocol::conversation::Within;
use ipc_protocol::id::{AgentId, ConversationId, MessageId};
use ipc_protocol::message::{Data, Mail, Provenance, Sender};
use ipc_protocol::name::Name;
use ipc_protocol::time::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row, ToSql, params};

use super::context::View;
use super::messages::Seq;
use super::{conversations, names, word};
use crate::error::{Done, Fault};

const SELECT: &str = "SELECT m.id, m.sender, m.sender_name, m.sender_incarnation, m.kind,
    m.reply_to, m.hops, m.sent_ms, m.bytes, m.event, m.uid, m.pid, m.start_ticks, m.program,
    d.name, d.via_alias, coalesce(d.offers > 0 AND d.state IN ('stored', 'offered'), 0),
    m.conversation, c.title, m.interim,";

/// The body, and whether something of the text, or the data, is left out.
const WHOLE: &str = "b.text, b.data, 0, 0";

/// The same with at most `?3` bytes of the text, and no more of the data. (Of an empty one `substr` makes
/// nothing.)
const CUT: &str = "ifnull(substr(CAST(b.text AS BLOB), 1, ?3), ''),
    CASE WHEN octet_length(b.data) <= ?3 THEN b.data END,
    octet_length(b.text) > ?3, ifnull(octet_length(b.data) > ?3, 0)";

const FROM: &str = "FROM messages AS m JOIN bodies AS b ON b.message = m.seq
    LEFT JOIN conversations AS c ON c.conversation = m.conversation
    LEFT JOIN deliveries AS d ON d.message = m.seq AND d.agent = ?2
    WHERE m.seq = ?1";

/// A message as it is shown among others.
#[derive(Debug)]
pub(crate) struct Preview {
    pub(crate) mail: Mail,
    /// What its text and data take, in bytes.
    pub(crate) bytes: usize,
}

/// Message `seq` as `agent` has it, as recipient or as sender: its text cut at `most` bytes, and without
/// data that takes more. Such data is neither read nor parsed.
pub(crate) fn preview(view: &View<'_>, seq: Seq, agent: AgentId, most: usize) -> Done<Preview> {
    let sql = format!("{SELECT} {CUT} {FROM}");
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let stored = find(view, &sql, params![seq.0, agent.to_row(), limit])?;
    let data = stored.data.as_ref().map_or(0, String::len);
    let bytes = stored.mail.text.len().saturating_add(data);
    let mail = stored.parse()?;
    Ok(Preview { mail, bytes })
}

/// Message `seq` as `agent` has it, as recipient or as sender, whole.
pub(crate) fn whole(view: &View<'_>, seq: Seq, agent: AgentId) -> Done<Mail> {
    let sql = format!("{SELECT} {WHOLE} {FROM}");
    find(view, &sql, params![seq.0, agent.to_row()])?.parse()
}

fn find(view: &View<'_>, sql: &str, of: &[&dyn ToSql]) -> Done<Stored> {
    let mut query = view.db.prepare_cached(sql)?;
    let row = query.query_row(of, read).optional()?;
    Ok(row.ok_or(Fault::Inconsistent("a delivery without a message"))?)
}

/// What stands in the tables.
#[derive(Debug)]
struct Stored {
    mail: Mail,
    data: Option<String>,
    event: Option<String>,
}

impl Stored {
    fn parse(self) -> Done<Mail> {
        let wrong = |_| Fault::Inconsistent("stored JSON that is none");
        let data = self.data.map(|json| serde_json::from_str::<Data>(&json));
        let event = self.event.map(|json| serde_json::from_str(&json));
        Ok(Mail {
            data: data.transpose().map_err(wrong)?,
            event: event.transpose().map_err(wrong)?,
            ..self.mail
        })
    }
}

/// The start of the character that `at` lies in, or the end of the text.
pub(crate) fn floor_char(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// A text, or the beginning of one without the rest of its last character.
fn text(value: ValueRef<'_>) -> rusqlite::Result<String> {
    let bytes = value.as_bytes()?;
    let whole = match str::from_utf8(bytes) {
        Err(cut) if cut.error_len().is_none() => bytes.get(..cut.valid_up_to()),
        Ok(_) | Err(_) => Some(bytes),
    };
    Ok(str::from_utf8(whole.unwrap_or_default())?.to_owned())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Stored> {
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
            ValueRef::Null => Ok(None),
            value => names::read(value).map(Some),
        }
    };
    let mail = Mail {
        id: MessageId::from_row(row.get(0)?),
        from: sender,
        to: name(14)?,
        kind: word(row.get_ref(4)?)?,
        text: text(row.get_ref(20)?)?,
        bytes: row.get::<_, i64>(8)?.unsigned_abs(),
        truncated: row.get(22)?,
        data: None,
        data_omitted: row.get(23)?,
        reply_to: row.get::<_, Option<i64>>(5)?.map(MessageId::from_row),
        conversation: within(row)?,
        interim: row.get(19)?,
        hops: row.get(6)?,
        sent_ms: Timestamp::from_millis(row.get(7)?),
        via_alias: name(15)?,
        redelivered: row.get(16)?,
        provenance: provenance(row)?,
        event: None,
    };
    Ok(Stored {
        mail,
        data: row.get(21)?,
        event: row.get(9)?,
    })
}

fn within(row: &Row<'_>) -> rusqlite::Result<Option<Within>> {
    let Some(id) = row.get::<_, Option<i64>>(17)? else {
        return Ok(None);
    };
    Ok(Some(Within {
        id: ConversationId::from_row(id),
        title: conversations::read_title(row.get_ref(18)?)?,
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

#[cfg(test)]
mod tests {
    use ipc_protocol::request::Fetch;

    use crate::actions::fetch;
    use crate::actions::harness::Desk;

    /// What alice is shown of a message to herself whose body was made into `text` and `data`.
    fn shown(text: &str, data: Option<&str>) -> ipc_protocol::message::Mail {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        desk.send(&alice, "alice", "x").unwrap();
        desk.db.execute("DELETE FROM bodies", []).unwrap();
        let sql = "INSERT INTO bodies (message, text, data) SELECT seq, ?1, ?2 FROM messages";
        desk.db.execute(sql, [Some(text), data]).unwrap();
        let fetched = desk.act(|c| fetch::peek(&Fetch::default(), &alice, c));
        fetched.unwrap().messages.remove(0)
    }

    #[test]
    fn data_that_is_not_shown_is_not_parsed() {
        let mail = shown("x", Some(&"[".repeat(10_241)));
        assert!(mail.data.is_none() && mail.data_omitted && !mail.truncated);
        let most = format!(r#"{{"a":"{}"}}"#, "b".repeat(10_232));
        let mail = shown("x", Some(&most));
        assert!(mail.data.is_some() && !mail.data_omitted);
    }

    #[test]
    fn a_text_is_cut_between_two_characters() {
        for (text, kept) in [
            ("x".repeat(10_240), 10_240),
            ("x".repeat(10_241), 10_240),
            (format!("{}ü", "x".repeat(10_239)), 10_239),
            (format!("{}🦀", "x".repeat(10_237)), 10_237),
            (String::new(), 0),
        ] {
            let mail = shown(&text, None);
            assert_eq!((mail.text.len(), mail.truncated), (kept, text.len() > kept));
            assert!(text.starts_with(&mail.text));
        }
    }
}
