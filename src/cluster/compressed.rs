//! Results and parcels as they are sent: compressed, for rows are much alike, and what the server has to do
//! grows with bytes. LZ4: a thousand rows come to a tenth in less time than it takes to run thirty.

use thiserror::Error;

/// So many bytes are compressed at most.
pub(crate) const BYTES_MAX: usize = 1 << 30;

/// A byte that is compressed comes to so many at most.
const RATIO_MAX: usize = 255;

/// Bytes that nobody has compressed.
#[derive(Debug, Error)]
#[error("it is cut off, or was never compressed")]
pub(crate) struct CompressedError;

/// `bytes` as they are sent, of which there are up to [`BYTES_MAX`].
pub(crate) fn compress(bytes: &[u8]) -> Vec<u8> {
    lz4_flex::compress_prepend_size(bytes)
}

/// What was compressed. What says of itself that it comes to more than it can is refused before memory is taken.
pub(crate) fn decompress(compressed: &[u8]) -> Result<Vec<u8>, CompressedError> {
    let (size, block) =
        lz4_flex::block::uncompressed_size(compressed).map_err(|_| CompressedError)?;
    if size > BYTES_MAX.min(block.len().saturating_mul(RATIO_MAX)) {
        return Err(CompressedError);
    }
    let bytes = lz4_flex::block::decompress(block, size).map_err(|_| CompressedError)?;
    if bytes.len() == size { Ok(bytes) } else { Err(CompressedError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_comes_back() {
        let alike = b"{\"kind\":\"scenario\",\"status\":\"holds\"}\n".repeat(1000);
        let zeros = vec![0; 1 << 20];
        for bytes in [&b""[..], b"a", &alike, &zeros] {
            assert_eq!(decompress(&compress(bytes)).unwrap(), bytes);
        }
        assert!(compress(&alike).len() * 10 < alike.len());
    }

    #[test]
    fn what_says_that_it_is_more_than_it_can_be_is_refused() {
        let whole = compress(&b"a deposit, and another".repeat(100));
        for cut in 0..whole.len() {
            assert!(decompress(&whole[..cut]).is_err(), "{cut} bytes");
        }
        let mut lies = whole;
        lies[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(decompress(&lies).is_err());
    }
}
