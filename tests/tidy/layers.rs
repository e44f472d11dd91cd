//! The table "Layers" of the design: which module may import which.

/// One row of the table: a module of `src/`, and what it may do.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    pub(crate) may_import: &'static [&'static str],
    /// Knows no runtime, no file, no socket and no thread.
    pub(crate) pure: bool,
    pub(crate) prints: bool,
}

const LAYERS: [Layer; 19] = [
    pure("model", &[]),
    pure("bank", &["model"]),
    pure("network", &["model"]),
    pure("history", &["model"]),
    pure("check", &["model", "history"]),
    pure("scenario", &["model", "network"]),
    shell("actors", &["model", "bank", "network", "history"]),
    shell("grpc", &["model", "bank", "history", "actors"]),
    shell("storage", &["model", "bank", "network", "history", "actors"]),
    shell(
        "run",
        &["model", "bank", "network", "history", "scenario", "check", "actors", "grpc", "storage"],
    ),
    printing("report", &["model", "network", "history", "check", "scenario", "storage", "run"]),
    shell("source", &["model", "history", "scenario", "report"]),
    shell(
        "batch",
        &["model", "network", "history", "check", "scenario", "run", "report", "source"],
    ),
    shell(
        "compare",
        &[
            "model", "bank", "network", "history", "scenario", "check", "actors", "grpc", "run",
            "report",
        ],
    ),
    shell("simulate", &["model", "network", "history", "check", "scenario", "run", "report"]),
    shell("cluster", &["model", "report", "run", "batch", "simulate"]),
    printing(
        "cli",
        &[
            "model", "bank", "network", "history", "scenario", "check", "actors", "grpc", "run",
            "storage", "report", "source", "batch", "simulate", "compare", "cluster",
        ],
    ),
    printing("main", &["cli"]),
    shell("lib", &[]),
];

const fn pure(name: &'static str, may_import: &'static [&'static str]) -> Layer {
    Layer { name, may_import, pure: true, prints: false }
}

const fn shell(name: &'static str, may_import: &'static [&'static str]) -> Layer {
    Layer { name, may_import, pure: false, prints: false }
}

const fn printing(name: &'static str, may_import: &'static [&'static str]) -> Layer {
    Layer { name, may_import, pure: false, prints: true }
}

/// The row of `name`, or `None` if the design has no such module.
pub(crate) fn find(name: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| layer.name == name)
}

/// The modules of the design, from the lowest up.
pub(crate) fn names() -> Vec<&'static str> {
    LAYERS.iter().map(|layer| layer.name).filter(|name| !["main", "lib"].contains(name)).collect()
}
