//! The configuration table: presets, validation, environment, flags, and the
//! generated documentation.

use vela_runtime_integration::{ConfigError, JitConfig, LogFilter, Mode};

#[test]
fn presets_are_valid() {
    for c in [
        JitConfig::default(),
        JitConfig::performance(),
        JitConfig::conservative(),
    ] {
        assert_eq!(c.validate(), Ok(()));
    }
    assert_eq!(JitConfig::default().hotspot_threshold, 1000);
    assert_eq!(JitConfig::default().mode, Mode::Background);
}

#[test]
fn every_field_reads_what_it_writes() {
    for preset in [JitConfig::performance(), JitConfig::conservative()] {
        let mut copy = JitConfig::default();
        for f in JitConfig::fields() {
            copy.set(f.name, &preset.get(f.name).expect("a field"))
                .expect("its own text");
        }
        assert_eq!(copy, preset);
    }
}

#[test]
fn errors_name_the_field_and_what_it_takes() {
    let mut c = JitConfig::default();
    let e = c.set("optimization_level", "4").unwrap_err();
    assert_eq!(e.to_string(), "optimization_level: 4 is not in 0..=3");
    let e = c.set("mode", "fast").unwrap_err();
    assert_eq!(
        e.to_string(),
        "mode: 'fast' is not off, sync or background (also on)"
    );
    let e = c.set("turbo", "1").unwrap_err();
    assert_eq!(e.to_string(), "there is no JIT option 'turbo'");
    assert!(c.set("hotspot_threshold", "0").is_err());
    assert!(c.set("hotspot_threshold", "-1").is_err());
    assert!(c.set("hotspot_threshold", "99999999999").is_err());
    assert!(c.set("log", "compile,nonsense").is_err());
    assert_eq!(c, JitConfig::default(), "a failed set changes nothing");

    c.worker_threads = 0;
    assert_eq!(
        c.validate(),
        Err(ConfigError::OutOfRange {
            field: "worker_threads",
            value: 0,
            min: 1,
            max: 64
        })
    );
}

#[test]
fn environment() {
    let mut c = JitConfig::default();
    c.apply_env([
        ("HOME", "/"),
        ("VELA_JIT_HOTSPOT_THRESHOLD", "7"),
        ("VELA_JIT_MAX_CACHE_SIZE", "2M"),
        ("VELA_JIT_MODE", "sync"),
        ("VELA_JIT_DUMP_DIR", "out"),
    ])
    .expect("valid");
    assert_eq!(c.hotspot_threshold, 7);
    assert_eq!(c.max_cache_size, 2 << 20);
    assert_eq!(c.mode, Mode::Sync);
    assert_eq!(c.dump_dir, Some("out".into()));
    let e = c.apply_env([("VELA_JIT_ENABLED", "perhaps")]).unwrap_err();
    assert_eq!(
        e.to_string(),
        "environment variable VELA_JIT_ENABLED: enabled: 'perhaps' is not true or false (also on, off, 1, 0)"
    );
    assert!(c.apply_env([("VELA_JIT_THRESHOLD", "1")]).is_err());
}

#[test]
fn flags() {
    let mut c = JitConfig::default();
    for arg in [
        "-jsync",
        "-O3",
        "--jit-threshold=5",
        "--jit-log=compile,deopt",
        "--jit-dump=d",
        "--jit-osr=off",
    ] {
        assert_eq!(c.apply_flag(arg), Ok(true), "{arg}");
    }
    assert_eq!(c.mode, Mode::Sync);
    assert_eq!(c.optimization_level, 3);
    assert_eq!(c.hotspot_threshold, 5);
    assert!(c.log.contains(LogFilter::COMPILE) && c.log.contains(LogFilter::DEOPT));
    assert!(!c.log.contains(LogFilter::INSTALL));
    assert!(!c.osr);
    assert_eq!(c.apply_flag("--jit-log"), Ok(true));
    assert_eq!(c.log, LogFilter::ALL);
    assert_eq!(c.apply_flag("--jit-stats"), Ok(false), "not a field");
    assert_eq!(c.apply_flag("-e"), Ok(false));
    assert!(c.apply_flag("-O9").is_err());
    assert!(c.apply_flag("--jit-threshold").is_err());
}

#[test]
fn every_flag_of_the_table_is_accepted() {
    for f in JitConfig::fields() {
        if f.flag.starts_with("--") {
            let name = f.flag.split('=').next().expect("a flag");
            let value = JitConfig::performance().get(f.name).expect("a field");
            let mut c = JitConfig::default();
            assert_eq!(
                c.apply_flag(&format!("{name}={value}")),
                Ok(true),
                "{}",
                f.flag
            );
            assert_eq!(c.get(f.name), Some(value));
        }
    }
}

#[test]
fn the_documentation_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/config.md");
    let wanted = JitConfig::markdown();
    if std::env::var_os("VELA_BLESS").is_some() {
        std::fs::write(path, &wanted).expect("docs/config.md is writable");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/config.md is out of date; run with VELA_BLESS=1"
    );
}
