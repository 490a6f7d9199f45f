//! MIR files with the LLVM IR and assembly that they must, or must not, become.
//!
//! Comments in `filetests/*.mir` are directives:
//!
//! ```text
//! ; level 2              optimization level (2 if not given)
//! ; before: fragment     is in the lowered IR, after the previous `before`
//! ; after: fragment      is in the optimized IR, after the previous `after`
//! ; asm: fragment        is in the assembly, after the previous `asm`
//! ; not before: fragment is nowhere in the lowered IR; likewise `not after`, `not asm`
//! ```
//!
//! Runs of blanks count as one.

mod lower_support;

use lower_support::World;
use std::path::Path;

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check(path: &Path) -> Result<usize, String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let directives: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("; "))
        .map(str::trim)
        .collect();
    let mut world = World::new(&[]);
    world.options.dump = true;
    for d in &directives {
        if let Some(level) = d.strip_prefix("level ") {
            world.options.opt_level = level.parse().map_err(|_| format!("bad level {level}"))?;
        }
    }
    let compiled = world.compile(&text);
    let dumps = compiled.dumps.as_ref().ok_or("no dumps")?;
    let mut checks = 0;
    for (name, dump) in [
        ("before", &dumps.ir_before),
        ("after", &dumps.ir_after),
        ("asm", &dumps.asm),
    ] {
        let dump = squeeze(dump);
        let mut from = 0;
        for d in &directives {
            if let Some(fragment) = d.strip_prefix(name).and_then(|d| d.strip_prefix(": ")) {
                let fragment = squeeze(fragment);
                let at = dump[from..]
                    .find(&fragment)
                    .ok_or_else(|| format!("{name}: no {fragment:?} in\n{}", &dump[from..]))?;
                from += at + fragment.len();
                checks += 1;
            }
            let not = d.strip_prefix("not ").and_then(|d| d.strip_prefix(name));
            if let Some(fragment) = not.and_then(|d| d.strip_prefix(": ")) {
                let fragment = squeeze(fragment);
                if dump.contains(&fragment) {
                    return Err(format!("{name}: {fragment:?} is in\n{dump}"));
                }
                checks += 1;
            }
        }
    }
    Ok(checks)
}

#[test]
fn files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("filetests");
    let mut failures = Vec::new();
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "mir") {
            continue;
        }
        files += 1;
        match check(&path) {
            Ok(0) => failures.push(format!("{}: checks nothing", path.display())),
            Ok(_) => {}
            Err(e) => failures.push(format!("{}: {e}", path.display())),
        }
    }
    assert!(files > 0, "no files in {}", folder.display());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
