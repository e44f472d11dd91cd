//! Compiles the wire contracts in `proto/`, without protoc, into `OUT_DIR`, where the edge is built.

use std::error::Error;

#[cfg(feature = "grpc")]
mod contracts {
    use std::error::Error;
    use std::path::PathBuf;
    use std::{env, fs};

    use prost::Message;

    const PROTOS: [&str; 3] = ["banking.proto", "passbook/v1/bank.proto", "passbook/v1/peer.proto"];

    pub(super) fn compile() -> Result<(), Box<dyn Error>> {
        let descriptors = protox::compile(PROTOS, ["proto"])?;
        let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
        // Reflection serves what the code was made from.
        fs::write(out_dir.join("descriptors.binpb"), descriptors.encode_to_vec())?;
        tonic_prost_build::configure().compile_fds(descriptors)?;
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    #[cfg(feature = "grpc")]
    contracts::compile()?;
    Ok(())
}
