//! `table.sort`.
//!
//! The quicksort visits elements in the order in which PUC Lua's does, so that
//! programs see the same comparisons and the same order of equal elements.
//! Arrays of one kind without a comparison function, whose equal elements
//! cannot be told apart, are sorted by the standard library instead.

use crate::args::{arg_error, check_function};
use crate::table::{Needs, check_tablelike, length, plain};
use vela_objects::{Args, LuaResult, NativeResult, Ret, Value, VmState};

/// Intervals up to this size always take their middle element as the pivot.
const RANDOM_PIVOT_FROM: usize = 100;
/// Mixed into the choice of pivots after an unbalanced partition.
const PIVOT_SALT: usize = 0x9e37_79b9;

/// `table.sort(list [, comp])`
///
/// # Errors
/// `invalid order function for sorting`, `array too big`, or what comparing
/// raises; the list then holds its elements in some order.
pub fn sort(vm: &mut VmState, args: Args) -> NativeResult {
    let needs = Needs::READ.and(Needs::WRITE).and(Needs::LEN);
    let list = check_tablelike(vm, args, 0, needs)?;
    let n = length(vm, list)?;
    if n <= 1 {
        return Ok(Ret::None);
    }
    if n >= i64::from(i32::MAX) {
        return Err(arg_error(vm, 0, "array too big"));
    }
    let comparator = if args.get(1).is_nil() {
        Value::NIL
    } else {
        check_function(vm, args, 1)?
    };
    let raw = plain(args, 0);
    // The copy that keeps the elements alive while Lua code runs: it may
    // clear the list itself.
    // Two lists, of 9 and 16 bytes an element.
    vm.make_room(25 * n as usize)?;
    let keeper = vm.table(0, n as usize);
    vm.push(Value::table(keeper))?;
    let mut items = Vec::with_capacity(n as usize);
    for i in 1..=n {
        let v = match raw {
            Some(t) => t.get_int(i),
            None => {
                let v = vm.index(list, Value::int(i))?;
                keeper.set_int(vm, i, v);
                v
            }
        };
        items.push(v);
    }
    let outcome = if comparator.is_nil() {
        if sort_uniform(&mut items) {
            Ok(())
        } else {
            keeper.set_list(vm, 1, &items);
            quicksort(vm, &mut items, &|vm, a, b| vm.less_than(a, b))
        }
    } else {
        keeper.set_list(vm, 1, &items);
        quicksort(vm, &mut items, &|vm, a, b| {
            let [r] = vm.call(comparator, &[a, b])?;
            Ok(r.truthy())
        })
    };
    match plain(args, 0) {
        Some(t) => {
            for (i, &v) in items.iter().enumerate() {
                t.set_int(vm, i as i64 + 1, v);
            }
        }
        None if outcome.is_ok() => {
            for (i, &v) in items.iter().enumerate() {
                vm.set_index(list, Value::int(i as i64 + 1), v)?;
            }
        }
        // An error in flight must not run more metamethods.
        None => {}
    }
    outcome.map(|()| Ret::None)
}

/// Sorts elements that are all integers, all strings, or all floats that
/// order totally; `false`, with nothing changed, if they are not.
fn sort_uniform(items: &mut [Value]) -> bool {
    if items.iter().all(|v| v.as_int().is_some()) {
        items.sort_unstable_by_key(|v| v.payload as i64);
    } else if items.iter().all(|v| v.as_str().is_some()) {
        items.sort_unstable_by(|a, b| {
            let bytes = |v: &Value| v.as_str().map(vela_objects::Gc::bytes);
            bytes(a).cmp(&bytes(b))
        });
    } else if items.iter().all(|v| {
        v.as_float()
            .is_some_and(|f| !f.is_nan() && (f != 0.0 || f.is_sign_positive()))
    }) {
        items.sort_unstable_by(|a, b| {
            f64::from_bits(a.payload).total_cmp(&f64::from_bits(b.payload))
        });
    } else {
        return false;
    }
    true
}

type Less<'a> = &'a dyn Fn(&mut VmState, Value, Value) -> LuaResult<bool>;

fn quicksort(vm: &mut VmState, items: &mut [Value], less: Less) -> LuaResult<()> {
    sort_range(vm, items, less, 0, items.len() - 1, 0)
}

/// Sorts `a[lo..=hi]`: Sedgewick's quicksort with the median of three as the
/// pivot. Recurs into the smaller part only, so the depth is logarithmic.
fn sort_range(
    vm: &mut VmState,
    a: &mut [Value],
    less: Less,
    mut lo: usize,
    mut hi: usize,
    mut salt: usize,
) -> LuaResult<()> {
    while lo < hi {
        if less(vm, a[hi], a[lo])? {
            a.swap(lo, hi);
        }
        if hi - lo == 1 {
            break;
        }
        // Indices count from 0 here and from 1 in Lua, where the middle is
        // the floor of the half sum.
        let mid = if hi - lo < RANDOM_PIVOT_FROM || salt == 0 {
            (lo + hi + 2) / 2 - 1
        } else {
            let quarter = (hi - lo) / 4;
            salt % (quarter * 2) + lo + quarter
        };
        if less(vm, a[mid], a[lo])? {
            a.swap(mid, lo);
        } else if less(vm, a[hi], a[mid])? {
            a.swap(mid, hi);
        }
        if hi - lo == 2 {
            break;
        }
        let pivot = a[mid];
        a.swap(mid, hi - 1);
        let at = partition(vm, a, less, lo, hi, pivot)?;
        let small;
        if at - lo < hi - at {
            if at > lo {
                sort_range(vm, a, less, lo, at - 1, salt)?;
            }
            small = at - lo;
            lo = at + 1;
        } else {
            sort_range(vm, a, less, at + 1, hi, salt)?;
            small = hi - at;
            if at == 0 {
                break;
            }
            hi = at - 1;
        }
        if hi.saturating_sub(lo) / 128 > small {
            salt = PIVOT_SALT;
        }
    }
    Ok(())
}

/// Splits `a[lo..=hi]` around the pivot, which is in `a[hi - 1]`, and returns
/// where it ends up. `a[lo]` and `a[hi]` bound the scans if the order is
/// consistent.
fn partition(
    vm: &mut VmState,
    a: &mut [Value],
    less: Less,
    lo: usize,
    hi: usize,
    pivot: Value,
) -> LuaResult<usize> {
    let (mut i, mut j) = (lo, hi - 1);
    loop {
        i += 1;
        while less(vm, a[i], pivot)? {
            if i == hi - 1 {
                return Err(vm.error("invalid order function for sorting"));
            }
            i += 1;
        }
        j -= 1;
        while less(vm, pivot, a[j])? {
            if j < i {
                return Err(vm.error("invalid order function for sorting"));
            }
            j -= 1;
        }
        if j < i {
            a.swap(hi - 1, i);
            return Ok(i);
        }
        a.swap(i, j);
    }
}
