//! Text tests of passes: `filetests/*.mir`.
//!
//! ```text
//! test gvn dce
//! ; comments
//! func ...
//! end
//! ---
//! func ...          what the passes make of it
//! end
//! ```
//!
//! Input and output are verified; `test verify-error` expects the verifier's
//! message instead. `VELA_BLESS=1 cargo test -p vela-mir` rewrites what is
//! expected: read the difference before committing it.

use libtest_mimic::{Arguments, Failed, Trial};
use std::fmt::Write;
use std::path::Path;
use vela_mir::parse::parse;
use vela_mir::passes::{Fuel, compact_states, pass};
use vela_mir::verify::verify;

fn run(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let passes = head
        .strip_prefix("test ")
        .ok_or("the first line is not 'test PASS...'")?;
    let (input, expected) = rest.split_once("---\n").unwrap_or((rest, ""));
    let mut func = parse(input).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut actual = String::new();
    if passes == "verify-error" {
        match verify(&func) {
            Ok(()) => return Err("the function verifies".into()),
            Err(e) => writeln!(actual, "{e}")?,
        }
    } else {
        verify(&func).map_err(|e| format!("input: {e}"))?;
        for name in passes.split_whitespace() {
            let run = pass(name).ok_or_else(|| format!("no pass {name}"))?;
            run(&mut func, &mut Fuel::default());
            verify(&func).map_err(|e| format!("after {name}: {e}\n{func}"))?;
            let again = func.to_string();
            let again = parse(&again).map_err(|e| format!("after {name}: {e}\n{again}"))?;
            verify(&again).map_err(|e| format!("after {name}, read back: {e}"))?;
        }
        compact_states(&mut func);
        actual = func.to_string();
    }
    if actual == expected {
        return Ok(());
    }
    if std::env::var_os("VELA_BLESS").is_some() {
        let separator = if input.ends_with('\n') { "" } else { "\n" };
        std::fs::write(path, format!("{head}\n{input}{separator}---\n{actual}"))?;
        return Ok(());
    }
    Err(format!("expected:\n{expected}\nfound:\n{actual}").into())
}

fn main() -> std::process::ExitCode {
    let args = Arguments::from_args();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("filetests");
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .expect("the directory of tests")
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|x| x == "mir"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let trials = files
        .into_iter()
        .map(|path| {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            Trial::test(name, move || run(&path))
        })
        .collect();
    libtest_mimic::run(&args, trials).exit_code()
}
