//! Prints the table of deoptimization reasons: the crate used alone.

use vela_deopt::DeoptReason;

fn main() {
    for reason in DeoptReason::ALL {
        println!("{:3}  {}", reason.bit(), reason.name());
    }
}
