//! Register bytecode of the Vela Lua 5.4 virtual machine.
//!
//! This crate is the contract between the front end, the interpreter and the
//! optimizing tier. It holds plain data only: no heap values, no `unsafe`.
//!
//! - [`op`]: the opcodes, their operands and what each one does
//! - [`instr`]: the 64-bit instruction encoding
//! - [`proto`]: function prototypes, constants, debug information
//! - [`flow`], [`liveness`]: successors, register effects, live registers
//! - [`mod@verify`]: rejects malformed prototypes
//! - [`asm`], [`disasm`]: text form; [`binary`]: binary form
//! - [`names`]: what a register is called in an error message
//!
//! Instructions index registers of a *window* on the VM stack. A call at
//! register `a` places the callee's frame record over `R[a]` and `R[a+1]`
//! and finds the arguments from `R[a+2]`, which are the callee's first
//! registers; results land from `R[a]`.
#![forbid(unsafe_code)]

pub mod asm;
pub mod binary;
pub mod disasm;
pub mod flow;
pub mod instr;
pub mod liveness;
pub mod names;
pub mod op;
pub mod proto;
pub mod verify;

pub use instr::Instr;
pub use liveness::{Liveness, RegSet};
pub use op::{Op, OperandFormat};
pub use proto::{Constant, LineTable, LocalVar, Proto, UpvalDesc, UpvalSource};
pub use verify::{VerifyError, VerifyErrorKind, verify};

/// Registers that a frame record occupies at a call: `R[a]` holds the callee
/// and `R[a+1]` the link words; the first argument is `R[a + FRAME_SLOTS]`.
pub const FRAME_SLOTS: usize = 2;

/// Feedback slot index that means "this site keeps no feedback".
pub const NO_FEEDBACK: u16 = u16::MAX;

/// Most registers a function may use (as PUC Lua's `MAXREGS`).
pub const MAX_REGISTERS: usize = 255;

/// An operand in a register-or-constant position: values below this are
/// registers, others constant indices offset by it.
pub const RK_CONST_BASE: u16 = 256;
