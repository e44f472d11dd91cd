//! The two widths that charts are drawn for.

/// What a chart is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// A desktop.
    Wide,
    /// A phone.
    Narrow,
}

impl Frame {
    pub(super) const ALL: [Self; 2] = [Self::Wide, Self::Narrow];

    /// In pixels, in which text is drawn at the size at which it is read.
    pub(super) const fn width(self) -> f64 {
        match self {
            Self::Wide => 880.0,
            Self::Narrow => 330.0,
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}
