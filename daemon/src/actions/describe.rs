//! `describe`: what the caller's agent says of itself, and where it works.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::request::{Describe, Described};
use ipc_protocol::token::contains_token;

use super::sender;
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::context::Context;
use crate::store::profiles;

/// Changes what the request names, and tells how it stands then. What changes nothing writes
/// nothing.
pub(crate) fn describe(
    request: &Describe,
    caller: &Caller,
    context: &Context<'_>,
) -> Done<Described> {
    let agent = caller.agent();
    let name = sender::of(context, agent)?.name;
    let before = profiles::find(context.db, agent)?;
    let mut profile = before.clone();
    if let Some(status) = &request.status {
        profile.status = status.clone();
    }
    if let Some(summary) = &request.summary {
        profile.summary = summary.clone();
    }
    if let Some(capabilities) = &request.capabilities {
        profile.capabilities = capabilities.clone();
    }
    profile.place = request.place.or(profile.place);
    if contains_token(profile.status.as_str()) || contains_token(profile.summary.as_str()) {
        return refuse(
            ErrorCode::Forbidden,
            "the text holds a token of this program; it was not stored",
            "take the token out; nobody but its agent may have it",
        );
    }
    if profile != before {
        profiles::put(context.db, agent, &profile)?;
    }
    Ok(Described {
        name,
        status: profile.status(),
        summary: profile.summary(),
        capabilities: profile.capabilities,
    })
}

#[cfg(test)]
mod tests {
    use ipc_protocol::profile::{Capabilities, Place, PlaceId};
    use ipc_protocol::request::{Agents, List, Scope};
    use ipc_protocol::token::{Token, TokenKind};
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::actions::harness::Desk;
    use crate::actions::list::list;

    fn capabilities(words: &[&str]) -> Capabilities {
        let words: Vec<_> = words.iter().map(|word| word.parse().unwrap()).collect();
        words.try_into().unwrap()
    }

    fn at(directory: &str, repository: Option<&str>) -> Describe {
        Describe {
            place: Some(Place {
                directory: PlaceId::of(directory.as_bytes()),
                repository: repository.map(|path| PlaceId::of(path.as_bytes())),
            }),
            ..Describe::default()
        }
    }

    fn say(desk: &mut Desk, who: &Caller, what: &Describe) -> Result<Described, ErrorCode> {
        desk.act_as(who, |c| describe(what, who, c))
    }

    fn ask(desk: &mut Desk, who: &Caller, what: &List) -> Result<Vec<String>, ErrorCode> {
        let listed: Agents = desk.act_as(who, |c| list(what, Some(who.agent()), c))?;
        let names = listed.agents.into_iter().map(|row| row.name.to_string());
        Ok(names.collect())
    }

    #[test]
    fn what_is_left_out_stays_and_what_is_empty_is_taken_back() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        let whole = Describe {
            status: Some("busy".parse().unwrap()),
            summary: Some("the parser".parse().unwrap()),
            capabilities: Some(capabilities(&["rust", "review"])),
            place: None,
        };
        say(&mut desk, &alice, &whole).unwrap();
        let less = Describe {
            status: Some("".parse().unwrap()),
            ..Describe::default()
        };
        let told = say(&mut desk, &alice, &less).unwrap();
        assert_eq!((told.status, told.summary), (None, whole.summary));
        assert_eq!(told.capabilities.join(","), "review,rust");
    }

    #[test]
    fn saying_the_same_again_writes_nothing() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        let here = at("/a", None);
        say(&mut desk, &alice, &here).unwrap();
        let writes = desk.number("SELECT total_changes()");
        say(&mut desk, &alice, &here).unwrap();
        say(&mut desk, &alice, &Describe::default()).unwrap();
        assert_eq!(desk.number("SELECT total_changes()"), writes);
    }

    #[test]
    fn a_summary_with_a_token_in_it_is_refused() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        let token = Token::random(TokenKind::Session, &mut StdRng::seed_from_u64(5));
        let leak = Describe {
            summary: Some(token.expose().parse().unwrap()),
            ..Describe::default()
        };
        let refused = say(&mut desk, &alice, &leak);
        assert_eq!(refused.unwrap_err(), ErrorCode::Forbidden);
        assert_eq!(desk.number("SELECT count(*) FROM profiles"), 0);
    }

    #[test]
    fn agents_are_found_by_what_they_can_and_by_where_they_work() {
        let mut desk = Desk::new();
        let [alice, bob, carol] =
            ["alice", "bob", "carol"].map(|n| desk.register(n, false).unwrap());
        say(&mut desk, &alice, &at("/r/one", Some("/r/.git"))).unwrap();
        say(&mut desk, &bob, &at("/r/two", Some("/r/.git"))).unwrap();
        let mut carols = at("/r/one", None);
        carols.capabilities = Some(capabilities(&["rust"]));
        say(&mut desk, &carol, &carols).unwrap();
        let by = |scope| List {
            scope,
            capability: None,
        };
        let found = ask(&mut desk, &alice, &by(Scope::Directory)).unwrap();
        assert_eq!(found, ["alice", "carol"]);
        let found = ask(&mut desk, &alice, &by(Scope::Repo)).unwrap();
        assert_eq!(found, ["alice", "bob"]);
        let able = List {
            scope: Scope::Directory,
            capability: Some("rust".parse().unwrap()),
        };
        assert_eq!(ask(&mut desk, &alice, &able).unwrap(), ["carol"]);
    }

    #[test]
    fn whoever_works_nowhere_has_no_neighbours() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        let nowhere = List {
            scope: Scope::Directory,
            capability: None,
        };
        let refused = ask(&mut desk, &alice, &nowhere);
        assert_eq!(refused.unwrap_err(), ErrorCode::NotFound);
        say(&mut desk, &alice, &at("/a", None)).unwrap();
        let in_no_repository = List {
            scope: Scope::Repo,
            capability: None,
        };
        let refused = ask(&mut desk, &alice, &in_no_repository);
        assert_eq!(refused.unwrap_err(), ErrorCode::NotFound);
    }
}
