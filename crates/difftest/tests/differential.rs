//! Generated programs, and the kept regressions, must do the same in every mode.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vela_difftest::batch;
use vela_difftest::check::{self, Settings};
use vela_difftest::compare::Comparison;
use vela_difftest::modes::{self, Suite};

/// Share of programs that must compile a function in each compiling mode.
const COMPILED: f64 = 0.80;
/// Share of programs that must take a side exit in each compiling mode.
const EXITED: f64 = 0.50;
/// Shares are judged from this number of programs on.
const ENOUGH: usize = 100;

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|e| panic!("{name}={text}: {e}")),
        Err(_) => default,
    }
}

fn regressions() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/regressions")
}

fn ignore_names() -> bool {
    std::env::var("VELA_DIFF_IGNORE_NAMES").is_ok_and(|v| v == "1")
}

#[test]
fn generated_programs_agree() {
    let modes = modes::load(Suite::Programs).unwrap_or_else(|e| panic!("{e}"));
    print!("{}", modes.describe());
    assert!(
        modes.ready.len() >= 2,
        "nothing to compare with the reference"
    );
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos());
    let random = u64::try_from(clock % u128::from(u64::MAX)).unwrap_or(0);
    let settings = Settings {
        programs: usize::try_from(number("VELA_DIFF_PROGRAMS", 400)).expect("a count fits"),
        seed: number("VELA_DIFF_SEED", random),
        failures: usize::try_from(number("VELA_DIFF_FAILURES", 1)).expect("a count fits"),
        all: modes::all_programs(),
        ignore_names: ignore_names(),
        regressions: regressions(),
    };
    println!(
        "{} programs, VELA_DIFF_SEED={}",
        settings.programs, settings.seed
    );
    let scratch = modes::scratch().expect("scratch folder");
    let summary = check::run(&modes, &settings, &scratch).unwrap_or_else(|e| panic!("{e}"));
    print!("{}", summary.describe());
    assert!(
        summary.failures.is_empty(),
        "VELA_DIFF_SEED={}\n{}",
        settings.seed,
        summary.failures.join("\n")
    );
    let mut low = Vec::new();
    for ready in modes.ready.iter().filter(|r| r.mode.jit) {
        let name = &ready.mode.name;
        let Some(t) = summary.tallies.get(name) else {
            continue;
        };
        if t.programs < ENOUGH {
            continue;
        }
        if t.told == 0 {
            low.push(format!(
                "mode {name} tells no statistics (__vela_jit_stats)"
            ));
        } else if t.compiled_share() < COMPILED || t.exited_share() < EXITED {
            low.push(format!(
                "mode {name}: {:.1} % of programs compiled a function (required {:.0}), \
                 {:.1} % took a side exit (required {:.0})",
                100.0 * t.compiled_share(),
                100.0 * COMPILED,
                100.0 * t.exited_share(),
                100.0 * EXITED
            ));
        }
    }
    assert!(low.is_empty(), "{}", low.join("\n"));
}

#[test]
fn kept_regressions_agree() {
    let modes = modes::load(Suite::Programs).unwrap_or_else(|e| panic!("{e}"));
    let scratch = modes::scratch().expect("scratch folder");
    let mut files: Vec<PathBuf> = std::fs::read_dir(regressions())
        .expect("regressions folder")
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "lua"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the folder holds at least one program");
    let sources: Vec<String> = files
        .iter()
        .map(|f| std::fs::read_to_string(f).unwrap_or_else(|e| panic!("{}: {e}", f.display())))
        .collect();
    // A file may hold several programs, of which the last ones fail after the first ones only.
    let (texts, owners): (Vec<&str>, Vec<&PathBuf>) = sources
        .iter()
        .zip(&files)
        .flat_map(|(s, file)| batch::split(s).into_iter().map(move |text| (text, file)))
        .unzip();
    let limit = Duration::from_secs(120);
    let mut all = Vec::new();
    for ready in &modes.ready {
        let tag = format!("kept-{}", ready.mode.name);
        all.push(
            batch::run(ready, &texts, &scratch, &tag, limit).unwrap_or_else(|e| panic!("{e}")),
        );
    }
    let comparison = Comparison {
        same_implementation: false,
        ignore_names: ignore_names(),
    };
    let mut failures = Vec::new();
    for (i, ready) in modes.ready.iter().enumerate().skip(1) {
        for (p, file) in owners.iter().enumerate() {
            if let Some((a, b)) = comparison.difference(&all[0][p], &all[i][p]) {
                failures.push(format!(
                    "{}: {} and {} differ\n  {a}\n  {b}",
                    file.display(),
                    modes.ready[0].mode.name,
                    ready.mode.name
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A planted bug (`math.max` is `math.min`) is found, reduced and kept.
#[test]
fn planted_bug_is_found_and_reduced() {
    let mut modes = modes::load(Suite::Programs).unwrap_or_else(|e| panic!("{e}"));
    modes.ready.truncate(1);
    let mut wrong = modes.ready[0].clone();
    wrong.mode.name = "planted".to_owned();
    wrong.launcher.args = vec!["-e".to_owned(), "math.max = math.min".to_owned()];
    modes.ready.push(wrong);
    let scratch = modes::scratch().expect("scratch folder").join("planted");
    let regressions = scratch.join("kept");
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch).expect("scratch folder");
    let settings = Settings {
        programs: 1000,
        seed: 3,
        failures: 1,
        all: true,
        ignore_names: false,
        regressions: regressions.clone(),
    };
    let summary = check::run(&modes, &settings, &scratch).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(summary.failures.len(), 1, "{}", summary.failures.join("\n"));
    let kept: Vec<PathBuf> = std::fs::read_dir(&regressions)
        .expect("regressions folder")
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .collect();
    assert_eq!(kept.len(), 1);
    let source = std::fs::read_to_string(&kept[0]).expect("the kept program");
    assert!(source.contains("math.max"), "{source}");
    assert!(source.lines().count() <= 4, "hardly reduced:\n{source}");
}

/// Every program is valid, ends soon and most do real work: judged on the reference alone.
#[test]
fn generator_gives_valid_quick_programs() {
    let modes = modes::load(Suite::Programs).unwrap_or_else(|e| panic!("{e}"));
    let scratch = modes::scratch().expect("scratch folder");
    let count = 300;
    let sources =
        check::sample(number("VELA_DIFF_SEED", 7), count).unwrap_or_else(|e| panic!("{e}"));
    let texts: Vec<&str> = sources.iter().map(String::as_str).collect();
    let limit = Duration::from_millis(20) * u32::try_from(count).expect("a small count");
    let reports = batch::run(&modes.ready[0], &texts, &scratch, "valid", limit)
        .unwrap_or_else(|e| panic!("{e}"));
    for (report, source) in reports.iter().zip(&sources) {
        assert!(
            report.status == "ok" || report.status == "error",
            "{}: {}\n{source}",
            report.status,
            report.output
        );
    }
    let finished = reports.iter().filter(|r| r.status == "ok").count();
    assert!(
        finished * 10 >= count * 9,
        "only {finished} of {count} programs reach their end"
    );
}
