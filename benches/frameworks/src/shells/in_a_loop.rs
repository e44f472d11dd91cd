//! A plain loop: one queue of messages, and who each is for. No actor and no runtime.

use std::collections::VecDeque;

use passbook::Scenario;

use crate::bank::{Closed, Counter, Outgoing, Visitor};

/// Runs the bank `times` times, and returns the last.
pub(crate) fn in_a_loop(scenario: &Scenario, times: usize) -> Closed {
    let mut closed = Closed::default();
    for _ in 0..times {
        closed = run(scenario);
    }
    closed
}

fn run(scenario: &Scenario) -> Closed {
    let mut counters: Vec<Counter> = Counter::all(scenario).collect();
    let mut visitors: Vec<Visitor> = Visitor::all(scenario).collect();
    let mut queue = VecDeque::new();
    let ask = |visitor: &Visitor| visitor.ask().map(|(to, input)| Outgoing::ToBranch(to, input));
    queue.extend(visitors.iter().filter_map(ask));
    serve(&mut queue, &mut counters, &mut visitors);
    let settle = |to| Outgoing::ToBranch(to, Counter::settle());
    queue.extend((0..counters.len()).map(settle));
    serve(&mut queue, &mut counters, &mut visitors);
    Closed { counters, visitors }
}

/// Delivers what is in the queue until nothing is.
fn serve(queue: &mut VecDeque<Outgoing>, counters: &mut [Counter], visitors: &mut [Visitor]) {
    while let Some(outgoing) = queue.pop_front() {
        match outgoing {
            Outgoing::ToBranch(to, input) => {
                counters[to].take(input, |outgoing| queue.push_back(outgoing));
            }
            Outgoing::ToCustomer(to, reply) => {
                visitors[to].hear(reply);
                if let Some((to, input)) = visitors[to].ask() {
                    queue.push_back(Outgoing::ToBranch(to, input));
                }
            }
            Outgoing::Settled => {}
        }
    }
}
