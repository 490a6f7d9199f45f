//! The typed form of `llvm-config.toml`, shared with the build script.
//!
//! This file may use nothing but `serde`, `toml` and `thiserror`: the build script
//! includes it, so that a file the build accepted cannot be refused at run time.

use serde::Deserialize;

/// How LLVM is linked into the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkMode {
    /// Against the shared library.
    Dynamic,
    /// Against the static archives.
    Static,
}

/// An architecture that code can be generated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit Arm.
    Aarch64,
}

impl Arch {
    /// The architecture this program runs on; `None` when it is not one that
    /// code can be generated for.
    #[must_use]
    pub const fn host() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else {
            None
        }
    }
}

/// The distance that generated code may assume to what it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeModel {
    /// Within 2 GB.
    Small,
    /// Any distance: addresses are moved as 64-bit constants.
    Large,
}

/// Whether generated code may be placed anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relocation {
    /// Position independent.
    Pic,
    /// Linked to fixed addresses.
    Static,
}

/// LLVM's own effort in instruction selection, scheduling and register allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodegenLevel {
    /// Fast selection and the fast register allocator.
    None,
    /// The full selector and the greedy allocator, few machine passes.
    Less,
    /// What `-O2` does.
    Default,
    /// What `-O3` does.
    Aggressive,
}

/// A release series, such as 22.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// First number of the version.
    pub major: u32,
    /// Second number of the version.
    pub minor: u32,
}

impl std::fmt::Display for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl std::str::FromStr for Series {
    type Err = ConfigError;

    /// Reads `major.minor`.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let bad = || ConfigError::Version {
            text: text.to_owned(),
        };
        let (major, minor) = text.split_once('.').ok_or_else(bad)?;
        Ok(Self {
            major: major.parse().map_err(|_| bad())?,
            minor: minor.parse().map_err(|_| bad())?,
        })
    }
}

impl<'de> Deserialize<'de> for Series {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What LLVM does at one optimization level.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelConfig {
    /// One word for logs.
    pub name: String,
    /// Pass pipeline in LLVM's textual form; empty for none.
    pub pipeline: String,
    /// Pipeline for functions with a loop marked for vectorization.
    pub vector_pipeline: Option<String>,
    /// Effort of code generation.
    pub codegen: CodegenLevel,
    /// Fast instruction selection from this many guards on; `None` never.
    pub fast_isel_guards: Option<u32>,
}

impl LevelConfig {
    /// The pipeline for a function; `marked_loops` says whether it has a loop that
    /// carries `llvm.loop.vectorize.enable`.
    #[must_use]
    pub fn pipeline_for(&self, marked_loops: bool) -> &str {
        match &self.vector_pipeline {
            Some(vector) if marked_loops => vector,
            _ => &self.pipeline,
        }
    }

    /// Whether marked loops are vectorized at this level.
    #[must_use]
    pub fn vectorizes(&self) -> bool {
        self.vector_pipeline.is_some()
    }

    /// Whether a function with `guards` guards is selected with FastISel.
    #[must_use]
    pub fn fast_isel(&self, guards: u32) -> bool {
        self.fast_isel_guards.is_some_and(|from| guards >= from)
    }
}

/// Number of optimization levels.
pub const LEVELS: usize = 4;

/// The whole of `llvm-config.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlvmConfig {
    /// The LLVM release series.
    pub version: Series,
    /// The system packages that have it, separated by spaces.
    pub package: String,
    /// How it is linked.
    pub link: LinkMode,
    /// Architectures that code is generated for.
    pub targets: Vec<Arch>,
    /// Code model of generated code.
    pub code_model: CodeModel,
    /// Relocation model of generated code.
    pub relocation: Relocation,
    /// Options of LLVM's command-line tools.
    #[serde(default)]
    pub codegen_options: Vec<String>,
    /// The optimization levels 0 to 3.
    #[serde(deserialize_with = "four_levels")]
    pub levels: [LevelConfig; LEVELS],
}

fn four_levels<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<[LevelConfig; LEVELS], D::Error> {
    let levels = Vec::<LevelConfig>::deserialize(from)?;
    <[LevelConfig; LEVELS]>::try_from(levels).map_err(|levels| {
        serde::de::Error::custom(format!(
            "expected {LEVELS} [[levels]] tables, one per optimization level, found {}",
            levels.len()
        ))
    })
}

/// Why `llvm-config.toml` was refused. All of these are for whoever edited the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, or a key is missing, unknown or of the wrong type.
    #[error("llvm-config.toml: {message}")]
    Syntax {
        /// The parser's message, with the place.
        message: String,
    },
    /// The version is not of the form `major.minor`.
    #[error("llvm-config.toml: version {text:?} is not of the form \"22.1\"")]
    Version {
        /// What the file says.
        text: String,
    },
    /// The list of targets is empty or names one twice.
    #[error("llvm-config.toml: targets must name at least one architecture, each once")]
    Targets,
    /// A level's name is empty or used twice.
    #[error("llvm-config.toml: level {level} needs a name of its own")]
    LevelName {
        /// The level.
        level: usize,
    },
    /// A pipeline's parentheses or angle brackets do not match.
    #[error("llvm-config.toml: level {level}: unbalanced brackets in pipeline {pipeline:?}")]
    Pipeline {
        /// The level.
        level: usize,
        /// The pipeline.
        pipeline: String,
    },
}

impl LlvmConfig {
    /// Reads and validates the text of a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`] names what is wrong. Pass names are not checked here, since
    /// that takes LLVM; a test runs every pipeline.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| ConfigError::Syntax {
            message: e.to_string(),
        })?;
        let repeated = |i: usize| config.targets[..i].contains(&config.targets[i]);
        if config.targets.is_empty() || (0..config.targets.len()).any(repeated) {
            return Err(ConfigError::Targets);
        }
        for (level, this) in config.levels.iter().enumerate() {
            let named_before = config.levels[..level]
                .iter()
                .any(|other| other.name == this.name);
            if this.name.is_empty() || named_before {
                return Err(ConfigError::LevelName { level });
            }
            for pipeline in std::iter::once(&this.pipeline).chain(&this.vector_pipeline) {
                if !balanced(pipeline) {
                    return Err(ConfigError::Pipeline {
                        level,
                        pipeline: pipeline.clone(),
                    });
                }
            }
        }
        Ok(config)
    }
}

fn balanced(pipeline: &str) -> bool {
    let mut open = Vec::new();
    for c in pipeline.chars() {
        match c {
            '(' => open.push(')'),
            '<' => open.push('>'),
            ')' | '>' if open.pop() != Some(c) => return false,
            _ => {}
        }
    }
    open.is_empty()
}
