//! What a user sees who has no LLVM, or another one.

#[allow(dead_code)]
#[path = "../build/discover.rs"]
mod discover;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use discover::Search;

/// A folder with an `llvm-config` of the given name that prints `version`.
fn install(folder: &str, name: &str, version: &str) -> PathBuf {
    let bin = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    let _ = fs::remove_dir_all(&bin);
    fs::create_dir_all(&bin).unwrap();
    let program = bin.join(name);
    fs::write(&program, format!("#!/bin/sh\necho {version}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    bin
}

fn search(folders: &[&PathBuf]) -> Search {
    Search {
        series: (22, 1),
        folders: folders.iter().map(|f| (*f).clone()).collect(),
    }
}

#[test]
fn absence_is_reported() {
    let nowhere = PathBuf::from("/nonexistent");
    let text = search(&[&nowhere]).run().unwrap_err().to_string();
    assert_eq!(text, "LLVM 22.1 is needed, found no LLVM");
}

#[test]
fn another_version_is_reported_with_its_place() {
    let old = install("old", "llvm-config", "14.0.6");
    let text = search(&[&old]).run().unwrap_err().to_string();
    let place = old.join("llvm-config");
    assert_eq!(
        text,
        format!("LLVM 22.1 is needed, found 14.0.6 at {}", place.display())
    );
}

#[test]
fn a_newer_series_is_another_version() {
    let new = install("new", "llvm-config", "23.1.0");
    assert!(
        search(&[&new])
            .run()
            .unwrap_err()
            .to_string()
            .contains("found 23.1.0")
    );
}

#[test]
fn the_right_one_wins_over_an_earlier_wrong_one() {
    let old = install("first", "llvm-config", "14.0.6");
    let right = install("second", "llvm-config", "22.1.8");
    let found = search(&[&old, &right]).run().unwrap();
    assert_eq!(
        (found.program, found.version.as_str()),
        (right.join("llvm-config"), "22.1.8")
    );
}

#[test]
fn a_prefix_is_searched_alone() {
    let path = std::env::join_paths(["/usr/bin"]).unwrap();
    let search = Search::new((22, 1), Some("/nonexistent".as_ref()), Some(&path));
    assert_eq!(search.folders, [PathBuf::from("/nonexistent/bin")]);
    let search = Search::new((22, 1), None, Some(&path));
    assert_eq!(search.folders[0], PathBuf::from("/usr/bin"));
    assert!(
        search
            .folders
            .contains(&PathBuf::from("/usr/lib/llvm-22/bin"))
    );
}
