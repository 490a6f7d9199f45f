//! `docs/compatibility.md` says the truth: it has a row for every function of the reference's
//! libraries, functions are there if and only if their row says so, and the tests that rows name
//! exist and use the function.

use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;
use vela_difftest::modes;

/// Prints the names of everything in the library tables, methods of files as `file:name`.
const NAMES: &str = "
for k, v in pairs(_G) do
  if type(v) ~= 'table' then print(k)
  elseif k ~= '_G' and k ~= 'arg' then
    for f in pairs(v) do print(k .. '.' .. f) end
  end
end
for f in pairs(getmetatable(io.stdout).__index) do print('file:' .. f) end";

fn names(program: &Path) -> Vec<String> {
    let out = Command::new(program).args(["-E", "-e", NAMES]).output();
    let out = out.unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    assert!(out.status.success(), "{}", program.display());
    let text = String::from_utf8(out.stdout).expect("names are text");
    text.lines().map(String::from).collect()
}

/// Name, whether it is provided, and the third column, of the rows with code in the first one.
fn rows() -> BTreeMap<String, (bool, String)> {
    let file = modes::root().join("docs/compatibility.md");
    let text = read_to_string(&file).expect("the table");
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|l| l.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, given, test] = cells[..] else {
            panic!("a row of three cells: {line}");
        };
        let given = match given {
            "yes" => true,
            "no" => false,
            other => panic!("{name}: {other}"),
        };
        rows.insert(
            name.trim_matches('`').to_string(),
            (given, test.to_string()),
        );
    }
    rows
}

/// Whether the test that a row names exists, and, for scripts, uses the function.
fn shows(test: &str, name: &str) -> bool {
    let root = modes::root();
    let last = name.rsplit(['.', ':']).next().unwrap_or(name);
    if test.starts_with("tests/lua/") {
        return read_to_string(root.join(test)).is_ok_and(|text| text.contains(last));
    }
    let (suite, case) = test.split_once(' ').unwrap_or((test, ""));
    let source = match suite {
        "official" => {
            let list = read_to_string(root.join("tests/official.txt")).unwrap_or_default();
            let words = |l: &str| l.split_whitespace().take(2).eq(["run", case]);
            return list.lines().any(words);
        }
        "args" => "crates/vela-cli/src/args.rs",
        "program" => "crates/vela-cli/tests/program.rs",
        "terminal" => "crates/vela-cli/tests/terminal.rs",
        _ => return false,
    };
    read_to_string(root.join(source)).is_ok_and(|text| text.contains(&format!("fn {case}()")))
}

#[test]
fn named_tests_exist() {
    for (name, (given, test)) in rows() {
        assert!(!given || shows(&test, &name), "{name}: {test}");
    }
}

#[test]
fn every_function_has_its_row() {
    let (reference, vela) = (modes::reference(), modes::vela());
    let (Ok(reference), true) = (reference, vela.exists()) else {
        assert!(!modes::required(), "the reference and the program");
        return;
    };
    let (rows, provided) = (rows(), names(&vela));
    for name in names(&reference) {
        let Some((given, _)) = rows.get(&name) else {
            panic!("no row for {name}");
        };
        assert_eq!(*given, provided.contains(&name), "{name}");
    }
}
