//! The picture as pixels, in its light colours, with fonts that it brings along.

use std::io::{self, Write};
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

use super::layout::Diagram;
use super::svg::{Dress, STYLE, write_svg};

/// DejaVu Sans, without the letters that no picture has; its licence is beside it.
const FONTS: [&[u8]; 2] =
    [include_bytes!("fonts/DejaVuSans.ttf"), include_bytes!("fonts/DejaVuSans-Bold.ttf")];
const FAMILY: &str = "DejaVu Sans";

/// So many pixels stand for one, so that letters are sharp.
const SCALE: f32 = 2.0;
/// A picture has at most so many pixels: they are all in memory, with four bytes each.
const PIXELS_MAX: f32 = 1e8;

/// Writes `diagram`. One that is too large for a picture is an error that says so.
pub(crate) fn write_png(out: &mut dyn Write, diagram: &Diagram) -> io::Result<()> {
    let mut svg = Vec::new();
    write_svg(&mut svg, diagram, Dress::Alone)?;
    let svg = in_light(&String::from_utf8_lossy(&svg));
    let mut fonts = Database::new();
    FONTS.into_iter().for_each(|font| fonts.load_font_data(font.to_vec()));
    fonts.set_sans_serif_family(FAMILY);
    let options =
        Options { fontdb: Arc::new(fonts), font_family: FAMILY.to_owned(), ..Options::default() };
    let tree = Tree::from_str(&svg, &options).map_err(io::Error::other)?;
    let size = tree.size();
    let scale = SCALE.min((PIXELS_MAX / (size.width() * size.height())).sqrt());
    let pixels = size.to_int_size().scale_by(scale);
    let drawn = pixels.and_then(|size| Pixmap::new(size.width(), size.height()));
    let Some(mut drawn) = drawn.filter(|_| scale >= SCALE / 4.0) else {
        let what = "it is too large for pixels; draw the cone (`--cone`), or an SVG";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    };
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut drawn.as_mut());
    out.write_all(&drawn.encode_png().map_err(io::Error::other)?)
}

/// `svg` with each variable replaced by the colour that it has in light.
fn in_light(svg: &str) -> String {
    let (light, _) = STYLE.split_once('}').unwrap_or_default();
    let variables = light.split([';', '{']).filter_map(|part| part.split_once(':'));
    // What is dark is of no use here.
    let is_light = |line: &&str| !line.starts_with("@media");
    let mut lit: String = svg.lines().filter(is_light).flat_map(|line| [line, "\n"]).collect();
    for (name, value) in variables.filter(|(name, _)| name.starts_with("--")) {
        lit = lit.replace(&format!("var({name})"), value);
    }
    lit
}
