//! Lines for the prompt: edited at a terminal, with history and completion of
//! names, or read as they come from anything else.

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Context, Editor, Helper, Highlighter, Hinter, Validator};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

/// Lines kept in the history.
const HISTORY: usize = 1000;

/// What reading a line gave.
pub enum Line {
    /// A line, without its end.
    Text(Vec<u8>),
    /// The line was given up with Ctrl-C.
    GivenUp,
    /// There is no more input.
    End,
}

/// Where lines come from.
pub enum Input {
    /// A terminal.
    Editor(Box<Editor<Names, FileHistory>>),
    /// A pipe or a file.
    Plain,
}

impl Input {
    /// The standard input; `history` is the file where lines are kept.
    pub fn new(history: Option<PathBuf>) -> Input {
        if !std::io::stdin().is_terminal() {
            return Input::Plain;
        }
        let config = Config::builder().max_history_size(HISTORY);
        let Ok(config) = config.map(rustyline::config::Builder::build) else {
            return Input::Plain;
        };
        let Ok(mut editor) = Editor::with_config(config) else {
            return Input::Plain;
        };
        editor.set_helper(Some(Names {
            known: Vec::new(),
            history: history.clone(),
        }));
        if let Some(file) = history {
            // The first session has no history yet.
            let _ = editor.load_history(&file);
        }
        Input::Editor(Box::new(editor))
    }

    /// Names that can be completed from now on: globals, and `table.field`.
    pub fn set_names(&mut self, names: impl FnOnce() -> Vec<String>) {
        if let Input::Editor(editor) = self
            && let Some(helper) = editor.helper_mut()
        {
            helper.known = names();
        }
    }

    /// Shows the prompt and reads a line.
    pub fn read(&mut self, prompt: &[u8]) -> Line {
        match self {
            Input::Editor(editor) => {
                match editor.readline(String::from_utf8_lossy(prompt).as_ref()) {
                    Ok(line) => Line::Text(line.into_bytes()),
                    Err(ReadlineError::Interrupted) => Line::GivenUp,
                    Err(_) => Line::End,
                }
            }
            Input::Plain => read_plain(prompt),
        }
    }

    /// Adds what was entered to the history.
    pub fn remember(&mut self, text: &[u8]) {
        if let Input::Editor(editor) = self {
            // A history that cannot be kept is no reason to stop.
            let _ = editor.add_history_entry(String::from_utf8_lossy(text).as_ref());
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if let Input::Editor(editor) = self {
            let file = editor.helper().and_then(|h| h.history.clone());
            if let Some(file) = file {
                let _ = editor.save_history(&file);
            }
        }
    }
}

fn read_plain(prompt: &[u8]) -> Line {
    let mut out = std::io::stdout().lock();
    // A prompt that cannot be shown is no reason to stop reading.
    let _ = out.write_all(prompt).and_then(|()| out.flush());
    let mut line = Vec::new();
    let read = std::io::stdin().lock().read_until(b'\n', &mut line);
    if !matches!(read, Ok(n) if n > 0) {
        return Line::End;
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Line::Text(line)
}

/// Completes names that the program knows.
#[derive(Helper, Highlighter, Hinter, Validator)]
pub struct Names {
    known: Vec<String>,
    history: Option<PathBuf>,
}

impl Completer for Names {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(complete(&self.known, line, pos))
    }
}

/// Where the name that ends at `pos` starts, and the names known that begin so.
fn complete(known: &[String], line: &str, pos: usize) -> (usize, Vec<String>) {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':');
    let before = &line[..pos];
    let start = before.rfind(|c: char| !part_of_name(c)).map_or(0, |i| {
        i + before[i..].chars().next().map_or(1, char::len_utf8)
    });
    let typed = &before[start..];
    // A method is a field that is called another way.
    let plain = typed.replace(':', ".");
    let mut found: Vec<String> = known
        .iter()
        .filter(|name| {
            let rest = name.strip_prefix(&plain);
            rest.is_some_and(|rest| !rest.contains('.'))
        })
        .map(|name| format!("{typed}{}", &name[plain.len()..]))
        .collect();
    found.sort();
    (start, found)
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn names_are_completed_level_by_level() {
        let known = [
            "print",
            "pairs",
            "string",
            "string.rep",
            "string.reverse",
            "s.x",
        ];
        let known = known.map(String::from);
        let complete = |line: &str| complete(&known, line, line.len());
        assert_eq!(complete("p"), (0, vec!["pairs".into(), "print".into()]));
        assert_eq!(complete("x = pri"), (4, vec!["print".into()]));
        assert_eq!(complete("string").1, ["string"]);
        assert_eq!(complete("string.re").1, ["string.rep", "string.reverse"]);
        assert_eq!(complete("string:rep").1, ["string:rep"]);
        assert_eq!(complete("f(s.").1, ["s.x"]);
        assert_eq!(complete("é+pai"), (3, vec!["pairs".into()]));
        assert!(complete("none").1.is_empty());
    }
}
