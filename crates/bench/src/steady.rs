//! The steady-state programs: many rounds in one process, timed once they are warm.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::engine::{Engine, Kind};
use crate::program::Program;
use crate::rounds::{Rounds, run_rounds};
use crate::runner::{Failure, first_difference};
use crate::stats::geometric_mean;

/// Folders and lengths of the runs.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Folder of the Lua programs, with `lib/run.lua`.
    pub lua: &'a Path,
    /// Folder of the JavaScript twins, with `lib/run.js`.
    pub js: &'a Path,
    /// Processor time per run, in seconds.
    pub seconds: f64,
    /// Least number of rounds.
    pub rounds: u32,
    /// Small sizes.
    pub quick: bool,
    /// Longest time for one run.
    pub timeout: Duration,
}

/// What each engine made of a program or kernel.
#[derive(Debug, Clone)]
pub struct Row {
    /// The program.
    pub program: Program,
    /// Its rounds or why there are none; engines that do not take part are absent.
    pub outcomes: BTreeMap<Kind, Result<Rounds, Failure>>,
}

impl Row {
    /// The rounds of an engine that took part and did not fail.
    #[must_use]
    pub fn rounds(&self, kind: Kind) -> Option<&Rounds> {
        self.outcomes.get(&kind)?.as_ref().ok()
    }

    /// Steady-state time of a round under `kind` as a multiple of that under `base`.
    #[must_use]
    pub fn ratio(&self, kind: Kind, base: Kind) -> Option<f64> {
        let (time, base) = (self.rounds(kind)?.steady()?, self.rounds(base)?.steady()?);
        (base > 0.0 && time > 0.0).then_some(time / base)
    }

    /// Text of a cell without a number: why there is none.
    #[must_use]
    pub fn missing(&self, kind: Kind) -> String {
        match self.outcomes.get(&kind) {
            Some(Err(f)) => f.word().to_owned(),
            _ => "-".to_owned(),
        }
    }

    /// A cell with a ratio, or why there is none.
    #[must_use]
    pub fn ratio_cell(&self, kind: Kind, base: Kind) -> String {
        self.ratio(kind, base)
            .map_or_else(|| self.missing(kind), |r| format!("{r:.3}"))
    }

    /// Replaces outcomes whose result differs from that of the first engine in `order` by
    /// failures.
    pub fn compare_results(&mut self, order: &[Kind]) {
        let Some(expected) = order
            .iter()
            .find_map(|k| self.rounds(*k))
            .map(|r| r.result.clone())
        else {
            return;
        };
        for outcome in self.outcomes.values_mut() {
            if let Ok(r) = outcome
                && r.result != expected
            {
                let difference = first_difference(expected.as_bytes(), r.result.as_bytes());
                *outcome = Err(Failure::Mismatch(difference));
            }
        }
    }
}

/// All failures, one line each; empty when there were none.
#[must_use]
pub fn failures(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .flat_map(|row| {
            row.outcomes.iter().filter_map(|(kind, o)| {
                o.as_ref()
                    .err()
                    .map(|f| format!("{} under {kind}: {f}", row.program.name))
            })
        })
        .collect()
}

/// Runs one program under all engines, once each, and compares the results. Node.js takes
/// part where a twin exists. `observe` hears of every run, for progress.
pub fn run_program(
    program: Program,
    engines: &[Engine],
    setup: Setup<'_>,
    mut observe: impl FnMut(Kind),
) -> Row {
    let mut outcomes = BTreeMap::new();
    for engine in engines {
        let twin = setup.js.join(format!("{}.js", program.name));
        let script = match engine.kind {
            Kind::C => continue,
            Kind::Node if !twin.exists() => continue,
            Kind::LuaJit if program.needs_lua54 => continue,
            Kind::Node => setup.js.join("lib/run.js"),
            _ => setup.lua.join("lib/run.lua"),
        };
        observe(engine.kind);
        let mut command = engine.command(&script, Some(&program.name));
        command
            .arg(program.size(setup.quick).unwrap_or(&program.quick))
            .arg(setup.seconds.to_string())
            .arg(setup.rounds.to_string());
        outcomes.insert(engine.kind, run_rounds(command, setup.timeout));
    }
    let mut row = Row { program, outcomes };
    row.compare_results(&Kind::ALL);
    row
}

/// Ratios in the table, each a kind and its base.
const RATIOS: [(Kind, Kind); 5] = [
    (Kind::VelaOn, Kind::Lua54),
    (Kind::LuaJit, Kind::Lua54),
    (Kind::Node, Kind::Lua54),
    (Kind::VelaOn, Kind::LuaJit),
    (Kind::VelaOn, Kind::Node),
];

/// The table of ratios of steady-state times; the last line holds geometric means.
#[must_use]
pub fn ratio_cells(rows: &[Row]) -> Vec<Vec<String>> {
    let mut table = vec![vec!["program".to_owned()]];
    table[0].extend(RATIOS.iter().map(|(k, base)| format!("{k} / {base}")));
    for row in rows {
        let mut line = vec![row.program.name.clone()];
        line.extend(RATIOS.iter().map(|(k, base)| row.ratio_cell(*k, *base)));
        table.push(line);
    }
    let mut mean = vec!["geometric mean".to_owned()];
    mean.extend(RATIOS.iter().map(|(k, base)| {
        let ratios: Vec<f64> = rows.iter().filter_map(|r| r.ratio(*k, *base)).collect();
        geometric_mean(&ratios).map_or("-".to_owned(), |m| format!("{m:.3} (of {})", ratios.len()))
    }));
    table.push(mean);
    table
}

/// The table of times: a steady round in milliseconds and the time to peak per engine,
/// what Vela may take for it (300 ms and twice the compile time), and the compile time.
#[must_use]
pub fn time_cells(rows: &[Row], engines: &[Engine]) -> Vec<Vec<String>> {
    let mut table = vec![vec!["program".to_owned()]];
    table[0].extend(engines.iter().map(|e| format!("{} ms", e.kind)));
    let warm: Vec<Kind> = engines
        .iter()
        .map(|e| e.kind)
        .filter(|k| !matches!(k, Kind::Lua54 | Kind::VelaOff))
        .collect();
    table[0].extend(warm.iter().map(|k| format!("{k} to peak ms")));
    let vela = warm.contains(&Kind::VelaOn);
    if vela {
        table[0].extend(["allowed ms", "compile ms"].map(str::to_owned));
    }
    for row in rows {
        let mut line = vec![row.program.name.clone()];
        line.extend(engines.iter().map(|e| {
            row.rounds(e.kind)
                .and_then(Rounds::steady)
                .map_or_else(|| row.missing(e.kind), |s| format!("{:.3}", s * 1e3))
        }));
        line.extend(warm.iter().map(|k| {
            row.rounds(*k)
                .and_then(Rounds::time_to_peak)
                .map_or_else(|| row.missing(*k), |s| format!("{:.0}", s * 1e3))
        }));
        if vela {
            let compile = row
                .rounds(Kind::VelaOn)
                .and_then(|r| r.jit)
                .and_then(|j| j.compile_ms);
            let show = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms:.0}"));
            line.push(show(compile.map(|ms| 2.0f64.mul_add(ms, 300.0))));
            line.push(show(compile));
        }
        table.push(line);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::Round;

    fn done(seconds: f64, result: &str) -> Result<Rounds, Failure> {
        Ok(Rounds {
            rounds: vec![
                Round {
                    cpu: seconds,
                    wall: seconds
                };
                4
            ],
            result: result.to_owned(),
            ..Rounds::default()
        })
    }

    fn row(outcomes: Vec<(Kind, Result<Rounds, Failure>)>) -> Row {
        let program =
            Program::parse("p", Path::new("p.lua"), "-- p: a test.\n-- quick: 1\n").unwrap();
        Row {
            program,
            outcomes: outcomes.into_iter().collect(),
        }
    }

    #[test]
    fn ratios_and_means_skip_what_failed() {
        let rows = [
            row(vec![
                (Kind::Lua54, done(2.0, "1")),
                (Kind::VelaOn, done(0.5, "1")),
                (Kind::LuaJit, Err(Failure::Timeout(1))),
            ]),
            row(vec![(Kind::Lua54, done(2.0, "1"))]),
        ];
        let table = ratio_cells(&rows);
        assert_eq!(table[1], ["p", "0.250", "timeout", "-", "-", "-"]);
        assert_eq!(table[3][1], "0.250 (of 1)");
        assert_eq!(failures(&rows), ["p under luajit: no end after 1 s"]);
    }

    #[test]
    fn a_different_result_is_a_failure() {
        let mut r = row(vec![
            (Kind::Lua54, done(2.0, "1")),
            (Kind::VelaOn, done(0.5, "2")),
            (Kind::Node, done(0.5, "1")),
        ]);
        r.compare_results(&Kind::ALL);
        assert!(matches!(
            &r.outcomes[&Kind::VelaOn],
            Err(Failure::Mismatch(_))
        ));
        assert!(r.rounds(Kind::Node).is_some());
    }
}
