//! Words for a shell, in commands that are told to be typed again.

/// A word as a POSIX shell takes it: in quotes where it holds a sign that would mean something else.
pub(crate) fn quoted(word: &str) -> String {
    // Windows parts folders by a sign that other shells take for a quote.
    let plain = |c: char| c.is_alphanumeric() || "/._-=:,+@%".contains(c) || cfg!(windows) && c == '\\';
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_is_quoted_only_where_a_shell_would_change_it() {
        for plain in ["phases.swa.epochs=30", "uniform,gaussian", "sign-matched:0.5", "cells/mlp-2/größer"] {
            assert_eq!(quoted(plain), plain);
        }
        for (word, seen) in [("", "''"), ("my images", "'my images'"), ("a[1]=$x", "'a[1]=$x'"), ("it's", "'it'\\''s'")]
        {
            assert_eq!(quoted(word), seen);
        }
    }
}
