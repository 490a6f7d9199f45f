//! The counters that `vela --jit-stats=json` prints to standard error at exit.

use serde_json::{Deserializer, Value};

/// What the JIT did during one run. A field that Vela did not print is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct JitStats {
    /// Functions that were compiled.
    pub functions_compiled: Option<u64>,
    /// Side exits that were taken.
    pub deopts: Option<u64>,
    /// Time spent compiling, on all threads, in milliseconds.
    pub compile_ms: Option<f64>,
    /// Machine code installed, in bytes.
    pub code_bytes: Option<u64>,
    /// Entries into loops in the middle of a running function.
    pub osr_entries: Option<u64>,
}

impl JitStats {
    /// Finds the last JSON object in `stderr` that has a `functions_compiled` field and
    /// starts at the beginning of a line; other text around it is skipped.
    #[must_use]
    pub fn parse(stderr: &str) -> Option<Self> {
        let mut starts: Vec<usize> = stderr.match_indices("\n{").map(|(i, _)| i + 1).collect();
        if stderr.starts_with('{') {
            starts.insert(0, 0);
        }
        starts.into_iter().rev().find_map(|start| {
            let value = Deserializer::from_str(&stderr[start..])
                .into_iter::<Value>()
                .next()?
                .ok()?;
            value.get("functions_compiled")?;
            let whole = |name: &str| value.get(name).and_then(Value::as_u64);
            Some(Self {
                functions_compiled: whole("functions_compiled"),
                deopts: whole("deopts"),
                compile_ms: value.get("compile_ms").and_then(Value::as_f64),
                code_bytes: whole("code_bytes"),
                osr_entries: whole("osr_entries"),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_object_among_other_lines() {
        let text = "a warning\n{\"x\":1}\n{\"functions_compiled\":3,\"deopts\":0,\n \"compile_ms\":1.5,\"code_bytes\":4096,\"osr_entries\":2}\nbye\n";
        assert_eq!(
            JitStats::parse(text),
            Some(JitStats {
                functions_compiled: Some(3),
                deopts: Some(0),
                compile_ms: Some(1.5),
                code_bytes: Some(4096),
                osr_entries: Some(2),
            })
        );
    }

    #[test]
    fn missing_fields_stay_unknown() {
        let s = JitStats::parse("{\"functions_compiled\":1,\"more\":[1]}").unwrap();
        assert_eq!(s.functions_compiled, Some(1));
        assert_eq!(s.deopts, None);
    }

    #[test]
    fn no_object_no_statistics() {
        assert_eq!(JitStats::parse(""), None);
        assert_eq!(JitStats::parse("{not json}\n"), None);
        assert_eq!(JitStats::parse("{\"deopts\":1}\n"), None);
    }
}
