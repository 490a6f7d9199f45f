//! The documentation page, generated from the table.

use super::FieldDoc;
use std::fmt::Write;

const HEAD: &str = "\
# Configuration of the tier

This page is generated from the table in `crates/runtime-integration/src/config.rs`;
a test compares them (`VELA_BLESS=1 cargo test -p vela-runtime-integration` writes it
anew).

Every field can be set in code (`JitConfig`), by an environment variable and by a flag
of `vela`; a flag wins over the environment, the environment over the default. A value
that a field does not take is an error that names the field and what it takes.

Presets: `JitConfig::default()` suits most programs; `JitConfig::performance()` is for
programs that run long and have memory to spare; `JitConfig::conservative()` for short
programs and small machines.

";

const LEVELS: &str = "\
## Optimization levels

The passes of each level are in `llvm-config.toml`, with measurements. Vela's own passes
over the intermediate form run at every level.

| level | what it means | when |
|---|---|---|
| 0 | no LLVM passes but one, the simplest instruction selection: the shortest wait, code 4 to 5 times slower than at level 2 | looking for a defect in the optimizer |
| 1 | passes that shrink the code, no loop passes | short programs, slow machines |
| 2 | adds loop-invariant code motion and vectorization of the loops that the tier marks | the default: within 6 % of LLVM's `-O2` in a fifth to a third of its time |
| 3 | adds value numbering, induction variables, unrolling, and a second round | programs that run for minutes |
";

pub(super) fn markdown(fields: &[FieldDoc]) -> String {
    let mut out = String::from(HEAD);
    out.push_str("| field | default | performance | conservative | bounds | flag |\n");
    out.push_str("|---|---|---|---|---|---|\n");
    for f in fields {
        let show = |s: &String| {
            if s.is_empty() {
                "none".to_string()
            } else {
                format!("`{s}`")
            }
        };
        let bounds = f
            .bounds
            .map_or(String::new(), |(min, max)| format!("{min} to {max}"));
        let [d, p, c] = f.presets.each_ref().map(show);
        let _ = writeln!(
            out,
            "| `{}` | {d} | {p} | {c} | {bounds} | `{}` |",
            f.name, f.flag
        );
    }
    out.push('\n');
    out.push_str("## What each field means\n\n");
    for f in fields {
        let text = f.doc.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            out,
            "**`{}`** (`{}`), {}. {}\n",
            f.name,
            f.variable(),
            f.expected,
            text.trim()
        );
    }
    out.push_str(LEVELS);
    out
}
