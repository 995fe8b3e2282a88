//! The page as it is written: headings, paragraphs, tables and figures, everything escaped.

use std::fmt::Write as _;

use super::Entry;
use crate::table::tables;
use crate::{Picture, Result, render};

/// A page in the making.
#[derive(Default)]
pub(super) struct Page {
    body: String,
    sections: Vec<String>,
    figures: usize,
}

/// One field of a table.
pub(super) enum Field {
    Plain(String),
    /// Something that should not be overlooked.
    Warning(String),
}

impl From<String> for Field {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl Page {
    /// Opens a numbered section that the table of contents lists.
    pub(super) fn section(&mut self, title: &str) {
        self.sections.push(title.to_owned());
        let number = self.sections.len();
        self.push(format_args!("<h2 id=\"section-{number}\">{number}. {}</h2>\n", escaped(title)));
    }

    /// A heading within a section.
    pub(super) fn heading(&mut self, title: &str) {
        self.push(format_args!("<h3>{}</h3>\n", inline(title)));
    }

    /// A paragraph; what stands between backticks is set as code.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.push(format_args!("<p>{}</p>\n", inline(text)));
    }

    /// A list of short paragraphs.
    pub(super) fn list(&mut self, items: &[String]) {
        self.body.push_str("<ul>\n");
        for item in items {
            self.push(format_args!("<li>{}</li>\n", inline(item)));
        }
        self.body.push_str("</ul>\n");
    }

    /// A list of links: text and address.
    pub(super) fn links(&mut self, links: &[(String, String)]) {
        self.body.push_str("<ul>\n");
        for (text, address) in links {
            self.push(format_args!("<li><a href=\"{}\">{}</a></li>\n", escaped(address), escaped(text)));
        }
        self.body.push_str("</ul>\n");
    }

    /// A table, one field a column.
    pub(super) fn table(&mut self, columns: &[&str], rows: &[Vec<Field>]) {
        self.body.push_str("<div class=\"table\"><table>\n<thead><tr>");
        for column in columns {
            self.push(format_args!("<th scope=\"col\">{}</th>", inline(column)));
        }
        self.body.push_str("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.body.push_str("<tr>");
            for field in row {
                match field {
                    Field::Plain(text) => self.push(format_args!("<td>{}</td>", inline(text))),
                    Field::Warning(text) => self.push(format_args!("<td class=\"warn\">{}</td>", inline(text))),
                }
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</tbody>\n</table></div>\n");
    }

    /// The pictures of an entry, and where its numbers come from.
    pub(super) fn entry(&mut self, entry: &Entry) -> Result<()> {
        for picture in render(&entry.name, &entry.record)? {
            self.figure(&picture);
        }
        let files: Vec<String> =
            tables(&entry.name, &entry.record)?.iter().map(|table| format!("`{}.csv`", table.name)).collect();
        let source = format!(
            "Source: record `{}`; numbers in {}. Repeat with `{}`.",
            entry.name,
            files.join(", "),
            entry.command
        );
        self.push(format_args!("<p class=\"source\">{}</p>\n", inline(&source)));
        Ok(())
    }

    fn figure(&mut self, picture: &Picture) {
        self.figures += 1;
        let number = self.figures;
        let labelled = format!("role=\"img\" aria-labelledby=\"caption-{number}\"");
        let svg = picture.svg.replacen("role=\"img\"", &labelled, 1);
        self.push(format_args!(
            "<figure id=\"figure-{number}\">\n{svg}<figcaption id=\"caption-{number}\"><b>Figure {number}. {}.</b> {}\
             </figcaption>\n</figure>\n",
            escaped(&picture.title),
            escaped(&picture.caption)
        ));
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.body.write_fmt(text);
    }

    /// The whole document.
    pub(super) fn document(self, title: &str, introduction: &str) -> String {
        let contents: String = self
            .sections
            .iter()
            .enumerate()
            .map(|(i, section)| format!("<li><a href=\"#section-{}\">{}</a></li>\n", i + 1, escaped(section)))
            .collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{title}</title>\n\
             <style>\n{style}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<p>{introduction}</p>\n</header>\n\
             <nav aria-label=\"Contents\">\n<ol>\n{contents}</ol>\n</nav>\n<main>\n{body}</main>\n</body>\n</html>\n",
            title = escaped(title),
            style = include_str!("report.css"),
            introduction = inline(introduction),
            body = self.body,
        )
    }
}

/// A text with HTML's own signs written out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// An escaped text in which pairs of backticks mark code; a backtick without a partner stays.
fn inline(text: &str) -> String {
    let pieces: Vec<String> = text.split('`').map(escaped).collect();
    let last = pieces.len() - 1;
    let mut marked = String::new();
    for (i, piece) in pieces.into_iter().enumerate() {
        match (i % 2 == 1, i == last) {
            (true, false) => marked.push_str(&format!("<code>{piece}</code>")),
            (true, true) => marked.push_str(&format!("`{piece}")),
            (false, _) => marked.push_str(&piece),
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_of_html_is_escaped_and_backticks_mark_code() {
        assert_eq!(escaped("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
        assert_eq!(inline("run `a < b` now"), "run <code>a &lt; b</code> now");
        assert_eq!(inline("a ` alone"), "a ` alone");
        assert_eq!(inline("`a` and `"), "<code>a</code> and `");
        assert_eq!(inline(""), "");
    }
}
