//! Finds and links the LLVM that `llvm-config.toml` names.
//!
//! The bindings crates are built with linking switched off, so that this script is
//! the only one that looks for LLVM: a missing or wrong one gives one error that
//! says what to install, and the link mode comes from the configuration file.

#[path = "build/discover.rs"]
mod discover;
#[allow(dead_code)]
#[path = "src/config/schema.rs"]
mod schema;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use discover::Search;
use schema::{Arch, LinkMode, LlvmConfig};

/// The variable that the LLVM bindings use for an installation in an unusual place.
const PREFIX: &str = "LLVM_SYS_221_PREFIX";

/// What is used of LLVM besides the targets. Only static linking chooses by it.
const COMPONENTS: [&str; 3] = ["orcjit", "passes", "irreader"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/discover.rs");
    println!("cargo::rerun-if-changed=src/config/schema.rs");
    println!("cargo::rerun-if-env-changed={PREFIX}");
    if let Err(lines) = build() {
        for line in lines {
            println!("cargo::error={line}");
        }
    }
}

/// The error is what the user reads, a line each.
fn build() -> Result<(), Vec<String>> {
    let variable = |name: &str| PathBuf::from(env::var_os(name).expect("cargo sets it"));
    let file = config_file(&variable("CARGO_MANIFEST_DIR"))?;
    println!("cargo::rerun-if-changed={}", file.display());
    let text = fs::read_to_string(&file)
        .map_err(|e| vec![format!("cannot read {}: {e}", file.display())])?;
    let config = LlvmConfig::parse(&text)
        .map_err(|e| e.to_string().lines().map(str::to_owned).collect::<Vec<_>>())?;
    let copy = variable("OUT_DIR").join("llvm-config.toml");
    fs::write(&copy, &text).map_err(|e| vec![format!("cannot write {}: {e}", copy.display())])?;

    let series = (config.version.major, config.version.minor);
    let prefix = env::var_os(PREFIX);
    let search = Search::new(series, prefix.as_deref(), env::var_os("PATH").as_deref());
    let found = search.run().map_err(|missing| {
        vec![
            missing.to_string(),
            format!("install it with: apt-get install {}", config.package),
            advice(prefix.as_deref()),
        ]
    })?;
    println!("cargo::rerun-if-changed={}", found.program.display());

    let dynamic = config.link == LinkMode::Dynamic;
    let mut components = COMPONENTS.to_vec();
    components.extend(config.targets.iter().map(|target| match target {
        Arch::X86_64 => "x86",
        Arch::Aarch64 => "aarch64",
    }));
    let libraries = found.libraries(dynamic, &components).map_err(|why| {
        vec![
            format!(
                "LLVM {} at {}: {why}",
                found.version,
                found.program.display()
            ),
            format!(
                "install its libraries with: apt-get install {}",
                config.package
            ),
        ]
    })?;
    println!("cargo::rustc-link-search=native={}", libraries.folder);
    let kind = if dynamic { "dylib" } else { "static:-bundle" };
    for name in &libraries.llvm {
        println!("cargo::rustc-link-lib={kind}={name}");
    }
    for name in &libraries.system {
        println!("cargo::rustc-link-lib=dylib={name}");
    }
    if !dynamic {
        let apple = env::var_os("CARGO_CFG_TARGET_VENDOR").is_some_and(|v| v == "apple");
        println!(
            "cargo::rustc-link-lib=dylib={}",
            if apple { "c++" } else { "stdc++" }
        );
    }
    Ok(())
}

/// Inside the workspace the file lies at its root; a copy of the crate alone has its own.
fn config_file(manifest: &Path) -> Result<PathBuf, Vec<String>> {
    let places = [
        manifest.join("llvm-config.toml"),
        manifest.join("../../llvm-config.toml"),
    ];
    let found = places.iter().find(|place| place.is_file());
    found.cloned().ok_or_else(|| {
        vec![format!(
            "no llvm-config.toml, looked for {}",
            places.map(|p| p.display().to_string()).join(" and ")
        )]
    })
}

fn advice(prefix: Option<&OsStr>) -> String {
    match prefix {
        Some(prefix) => {
            format!(
                "{PREFIX} is {}, so only that place was searched",
                prefix.display()
            )
        }
        None => format!(
            "for an installation elsewhere set {PREFIX}; to build without the compiling tier \
             leave out --features llvm-jit"
        ),
    }
}
