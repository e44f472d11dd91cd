//! Drives two branches by hand. A branch is a state machine: an input goes in with the time at which
//! it came, and effects come out. It has no thread, no clock and no socket, so we are its network.
//!
//!     cargo run --no-default-features --example drive_a_branch

#![expect(clippy::print_stdout, reason = "an example shows what comes out")]

use std::error::Error;
use std::sync::Arc;

use passbook::bank::{
    BranchConfig, Effect, Input, PeerMessage, PropagatedWrite, Request, Session, Ticket,
};
use passbook::model::{
    BranchId, CustomerId, EventId, Guarantees, Operation, Propagation, Roster, Time, Write,
};
use passbook::{Branch, Money, Passbook};

fn main() -> Result<(), Box<dyn Error>> {
    let (one, two) = (BranchId::new(1)?, BranchId::new(2)?);
    let roster = Arc::new(Roster::new([one, two])?);
    // Asynchronous propagation: the reply goes out first, the write afterwards.
    let config = BranchConfig { propagation: Propagation::Async, ..BranchConfig::default() };
    let branch = |id| Branch::new(id, Arc::clone(&roster), Money::ZERO, config);
    let (mut near, mut far) = (branch(one), branch(two));
    let mut passbook = Passbook::new(&roster);

    println!("A customer deposits 400 at branch 1:");
    let deposit = Operation::Write(Write::deposit("400".parse()?));
    let effects = tell(&mut near, 0, Input::Requested(request(1, deposit, None)?));
    let mut on_its_way = None;
    for effect in effects {
        if let Effect::Reply(reply) = &effect {
            passbook.enter(&reply.entry, &roster);
        } else if let Effect::Broadcast(write) = effect {
            on_its_way = Some(write);
        }
    }
    let write: PropagatedWrite = on_its_way.ok_or("a write goes to every other branch")?;

    println!("It asks branch 2, which has not heard of that, and nothing is promised:");
    tell(&mut far, 10, Input::Requested(request(2, Operation::Query, None)?));

    println!("It asks again, is promised to read its writes, and shows its passbook:");
    let session = Session { passbook, guarantees: Guarantees::ALL };
    tell(&mut far, 20, Input::Requested(request(3, Operation::Query, Some(session))?));

    println!("The write comes to branch 2, with a request to confirm it:");
    let message = PeerMessage::Propagate(write);
    let lives = near.lives().clone();
    let effects = tell(&mut far, 5_000, Input::FromPeer { from: one, lives, message });

    println!("The confirmation comes to branch 1, which has nothing more to do:");
    for effect in effects {
        if let Effect::Send { message, .. } = effect {
            let lives = far.lives().clone();
            tell(&mut near, 9_000, Input::FromPeer { from: two, lives, message });
        }
    }
    Ok(())
}

/// Hands `input` to `branch`, shows what it wants done, and returns it.
fn tell(branch: &mut Branch, at_us: u64, input: Input) -> Vec<Effect> {
    let mut effects = Vec::new();
    branch.handle(Time::from_us(at_us), input, &mut effects);
    if effects.is_empty() {
        println!("  {at_us:>4} us  branch {}: nothing", branch.id());
    }
    for effect in &effects {
        println!("  {at_us:>4} us  branch {}: {}", branch.id(), in_words(effect));
    }
    effects
}

fn in_words(effect: &Effect) -> String {
    match effect {
        Effect::Reply(reply) => match &reply.outcome {
            Ok(_) => format!("reply: done, and my balance is {}", reply.balance),
            Err(error) => format!("reply: {error}"),
        },
        Effect::Applied(applied) => {
            format!("applied {}, position {} of my log", applied.id, applied.position)
        }
        Effect::Broadcast(write) => format!("send {} to all others", write.id),
        Effect::Send { to, .. } => format!("send a message to branch {to}"),
        Effect::Waited { waited, .. } => {
            format!("a request has waited for {} us", waited.span.as_micros())
        }
        Effect::Compared { with, agrees: true, .. } => {
            format!("branch {with} holds what I hold of that customer")
        }
        other @ (Effect::Compared { agrees: false, .. }
        | Effect::Settled(_)
        | Effect::Conflict(_)
        | Effect::Persist(_)
        | Effect::Lives(_)
        | Effect::Closed
        | Effect::Ended(_)
        | Effect::IdClash(_)) => format!("{other:?}"),
    }
}

fn request(
    number: u32,
    operation: Operation,
    session: Option<Session>,
) -> Result<Request, Box<dyn Error>> {
    let ticket = Ticket(number.into());
    let (customer, event) = (CustomerId::new(1)?, EventId::new(number.into())?);
    Ok(Request { ticket, customer, event, operation, session })
}
