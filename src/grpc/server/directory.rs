//! Which services a port serves, and their methods: for a caller of one that is not there.

use std::collections::BTreeMap;

use prost::{DecodeError, Message};
use prost_types::FileDescriptorSet;

use crate::grpc::error::CallError;

/// The services that are served, with their methods.
#[derive(Debug)]
pub(super) struct Directory {
    methods: BTreeMap<String, Vec<String>>,
}

impl Directory {
    /// Those of `served` that are described in `descriptors`, encoded sets of files.
    pub(super) fn new(descriptors: &[&[u8]], served: &[&str]) -> Result<Self, DecodeError> {
        let mut methods = BTreeMap::new();
        for encoded in descriptors {
            for file in FileDescriptorSet::decode(*encoded)?.file {
                for service in &file.service {
                    let name = format!("{}.{}", file.package(), service.name());
                    if served.contains(&name.as_str()) {
                        let of_it = service.method.iter().map(|method| method.name().to_owned());
                        methods.insert(name, of_it.collect());
                    }
                }
            }
        }
        Ok(Self { methods })
    }

    /// An error where `path` is not the path of a method that is served.
    pub(super) fn check(&self, path: &str) -> Result<(), CallError> {
        let named = path.strip_prefix('/').unwrap_or(path);
        let (service, method) = named.split_once('/').unwrap_or((named, ""));
        let Some(methods) = self.methods.get(service) else {
            let services = self.methods.keys().cloned().collect();
            return Err(CallError::UnknownService { found: service.to_owned(), services });
        };
        if methods.iter().any(|known| known == method) {
            return Ok(());
        }
        Err(CallError::UnknownMethod {
            service: service.to_owned(),
            found: method.to_owned(),
            methods: methods.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::proto::DESCRIPTORS;

    #[test]
    fn what_is_not_served_is_told_with_what_is() {
        let served = ["banking.Branch", "passbook.v1.PeerService"];
        let directory = Directory::new(&[DESCRIPTORS], &served).unwrap();
        assert_eq!(directory.check("/banking.Branch/MsgDelivery"), Ok(()));
        let services = served.map(str::to_owned).to_vec();
        for (path, found) in [
            ("/banking.Bank/MsgDelivery", "banking.Bank"),
            ("/passbook.v1.BankService/Query", "passbook.v1.BankService"),
            ("/Branch/MsgDelivery", "Branch"),
            ("/banking.Branch.MsgDelivery", "banking.Branch.MsgDelivery"),
            ("/", ""),
            ("*", "*"),
        ] {
            let (found, services) = (found.to_owned(), services.clone());
            let unknown = CallError::UnknownService { found, services };
            assert_eq!(directory.check(path), Err(unknown), "{path}");
        }
        for (path, found) in [
            ("/banking.Branch/msgDelivery", "msgDelivery"),
            ("/banking.Branch/MsgDelivery/", "MsgDelivery/"),
            ("/banking.Branch/", ""),
            ("/banking.Branch", ""),
        ] {
            let unknown = CallError::UnknownMethod {
                service: "banking.Branch".to_owned(),
                found: found.to_owned(),
                methods: vec!["MsgDelivery".to_owned()],
            };
            assert_eq!(directory.check(path), Err(unknown), "{path}");
        }
    }
}
