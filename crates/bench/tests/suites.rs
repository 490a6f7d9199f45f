//! The suites are complete: enough programs, and a twin for each.

use std::path::{Path, PathBuf};

use vela_bench::program::load_all;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn names(name: &str) -> Vec<String> {
    load_all(&folder(name))
        .unwrap()
        .into_iter()
        .map(|p| {
            assert!(p.full.is_some(), "{}: no '-- full: N' line", p.name);
            p.name
        })
        .collect()
}

#[test]
fn steady_programs_have_javascript_twins() {
    let names = names("steady");
    assert!(names.len() >= 14, "{names:?}");
    for name in names {
        assert!(folder("js").join(format!("{name}.js")).exists(), "{name}");
    }
}

#[test]
fn kernels_have_c_twins() {
    let names = names("kernels");
    assert!(names.len() >= 15, "{names:?}");
    for name in names {
        assert!(
            folder("kernels").join(format!("{name}.c")).exists(),
            "{name}"
        );
    }
}
