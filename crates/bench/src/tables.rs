//! Tables of cells as aligned text and as Markdown; the first line is the head.

use std::fmt::Write as _;

/// Aligns a table in columns, the first to the left.
#[must_use]
pub fn plain(table: &[Vec<String>]) -> String {
    let columns = table.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|c| {
            table
                .iter()
                .filter_map(|l| l.get(c))
                .map(String::len)
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for line in table {
        let mut text = String::new();
        for (c, (cell, width)) in line.iter().zip(&widths).enumerate() {
            // Writing to a String cannot fail.
            let _ = if c == 0 {
                write!(text, "{cell:<width$}")
            } else {
                write!(text, "  {cell:>width$}")
            };
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

/// A Markdown table, the first column to the left.
#[must_use]
pub fn markdown(table: &[Vec<String>]) -> String {
    let mut out = String::new();
    for (i, line) in table.iter().enumerate() {
        out.push_str("| ");
        out.push_str(&line.join(" | "));
        out.push_str(" |\n");
        if i == 0 {
            out.push_str("|---|");
            out.push_str(&"---:|".repeat(line.len().saturating_sub(1)));
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Vec<Vec<String>> {
        [["a", "b s"], ["long", "1.5"]]
            .iter()
            .map(|l| l.iter().map(|c| (*c).to_owned()).collect())
            .collect()
    }

    #[test]
    fn columns_are_aligned() {
        assert_eq!(plain(&table()), "a     b s\nlong  1.5\n");
    }

    #[test]
    fn markdown_has_a_line_below_the_head() {
        assert_eq!(
            markdown(&table()),
            "| a | b s |\n|---|---:|\n| long | 1.5 |\n"
        );
    }
}
