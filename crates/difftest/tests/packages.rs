//! Programs in `tests/packages` over modules of others, from Debian's packages: the same output
//! from the reference, the interpreter and compiled code. `VELA_PACKAGES` is the `LUA_PATH` that
//! finds the modules (see `ci/packages`).

use std::path::{Path, PathBuf};
use std::process::Command;
use vela_difftest::modes;

fn run(program: &Path, args: &[&str], script: &Path, lua_path: &str) -> (bool, String, String) {
    let out = Command::new(program)
        .args(args)
        .arg(script)
        .current_dir(modes::root().join("tests/packages"))
        .env("LUA_PATH", lua_path)
        .env_remove("LUA_PATH_5_4")
        .env_remove("LUA_INIT")
        .output();
    let out = out.unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.success(), text(&out.stdout), text(&out.stderr))
}

fn scripts() -> Vec<PathBuf> {
    let dir = modes::root().join("tests/packages");
    let entries = std::fs::read_dir(dir).expect("the programs");
    let mut scripts: Vec<PathBuf> = entries.map(|e| e.expect("a file").path()).collect();
    scripts.sort();
    scripts
}

#[test]
fn output_is_that_of_the_reference() {
    let (reference, vela) = (modes::reference(), modes::vela());
    let lua_path = std::env::var("VELA_PACKAGES");
    let (Ok(reference), Ok(lua_path), true) = (reference, lua_path, vela.exists()) else {
        assert!(
            !modes::required(),
            "the reference, the program, VELA_PACKAGES"
        );
        return;
    };
    let scripts = scripts();
    assert!(scripts.len() >= 8);
    for script in scripts {
        let name = script.display();
        let (ok, wanted, err) = run(&reference, &[], &script, &lua_path);
        assert!(ok && !wanted.is_empty(), "{name}: {err}");
        let (ok, out, err) = run(&vela, &["-j", "off"], &script, &lua_path);
        assert!(ok, "{name}: {err}");
        assert_eq!(out, wanted, "{name}, interpreted");
        let (ok, out, err) = run(&vela, &[], &script, &lua_path);
        assert!(ok, "{name}: {err}");
        assert_eq!(out, wanted, "{name}, compiled in the background");
        let args = ["-j", "sync", "--jit-threshold=20", "-O1", "--jit-stats"];
        let (ok, out, err) = run(&vela, &args, &script, &lua_path);
        assert!(ok, "{name}: {err}");
        assert_eq!(out, wanted, "{name}, compiled");
        assert!(!err.contains("\"functions_compiled\":0,"), "{name}: {err}");
    }
}
