//! The `math` library.
//!
//! Functions give integers or floats exactly as PUC Lua 5.4 does; `random` is
//! its generator (xoshiro256**) with its seeding, so that a seeded program
//! draws the same numbers. What 5.3 called deprecated is there, as in the `lua` that
//! PUC's makefile builds (`LUA_COMPAT_MATHLIB`).

use crate::args::{arg_error, check_any, check_int, check_num, int_or_float, opt_int, opt_num};
use crate::register;
use std::f64::consts::PI;
use vela_objects::{Args, LuaResult, NativeFn, NativeResult, Ret, Value, VmState};

const FUNCTIONS: &[(&str, NativeFn)] = &[
    ("math.abs", abs),
    ("math.acos", acos),
    ("math.asin", asin),
    ("math.atan", atan),
    ("math.ceil", ceil),
    ("math.cos", cos),
    ("math.cosh", cosh),
    ("math.deg", deg),
    ("math.exp", exp),
    ("math.floor", floor),
    ("math.fmod", fmod),
    ("math.frexp", frexp),
    ("math.ldexp", ldexp),
    ("math.log", log),
    ("math.log10", log10),
    ("math.max", max),
    ("math.min", min),
    ("math.modf", modf),
    ("math.pow", pow),
    ("math.rad", rad),
    ("math.random", random),
    ("math.randomseed", randomseed),
    ("math.sin", sin),
    ("math.sinh", sinh),
    ("math.sqrt", sqrt),
    ("math.tan", tan),
    ("math.tanh", tanh),
    ("math.tointeger", tointeger),
    ("math.type", kind),
    ("math.ult", ult),
];

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    let t = register::library(vm, "math", FUNCTIONS);
    let atan = vm.str(b"atan");
    register::set_field(vm, t, "atan2", t.get_str(atan));
    register::set_field(vm, t, "pi", Value::float(PI));
    register::set_field(vm, t, "huge", Value::float(f64::INFINITY));
    register::set_field(vm, t, "maxinteger", Value::int(i64::MAX));
    register::set_field(vm, t, "mininteger", Value::int(i64::MIN));
}

#[inline]
fn float(f: f64) -> NativeResult {
    Ok(Ret::One(Value::float(f)))
}

fn abs(vm: &mut VmState, args: Args) -> NativeResult {
    match args.get(0).as_int() {
        Some(i) => Ok(Ret::One(Value::int(i.wrapping_abs()))),
        None => float(check_num(vm, args, 0)?.abs()),
    }
}

fn sin(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.sin())
}

fn cos(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.cos())
}

fn tan(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.tan())
}

fn cosh(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.cosh())
}

fn sinh(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.sinh())
}

fn tanh(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.tanh())
}

fn pow(vm: &mut VmState, args: Args) -> NativeResult {
    let x = check_num(vm, args, 0)?;
    let y = check_num(vm, args, 1)?;
    float(x.powf(y))
}

fn log10(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.log10())
}

fn frexp(vm: &mut VmState, args: Args) -> NativeResult {
    let (mantissa, exponent) = split(check_num(vm, args, 0)?);
    vm.push(Value::float(mantissa))?;
    vm.push(Value::int(exponent))?;
    Ok(Ret::Many(2))
}

fn ldexp(vm: &mut VmState, args: Args) -> NativeResult {
    let x = check_num(vm, args, 0)?;
    // C's function takes an `int`.
    let exponent = check_int(vm, args, 1)? as i32;
    float(scale(x, exponent))
}

/// Bits of a float's fraction.
const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;
/// What is added to an exponent where a float has it.
const BIAS: i32 = f64::MAX_EXP - 1;

/// C's `frexp`: a mantissa of at least 0.5 and below 1, and the exponent to 2. Zero,
/// infinities and NaN are their own mantissas.
fn split(x: f64) -> (f64, i64) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    if x.is_subnormal() {
        let (mantissa, exponent) = split(x * power_of_two(64));
        return (mantissa, exponent - 64);
    }
    let half = (BIAS as u64 - 1) << FRACTION;
    let exponent = x.to_bits() >> FRACTION & 0x7ff;
    let mantissa = x.to_bits() & !(0x7ff << FRACTION) | half;
    let mantissa = f64::from_bits(mantissa);
    (mantissa, exponent as i64 - i64::from(BIAS) + 1)
}

/// 2 to a power that a normal float can be.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + BIAS) as u64) << FRACTION)
}

/// C's `ldexp`: `x` times 2 to a power, rounded once.
fn scale(mut x: f64, mut exponent: i32) -> f64 {
    const MOST: i32 = f64::MAX_EXP - 1;
    const LEAST: i32 = f64::MIN_EXP - 1;
    // A step down by this leaves all digits of what does not end as zero: they are
    // rounded in the last step alone.
    const DOWN: i32 = LEAST + f64::MANTISSA_DIGITS as i32;
    for _ in 0..2 {
        let step = match exponent {
            ..LEAST => DOWN,
            LEAST..=MOST => break,
            _ => MOST,
        };
        x *= power_of_two(step);
        exponent -= step;
    }
    x * power_of_two(exponent.clamp(LEAST, MOST))
}

fn asin(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.asin())
}

fn acos(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.acos())
}

fn atan(vm: &mut VmState, args: Args) -> NativeResult {
    let y = check_num(vm, args, 0)?;
    let x = opt_num(vm, args, 1, 1.0)?;
    float(y.atan2(x))
}

fn exp(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.exp())
}

fn sqrt(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)?.sqrt())
}

fn deg(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)? * (180.0 / PI))
}

fn rad(vm: &mut VmState, args: Args) -> NativeResult {
    float(check_num(vm, args, 0)? * (PI / 180.0))
}

fn log(vm: &mut VmState, args: Args) -> NativeResult {
    let x = check_num(vm, args, 0)?;
    if args.get(1).is_nil() {
        return float(x.ln());
    }
    let base = check_num(vm, args, 1)?;
    float(if base == 2.0 {
        x.log2()
    } else if base == 10.0 {
        x.log10()
    } else {
        x.ln() / base.ln()
    })
}

fn floor(vm: &mut VmState, args: Args) -> NativeResult {
    let v = args.get(0);
    if v.as_int().is_some() {
        return Ok(Ret::One(v));
    }
    let f = check_num(vm, args, 0)?;
    Ok(Ret::One(int_or_float(f.floor())))
}

fn ceil(vm: &mut VmState, args: Args) -> NativeResult {
    let v = args.get(0);
    if v.as_int().is_some() {
        return Ok(Ret::One(v));
    }
    let f = check_num(vm, args, 0)?;
    Ok(Ret::One(int_or_float(f.ceil())))
}

fn fmod(vm: &mut VmState, args: Args) -> NativeResult {
    if let (Some(a), Some(b)) = (args.get(0).as_int(), args.get(1).as_int()) {
        if b == 0 {
            return Err(arg_error(vm, 1, "zero"));
        }
        return Ok(Ret::One(Value::int(a.wrapping_rem(b))));
    }
    // Of two wrong arguments PUC Lua reports the second.
    let b = check_num(vm, args, 1)?;
    let a = check_num(vm, args, 0)?;
    float(a % b)
}

fn modf(vm: &mut VmState, args: Args) -> NativeResult {
    let v = args.get(0);
    let (whole, fraction) = if v.as_int().is_some() {
        (v, 0.0)
    } else {
        let f = check_num(vm, args, 0)?;
        let whole = if f < 0.0 { f.ceil() } else { f.floor() };
        // Infinities have no fraction; the difference would be NaN.
        let fraction = if f == whole { 0.0 } else { f - whole };
        (int_or_float(whole), fraction)
    };
    vm.push(whole)?;
    vm.push(Value::float(fraction))?;
    Ok(Ret::Many(2))
}

fn tointeger(vm: &mut VmState, args: Args) -> NativeResult {
    let v = check_any(vm, args, 0)?;
    let n = vm.coerce_number(v).and_then(Value::to_int);
    Ok(Ret::One(n.map_or(Value::NIL, Value::int)))
}

fn kind(vm: &mut VmState, args: Args) -> NativeResult {
    let v = check_any(vm, args, 0)?;
    let name: &[u8] = if v.as_int().is_some() {
        b"integer"
    } else if v.as_float().is_some() {
        b"float"
    } else {
        return Ok(Ret::One(Value::NIL));
    };
    Ok(Ret::One(vm.str_value(name)))
}

fn ult(vm: &mut VmState, args: Args) -> NativeResult {
    let a = check_int(vm, args, 0)?;
    let b = check_int(vm, args, 1)?;
    Ok(Ret::One(Value::bool((a as u64) < b as u64)))
}

fn max(vm: &mut VmState, args: Args) -> NativeResult {
    extreme(vm, args, |vm, best, v| vm.less_than(best, v))
}

fn min(vm: &mut VmState, args: Args) -> NativeResult {
    extreme(vm, args, |vm, best, v| vm.less_than(v, best))
}

/// The argument that no later one `beats`. All candidates stay in their
/// argument slots while metamethods run.
#[inline]
fn extreme(
    vm: &mut VmState,
    args: Args,
    beats: impl Fn(&mut VmState, Value, Value) -> LuaResult<bool>,
) -> NativeResult {
    let mut best = check_any(vm, args, 0)?;
    for i in 1..args.len() {
        let v = args.get(i);
        if beats(vm, best, v)? {
            best = v;
        }
    }
    Ok(Ret::One(best))
}

/// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number
/// generators", 2018).
struct Random {
    s: [u64; 4],
}

impl Random {
    /// PUC Lua's seeding: two words, spread by discarding 16 numbers.
    fn seeded(a: u64, b: u64) -> Random {
        let mut r = Random { s: [a, 0xff, b, 0] };
        for _ in 0..16 {
            r.next();
        }
        r
    }

    /// Seeded by the clock and the address space layout; with the seeds.
    fn from_entropy() -> (Random, u64, u64) {
        use std::hash::{BuildHasher, Hasher, RandomState};
        let a = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| d.as_nanos() as u64);
        let b = RandomState::new().build_hasher().finish();
        (Random::seeded(a, b), a, b)
    }

    #[inline]
    fn next(&mut self) -> u64 {
        let s = &mut self.s;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number in `[0, n]` from the random bits `r`: masks to the bit length
    /// of `n` and draws again while above it, so there is no bias.
    fn project(&mut self, mut r: u64, n: u64) -> u64 {
        let mask = u64::MAX.checked_shr(n.leading_zeros()).unwrap_or(0);
        loop {
            r &= mask;
            if r <= n {
                return r;
            }
            r = self.next();
        }
    }
}

fn generator(vm: &mut VmState) -> &mut Random {
    vm.host_state_or(|| Random::from_entropy().0)
}

/// What `random` is asked for.
enum Wanted {
    /// A float in `[0, 1)`.
    Float,
    /// Any integer.
    Bits,
    /// An integer between these.
    Between(i64, i64),
}

fn wanted(vm: &mut VmState, args: Args) -> LuaResult<Wanted> {
    let (low, high) = match args.len() {
        0 => return Ok(Wanted::Float),
        1 => match check_int(vm, args, 0)? {
            0 => return Ok(Wanted::Bits),
            high => (1, high),
        },
        2 => (check_int(vm, args, 0)?, check_int(vm, args, 1)?),
        _ => return Err(vm.error("wrong number of arguments")),
    };
    if low <= high {
        Ok(Wanted::Between(low, high))
    } else {
        Err(arg_error(vm, 0, "interval is empty"))
    }
}

fn random(vm: &mut VmState, args: Args) -> NativeResult {
    let wanted = wanted(vm, args);
    // Drawn whatever was asked for, as PUC Lua does.
    let g = generator(vm);
    let bits = g.next();
    Ok(Ret::One(match wanted? {
        // The 53 high bits, scaled.
        Wanted::Float => Value::float((bits >> 11) as f64 * (0.5 / (1u64 << 52) as f64)),
        Wanted::Bits => Value::int(bits as i64),
        Wanted::Between(low, high) => {
            let r = g.project(bits, (high as u64).wrapping_sub(low as u64));
            Value::int((low as u64).wrapping_add(r) as i64)
        }
    }))
}

fn randomseed(vm: &mut VmState, args: Args) -> NativeResult {
    let (r, a, b) = if args.is_empty() {
        Random::from_entropy()
    } else {
        let a = check_int(vm, args, 0)? as u64;
        let b = opt_int(vm, args, 1, 0)? as u64;
        (Random::seeded(a, b), a, b)
    };
    *generator(vm) = r;
    vm.push(Value::int(a as i64))?;
    vm.push(Value::int(b as i64))?;
    Ok(Ret::Many(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_split_and_scaled() {
        let tiny = f64::from_bits(1);
        for x in [
            1.0,
            -0.75,
            3.0,
            1e300,
            -1e-300,
            f64::MIN_POSITIVE,
            tiny,
            5e-320,
        ] {
            let (mantissa, exponent) = split(x);
            assert!((0.5..1.0).contains(&mantissa.abs()), "{x}");
            assert_eq!(scale(mantissa, exponent as i32), x);
        }
        for x in [0.0, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(split(x), (x, 0));
            assert_eq!(scale(x, 70), x);
        }
        assert_eq!(scale(1.0, 1024), f64::INFINITY);
        assert_eq!(scale(1.0, i32::MAX), f64::INFINITY);
        assert_eq!((scale(1.0, -1074), scale(1.0, -1075)), (tiny, 0.0));
        assert_eq!(scale(1.0, i32::MIN), 0.0);
        // Two steps from end to end.
        assert_eq!(scale(tiny, 2097), power_of_two(1023));
        // Three quarters of the smallest float round up, once.
        assert_eq!(scale(1.5, -1075), tiny);
        let above = f64::from_bits(0x3ff8_0000_0000_0001);
        assert_eq!(scale(above, -1074), 2.0 * tiny);
        assert_eq!(scale(scale(above, -60), -1014), 2.0 * tiny);
    }

    #[test]
    fn generator_draws_puc_numbers() {
        // math.randomseed(42); math.random(0) four times in PUC Lua 5.4.
        let mut r = Random::seeded(42, 0);
        let drawn: Vec<i64> = (0..4).map(|_| r.next() as i64).collect();
        assert_eq!(
            drawn,
            [
                -1276290044721465627,
                8333941968102511665,
                -8358531260401861301,
                -3807604385970496171
            ]
        );
    }

    #[test]
    fn projection_stays_in_range() {
        let mut r = Random::seeded(1, 2);
        for n in [0, 1, 2, 6, 7, 8, 1000, u64::MAX - 1, u64::MAX] {
            for _ in 0..100 {
                let bits = r.next();
                assert!(r.project(bits, n) <= n);
            }
        }
    }
}
