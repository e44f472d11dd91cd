//! A row for each operation, for spreadsheets: in the order in which they ended, and then those
//! that had not ended. New columns stand at the end.

use std::io::{self, Write};

use super::converter::{ConvertError, Converter};
use super::requests::{Ended, Request, Requests, Step};
use crate::history::{Entry, Header};
use crate::model::{Operation, Receipt};
use crate::report::cell::{Cell, write_row};

const COLUMNS: [&str; 16] = [
    "customer",
    "request",
    "event",
    "branch",
    "interface",
    "amount",
    "sent_us",
    "received_us",
    "parked_us",
    "replied_us",
    "ended_us",
    "outcome",
    "balance",
    "position",
    "problem",
    "scenario",
];

#[derive(Debug, Default)]
pub(super) struct Csv {
    requests: Requests,
    scenario: String,
}

impl Converter for Csv {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.scenario.clone_from(&header.scenario);
        row(out, COLUMNS.map(Cell::text))
    }

    fn add(&mut self, out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError> {
        match self.requests.add(entry) {
            Some(Step::Ended(ended)) => {
                let word = ended.class().word();
                self.write(out, &ended.request, word, Some(&ended))?;
            }
            Some(Step::Sent(_) | Step::Replied(_)) | None => {}
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ConvertError> {
        for request in self.requests.take_open() {
            self.write(out, &request, "open", None)?;
        }
        Ok(())
    }
}

impl Csv {
    fn write(
        &self,
        out: &mut dyn Write,
        request: &Request,
        outcome: &str,
        ended: Option<&Ended>,
    ) -> io::Result<()> {
        let amount = match request.operation {
            Operation::Write(write) => Some(write.amount),
            Operation::Query => None,
        };
        let answer = ended.and_then(Ended::answer);
        let balance = answer.and_then(|reply| match reply.outcome {
            Ok(Receipt::Balance(balance)) => Some(balance),
            Ok(Receipt::Written) | Err(_) => None,
        });
        let problem = ended.and_then(Ended::problem);
        let replied_at = request.reply.as_ref().map(|reply| reply.at);
        row(
            out,
            [
                Cell::number(request.customer),
                Cell::number(request.number),
                Cell::number(request.event),
                Cell::number(request.branch),
                Cell::text(request.operation.interface().word()),
                Cell::of(amount, Cell::number),
                Cell::number(request.sent_at.us()),
                Cell::of(request.received_at, |at| Cell::number(at.us())),
                Cell::of(request.parked_at, |at| Cell::number(at.us())),
                Cell::of(replied_at, |at| Cell::number(at.us())),
                Cell::of(ended, |ended| Cell::number(ended.at.us())),
                Cell::text(outcome),
                Cell::of(balance, Cell::number),
                Cell::of(answer, |reply| Cell::number(reply.position)),
                Cell::of(problem, Cell::text),
                Cell::text(&self.scenario),
            ],
        )
    }
}

/// One line.
fn row<'a>(out: &mut dyn Write, cells: impl IntoIterator<Item = Cell<'a>>) -> io::Result<()> {
    let mut csv = ::csv::WriterBuilder::new().buffer_capacity(256).from_writer(out);
    write_row(&mut csv, cells)?;
    csv.flush()
}

#[cfg(test)]
mod tests {
    use crate::report::convert::Target;
    use crate::report::convert::fixture::{SHOWN, text};

    #[test]
    fn each_operation_has_a_row_and_none_of_its_cells_is_a_formula() {
        let table = text(Target::Csv);
        let mut reader =
            ::csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes());
        let rows = reader.records().map(|row| row.unwrap().iter().collect::<Vec<_>>().join("|"));
        let rows: Vec<String> = rows.collect();
        let scenario = format!("'{SHOWN}");
        let expected = [
            "customer|request|event|branch|interface|amount|sent_us|received_us|parked_us|replied_us|ended_us|outcome|balance|position|problem|scenario".to_owned(),
            format!("1|1|1|1|deposit|400|0|||2|3|ok||1||{scenario}"),
            format!("1|2|2|2|query||15|16|17|18|19|ok|400|1||{scenario}"),
            format!("1|3|3|2|withdraw|100|22||||23|unknown|||no answer came in time|{scenario}"),
            format!("2|1|1|1|query||24|||25|26|unknown||1|outcome unknown: branch 1 {SHOWN}|{scenario}"),
            format!("2|2|2|1|query||32|||||open||||{scenario}"),
        ];
        assert_eq!(rows, expected);
    }
}
