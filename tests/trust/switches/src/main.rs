//! Puts mutants behind switches: `switches MUTANTS.json LEFT_OUT.json FOLDER` rewrites the sources in FOLDER, so
//! that one program has all mutants of the list that cargo-mutants made, and `PASSBOOK_MUTANT=7` turns on the
//! seventh. To build each by itself takes hours. Mutants whose numbers are in LEFT_OUT.json stay out, for
//! they do not compile; the numbers of those that cannot be switched are printed, as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::{env, fs};

use proc_macro2::{LineColumn, Span};
use quote::{ToTokens, quote};
use serde::Deserialize;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, Block, Expr, ExprBinary, ExprStruct, ImplItemFn, ItemFn, ItemMod, ReturnType, Signature,
    Type,
};

/// A mutant, as cargo-mutants writes it.
#[derive(Debug, Deserialize)]
struct Mutant {
    file: String,
    genre: String,
    replacement: String,
    span: Place,
}

#[derive(Debug, Deserialize)]
struct Place {
    start: Point,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Point {
    line: usize,
    column: usize,
}

/// The mutants of one file, by where they begin.
struct Switches {
    text: String,
    at: BTreeMap<Point, Vec<(usize, Mutant)>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().collect();
    let [_, mutants, left_out, folder] = args.as_slice() else {
        return Err("say MUTANTS.json LEFT_OUT.json FOLDER".into());
    };
    let mutants: Vec<Mutant> = serde_json::from_slice(&fs::read(mutants)?)?;
    let left_out: BTreeSet<usize> = serde_json::from_slice(&fs::read(left_out)?)?;
    let mut files: BTreeMap<String, Switches> = BTreeMap::new();
    for (number, mutant) in (1..).zip(mutants) {
        if !left_out.contains(&number) {
            let of_file = files.entry(mutant.file.clone());
            let switches =
                of_file.or_insert_with(|| Switches { text: String::new(), at: BTreeMap::new() });
            switches.at.entry(mutant.span.start).or_default().push((number, mutant));
        }
    }
    let mut unswitched = Vec::new();
    for (name, mut switches) in files {
        let path = Path::new(folder).join(name);
        switches.text = fs::read_to_string(&path)?;
        let mut file = syn::parse_file(&switches.text)?;
        switches.visit_file_mut(&mut file);
        fs::write(&path, prettyplease::unparse(&file))?;
        unswitched.extend(switches.at.into_values().flatten().map(|(number, _)| number));
    }
    unswitched.sort_unstable();
    println!("{}", serde_json::to_string(&unswitched)?);
    Ok(())
}

fn point(at: LineColumn) -> Point {
    Point { line: at.line, column: at.column + 1 }
}

fn is_on(number: usize) -> Expr {
    syn::parse_quote!(crate::switch::is_on(#number))
}

impl Switches {
    /// Takes out the mutants of this `genre` that begin where `span` does.
    fn take(&mut self, genre: &str, span: Span) -> Vec<(usize, Mutant)> {
        let begin = point(span.start());
        let Some(here) = self.at.remove(&begin) else { return Vec::new() };
        let (taken, left): (Vec<_>, Vec<_>) =
            here.into_iter().partition(|(_, mutant)| mutant.genre == genre);
        if !left.is_empty() {
            self.at.insert(begin, left);
        }
        taken
    }

    /// A function whose body is another where a switch is on; the body began at `first`.
    fn switch_body(&mut self, signature: &mut Signature, body: &mut Block, first: Option<Span>) {
        let taken = first.map_or(Vec::new(), |first| self.take("FnValue", first));
        for (number, mutant) in taken.into_iter().rev() {
            let is_on = is_on(number);
            if matches!(&signature.output, ReturnType::Type(_, ty) if is_opaque(ty)) {
                // It has one type, whatever is on.
                let only = mutant.replacement.strip_prefix("::std::iter::once");
                let only = only.map(|only| syn::parse_str::<Expr>(only).expect("a value"));
                let only = only.map(|only| quote!(.chain(#is_on.then(|| #only))));
                *body = syn::parse_quote!({ (#body).filter(|_| !#is_on) #only });
                continue;
            }
            let replacement: Expr = syn::parse_str(&mutant.replacement).expect("a value");
            body.stmts.insert(0, syn::parse_quote!(if #is_on { return #replacement; }));
        }
    }
}

fn is_opaque(ty: &Type) -> bool {
    ty.to_token_stream()
        .to_string()
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word == "impl")
}

fn first_of(body: &Block) -> Option<Span> {
    body.stmts.first().map(Spanned::span)
}

fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        Expr::Paren(paren) => has_let(&paren.expr),
        _ => false,
    }
}

impl VisitMut for Switches {
    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        if module.ident != "tests" {
            visit_mut::visit_item_mod_mut(self, module);
        }
    }

    fn visit_item_fn_mut(&mut self, function: &mut ItemFn) {
        let (left, first) = (self.left(), first_of(&function.block));
        visit_mut::visit_item_fn_mut(self, function);
        self.switch_body(&mut function.sig, &mut function.block, first);
        if self.left() != left {
            function.sig.constness = None;
        }
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        let (left, first) = (self.left(), first_of(&function.block));
        visit_mut::visit_impl_item_fn_mut(self, function);
        self.switch_body(&mut function.sig, &mut function.block, first);
        if self.left() != left {
            function.sig.constness = None;
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let changed = match &*expr {
            Expr::Binary(binary) if !has_let(expr) => {
                let mut operators = Vec::new();
                spine(binary, &mut operators);
                operators
                    .into_iter()
                    .flat_map(|at| self.changed("BinaryOperator", at, expr))
                    .collect()
            }
            Expr::Unary(unary) => self.changed("UnaryOperator", unary.op.span(), expr),
            Expr::Struct(of) => self.without_fields(of),
            _ => Vec::new(),
        };
        match expr {
            // Operators that bind each other were all taken with the first.
            Expr::Binary(binary) if !has_let(&Expr::Binary(binary.clone())) => {
                self.visit_leaves(binary)
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
        for (number, changed) in changed.into_iter().rev() {
            let is_on = is_on(number);
            *expr = syn::parse_quote!((if #is_on { #changed } else { #expr }));
        }
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        if let Some((_, guard)) = &mut arm.guard {
            let taken = self.take("MatchArmGuard", guard.span());
            let is_let = has_let(guard);
            for (number, mutant) in taken.into_iter().rev() {
                if is_let {
                    self.at.entry(point(guard.span().start())).or_default().push((number, mutant));
                    continue;
                }
                let (is_on, replacement) = (is_on(number), mutant.replacement == "true");
                let old = quote!(#guard);
                **guard = syn::parse_quote!((if #is_on { #replacement } else { #old }));
            }
        }
        visit_mut::visit_arm_mut(self, arm);
    }
}

/// The operators of a chain: what stands between them has none of its own, or is in parentheses.
fn spine(binary: &ExprBinary, operators: &mut Vec<Span>) {
    operators.push(binary.op.span());
    for side in [&binary.left, &binary.right] {
        if let Expr::Binary(inner) = &**side {
            spine(inner, operators);
        }
    }
}

impl Switches {
    fn visit_leaves(&mut self, binary: &mut ExprBinary) {
        for side in [&mut binary.left, &mut binary.right] {
            match &mut **side {
                Expr::Binary(inner) => self.visit_leaves(inner),
                leaf => self.visit_expr_mut(leaf),
            }
        }
    }

    /// `expr` with another operator in the place of the one at `operator`, as its text says it then.
    fn changed(&mut self, genre: &str, operator: Span, expr: &Expr) -> Vec<(usize, Expr)> {
        let taken = self.take(genre, operator);
        let (whole, operator) = (expr.span().byte_range(), operator.byte_range());
        let change = |(number, mutant): (usize, Mutant)| {
            let (before, after) =
                (&self.text[whole.start..operator.start], &self.text[operator.end..whole.end]);
            let text = format!("{before}{}{after}", mutant.replacement);
            (number, syn::parse_str(&text).expect("an expression with another operator"))
        };
        taken.into_iter().map(change).collect()
    }

    fn without_fields(&mut self, of: &ExprStruct) -> Vec<(usize, Expr)> {
        let mut changed = Vec::new();
        for (place, field) in of.fields.iter().enumerate() {
            for (number, _) in self.take("StructField", field.span()) {
                let mut of = of.clone();
                let others = of.fields.into_iter().enumerate().filter(|(other, _)| *other != place);
                of.fields = others.map(|(_, field)| field).collect();
                changed.push((number, Expr::Struct(of)));
            }
        }
        changed
    }

    fn left(&self) -> usize {
        self.at.values().map(Vec::len).sum()
    }
}
