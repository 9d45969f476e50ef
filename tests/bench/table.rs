//! Tables for people and for Markdown at once: a row is printed as soon as it is known.

/// A table whose head is printed.
pub struct Table {
    widths: Vec<usize>,
    /// Columns of text, before those of numbers.
    texts: usize,
}

impl Table {
    /// Prints the head: a name for each column, and the width that its cells need at least. The first `texts` columns are text,
    /// the others are numbers.
    pub fn begin(texts: usize, columns: &[(&str, usize)]) -> Self {
        let widths: Vec<usize> = columns.iter().map(|(name, width)| name.chars().count().max(*width)).collect();
        let table = Self { widths, texts };
        println!();
        table.row(&columns.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
        let rules = table.widths.iter().enumerate();
        let rules = rules.map(|(n, width)| if n < texts { "-".repeat(width + 2) } else { "-".repeat(width + 1) + ":" });
        println!("|{}|", rules.collect::<Vec<_>>().join("|"));
        table
    }

    pub fn row(&self, cells: &[String]) {
        let cells = cells.iter().zip(&self.widths).enumerate();
        let cells = cells.map(
            |(n, (cell, width))| if n < self.texts { format!(" {cell:<width$} ") } else { format!(" {cell:>width$} ") },
        );
        println!("|{}|", cells.collect::<Vec<_>>().join("|"));
    }
}
