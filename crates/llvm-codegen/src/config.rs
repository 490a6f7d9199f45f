//! `llvm-config.toml` as the program sees it.
//!
//! The build script validates the file and copies it next to the build's output;
//! this module embeds that copy.

mod schema;

use std::sync::LazyLock;

pub use schema::{
    Arch, CodeModel, CodegenLevel, ConfigError, LEVELS, LevelConfig, LinkMode, LlvmConfig,
    Relocation, Series,
};

/// Text of the `llvm-config.toml` that this program was built with.
pub const TEXT: &str = include_str!(concat!(env!("OUT_DIR"), "/llvm-config.toml"));

static BUILT_IN: LazyLock<LlvmConfig> = LazyLock::new(|| {
    LlvmConfig::parse(TEXT).expect("the build script accepted this text with the same parser")
});

impl LlvmConfig {
    /// The configuration that this program was built with.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_configuration_is_the_one_of_the_linked_llvm() {
        let config = LlvmConfig::built_in();
        let (major, minor, _) = inkwell::support::get_llvm_version();
        assert_eq!((config.version.major, config.version.minor), (major, minor));
        assert!(config.targets.contains(&Arch::host().unwrap()));
    }

    #[test]
    fn vector_pipeline_is_for_functions_with_marked_loops() {
        let level = &LlvmConfig::built_in().levels[2];
        assert!(!level.pipeline_for(false).contains("loop-vectorize"));
        assert!(
            level
                .pipeline_for(true)
                .contains("loop-vectorize<vectorize-forced-only>")
        );
        let quick = &LlvmConfig::built_in().levels[1];
        assert_eq!(quick.pipeline_for(true), quick.pipeline_for(false));
    }

    #[test]
    fn fast_selection_starts_at_the_guard_count() {
        let mut level = LlvmConfig::built_in().levels[2].clone();
        level.fast_isel_guards = Some(100);
        assert!(!level.fast_isel(99));
        assert!(level.fast_isel(100));
        level.fast_isel_guards = None;
        assert!(!level.fast_isel(u32::MAX));
    }

    fn edited(from: &str, to: &str) -> Result<LlvmConfig, ConfigError> {
        assert!(TEXT.contains(from), "{from} is not in the file");
        LlvmConfig::parse(&TEXT.replacen(from, to, 1))
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(
            edited("[\"x86_64\", \"aarch64\"]", "[\"x86_64\", \"x86_64\"]"),
            Err(ConfigError::Targets)
        );
        assert_eq!(
            edited("[\"x86_64\", \"aarch64\"]", "[]"),
            Err(ConfigError::Targets)
        );
        assert_eq!(
            edited("name = \"quick\"", "name = \"minimal\""),
            Err(ConfigError::LevelName { level: 1 })
        );
        assert!(matches!(
            edited("function(early-cse)", "function(early-cse"),
            Err(ConfigError::Pipeline { level: 0, .. })
        ));
        for (from, to, word) in [
            ("version = \"22.1\"", "version = \"22\"", "not of the form"),
            ("link = \"static\"", "link = \"maybe\"", "maybe"),
            ("link = \"static\"", "links = \"static\"", "links"),
            ("codegen = \"less\"", "codegen = 1", "codegen"),
        ] {
            let Err(ConfigError::Syntax { message }) = edited(from, to) else {
                panic!("{to} was accepted");
            };
            assert!(message.contains(word), "{message}");
        }
        let levels = TEXT.rfind("[[levels]]").unwrap();
        let Err(ConfigError::Syntax { message }) = LlvmConfig::parse(&TEXT[..levels]) else {
            panic!("three levels were accepted");
        };
        assert!(message.contains("found 3"), "{message}");
    }
}
