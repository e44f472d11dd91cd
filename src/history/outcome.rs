//! How an outcome is written in a history: `"written"`, `{"balance_minor":400}` or
//! `{"failed":…}`, in place of the `Ok` and `Err` of a `Result`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{Money, Outcome, Receipt, RequestError};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Form {
    Written,
    BalanceMinor(Money),
    Failed(RequestError),
}

pub(super) fn serialize<S: Serializer>(
    outcome: &Outcome,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let form = match outcome {
        Ok(Receipt::Written) => Form::Written,
        Ok(Receipt::Balance(balance)) => Form::BalanceMinor(*balance),
        Err(error) => Form::Failed(error.clone()),
    };
    form.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Outcome, D::Error> {
    Ok(match Form::deserialize(deserializer)? {
        Form::Written => Ok(Receipt::Written),
        Form::BalanceMinor(balance) => Ok(Receipt::Balance(balance)),
        Form::Failed(error) => Err(error),
    })
}
