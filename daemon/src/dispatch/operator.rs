//! What an operator may ask for: somebody who proved the shared secret and is no agent.

use std::sync::Arc;

use ipc_protocol::request::{AdminReaders, Request};

use super::Dispatch;
use super::refusals::{already, unregistered};
use super::reply::ReplyFuture;
use crate::actions;
use crate::audit::event::Event;
use crate::caller::Operator;
use crate::housekeeping;
use crate::store::context::View;

impl Dispatch<'_> {
    #[expect(clippy::too_many_lines, reason = "one line for each request")]
    pub(super) async fn for_operator(&self, request: Request, operator: &Operator) -> ReplyFuture {
        let operator = operator.clone();
        match request {
            Request::Status(_) => self.status(None),
            Request::List(r) => {
                let list = move |view: &View<'_>| actions::list::list(&r, None, view);
                self.when(self.daemon.reader.submit(list).await)
            }
            Request::AdminBackup(_) => {
                self.later(housekeeping::backup_now(Arc::clone(self.daemon)))
            }
            Request::AdminRelease(r) => {
                self.submit(move |c| actions::admin::release(&r, &operator, c))
                    .await
            }
            Request::AdminRevoke(r) => {
                self.submit(move |c| actions::admin::revoke(&r, &operator, c))
                    .await
            }
            Request::AdminRotateSecret(r) => {
                self.submit(move |c| actions::admin::rotate_secret(&r, &operator, c))
                    .await
            }
            Request::AdminFreeze(r) => {
                self.submit(move |c| actions::freeze::freeze(&r, &operator, c))
                    .await
            }
            Request::AdminThaw(r) => {
                self.submit(move |c| actions::freeze::thaw(&r, &operator, c))
                    .await
            }
            Request::AdminReaders(r) => self.readers(r, operator).await,
            Request::Hello(_) | Request::Authenticate(_) => self.refuse(already()),
            Request::Register(_)
            | Request::Unregister(_)
            | Request::Offline(_)
            | Request::Renew(_)
            | Request::Revoke(_)
            | Request::Send(_)
            | Request::Reply(_)
            | Request::Forward(_)
            | Request::Fetch(_)
            | Request::Ack(_)
            | Request::Nack(_)
            | Request::Notice(_)
            | Request::AutoCheck(_)
            | Request::Notices(_)
            | Request::Conversation(_)
            | Request::Read(_)
            | Request::History(_)
            | Request::Receipts(_)
            | Request::DeadLetters(_)
            | Request::Describe(_)
            | Request::Boundaries(_)
            | Request::Whoami(_)
            | Request::Rename(_) => self.refuse(unregistered(&request)),
        }
    }

    async fn readers(&self, request: AdminReaders, operator: Operator) -> ReplyFuture {
        let (shared, pid) = (Arc::clone(&self.daemon.shared), operator.pid());
        let question = move |view: &View<'_>| {
            let page = actions::readers::readers(&request, &operator, view)?;
            let agent = page.agent_id;
            shared.audit.note(Event::ReadersAsked { agent, pid });
            Ok(page)
        };
        self.when(self.daemon.reader.submit(question).await)
    }
}
