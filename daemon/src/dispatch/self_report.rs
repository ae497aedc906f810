//! Who one is and how the daemon is: the two questions that a frozen agent may ask, too.

use std::sync::Arc;

use ipc_protocol::request::Whoami;

use super::Dispatch;
use super::reply::ReplyFuture;
use crate::caller::Caller;
use crate::store::context::View;
use crate::store::credentials;
use crate::{actions, housekeeping};

impl Dispatch<'_> {
    pub(super) async fn whoami(&self, caller: &Caller, request: Whoami) -> ReplyFuture {
        let (shared, caller) = (Arc::clone(&self.daemon.shared), caller.clone());
        let question = move |view: &View<'_>| {
            credentials::check_session(view, caller.session())?;
            actions::whoami::whoami(&request, &caller, &shared.key, view)
        };
        let pending = self.daemon.reader.submit(question).await;
        self.when(pending)
    }

    pub(super) fn status(&self, asker: Option<&Caller>) -> ReplyFuture {
        let asker = asker.map(Caller::agent);
        self.later(housekeeping::status(Arc::clone(self.daemon), asker))
    }
}
