//! Undoes gzip and zstd, recognised by the first bytes and not by a name.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::model::words;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

words! {
    /// How a file is packed.
    pub enum Packing {
        /// By gzip.
        Gzip = "gzip",
        /// By zstd.
        Zstd = "zstd",
    }
}

/// A frame that is to be skipped; the lowest four bits of the first byte may be anything.
const ZSTD_SKIPPED: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];
const BUFFER_BYTES: usize = 1 << 16;

/// What a file holds.
pub(crate) struct Decoded {
    /// How it is packed; `None` if it is not.
    pub(crate) packed: Option<Packing>,
    /// What is in it, without the compression.
    pub(crate) text: Box<dyn Read + Send>,
}

/// What the first bytes of something say of how it is packed.
fn packing(first: &[u8]) -> Option<Packing> {
    let skipped = first.first_chunk().map(|[byte, rest @ ..]: &[u8; 4]| {
        [byte & 0xf0 | ZSTD_SKIPPED[0] & 0x0f, rest[0], rest[1], rest[2]]
    });
    if first.starts_with(&GZIP) {
        Some(Packing::Gzip)
    } else if first.starts_with(&ZSTD) || skipped == Some(ZSTD_SKIPPED) {
        Some(Packing::Zstd)
    } else {
        None
    }
}

/// What `source` holds, without the compression around it.
pub(crate) fn decoded(mut source: impl Read + Send + 'static) -> io::Result<Decoded> {
    let mut first = Vec::with_capacity(ZSTD.len());
    source.by_ref().take(4).read_to_end(&mut first)?;
    let packed = packing(&first);
    let whole = Cursor::new(first).chain(source);
    let text: Box<dyn Read + Send> = match packed {
        None => Box::new(whole),
        Some(Packing::Gzip) => Box::new(MultiGzDecoder::new(whole)),
        Some(Packing::Zstd) => Box::new(Zstd::new(BufReader::with_capacity(BUFFER_BYTES, whole))),
    };
    Ok(Decoded { packed, text })
}

/// The contents of one zstd frame after the other.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), in_frame: false }
    }

    fn open_frame(&mut self) -> io::Result<()> {
        match self.decoder.init(&mut self.source) {
            Ok(()) => {
                self.in_frame = true;
                Ok(())
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let mut frame = self.source.by_ref().take(u64::from(length));
                match io::copy(&mut frame, &mut io::sink())? {
                    skipped if skipped == u64::from(length) => Ok(()),
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                }
            }
            Err(error) => Err(io::Error::other(error)),
        }
    }

    fn close_frame(&mut self) -> io::Result<()> {
        self.in_frame = false;
        let said = self.decoder.get_checksum_from_data();
        if said.is_some() && said != self.decoder.get_calculated_checksum() {
            return Err(io::Error::other("the zstd checksum does not match: the data is damaged"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if !self.in_frame {
                if self.source.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.open_frame()?;
            } else if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            } else if self.decoder.is_finished() {
                self.close_frame()?;
            } else {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.source, one).map_err(io::Error::other)?;
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        decoded(Cursor::new(bytes))?.text.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_is_packed_comes_out_and_what_is_not_stays() {
        let long = b"a line\n".repeat(100_000);
        for text in [&b""[..], b"x", b"[]\n", &long] {
            assert_eq!(read(text.to_vec()).unwrap(), text);
            assert_eq!(read(gzip(text)).unwrap(), text);
            assert_eq!(read(zstd(text)).unwrap(), text);
        }
    }

    #[test]
    fn packed_pieces_may_stand_one_after_the_other() {
        assert_eq!(read([gzip(b"one "), gzip(b"two")].concat()).unwrap(), b"one two");
        let skipped = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"???"].concat();
        let frames = [skipped.clone(), zstd(b"one "), skipped, zstd(b"two")].concat();
        assert_eq!(read(frames).unwrap(), b"one two");
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_an_error() {
        let text = b"a line\n".repeat(1000);
        for (whole, cut_off, does_not_match) in [
            (gzip(&text), "unexpected end of file", "does not have a matching checksum"),
            (zstd(&text), "Failed to read checksum", "the zstd checksum does not match"),
        ] {
            let cut = read(whole[..whole.len() - 3].to_vec()).unwrap_err();
            let mut damaged = whole.clone();
            let at = damaged.len() - 2;
            damaged[at] ^= 1;
            let damaged = read(damaged).unwrap_err();
            assert!(cut.to_string().contains(cut_off), "{cut}");
            assert!(damaged.to_string().contains(does_not_match), "{damaged}");
        }
    }
}
