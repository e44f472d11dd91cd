//! The wire contracts of `proto/`, as Rust. Generated; what each thing means is said there.

#![expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    unused_qualifications,
    reason = "generated"
)]

/// The classic contract: package `banking`.
pub mod banking {
    tonic::include_proto!("banking");
}

/// The typed contract: package `passbook.v1`.
pub mod v1 {
    tonic::include_proto!("passbook.v1");
}

/// Both contracts as an encoded `google.protobuf.FileDescriptorSet`, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));
