//! The tables of the page. A wide one scrolls by itself, and not the page.

use super::markup::escaped;
use crate::compare::analyse::Verdict;
use crate::compare::show::tables::{Column, Holds, Table, Value};

/// `table` as markup; its title is for those who cannot see it.
pub(super) fn html(table: &Table) -> String {
    let Table { title, columns, rows } = table;
    let class = |column: &Column| match column.holds {
        Holds::Words => "",
        Holds::Numbers => " class=\"number\"",
    };
    let cells = |row: &Vec<Value>| -> String {
        let cells = row.iter().zip(columns).enumerate().map(|(place, (value, column))| {
            let text = escaped(&told(value));
            match place {
                0 => format!("<th scope=\"row\">{text}</th>"),
                _ => format!("<td{}>{text}</td>", class(column)),
            }
        });
        cells.collect()
    };
    let head = columns
        .iter()
        .map(|column| format!("<th scope=\"col\"{}>{}</th>", class(column), escaped(column.title)));
    let (head, title) = (head.collect::<String>(), escaped(title));
    let rows: String = rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row))).collect();
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n<table>\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

fn told(value: &Value) -> String {
    let (Value::Verdict(verdict) | Value::Change(verdict)) = value else {
        return value.to_string();
    };
    let sign = match verdict {
        Verdict::Faster => '▼',
        Verdict::Slower => '▲',
        Verdict::NoDifference => '≈',
        Verdict::Undecided => '?',
    };
    format!("{sign} {verdict}")
}
