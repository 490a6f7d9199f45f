//! The convention of compiled functions, at every optimization level.

mod orc_support;

use orc_support::{compile, jit, machine};
use vela_llvm_codegen::abi::EntryThunk;
use vela_llvm_codegen::orc::ObjectCode;

/// fib over the first argument; counts its calls in the VM and returns `desc` as tag.
const FIB: &str = "
    define swiftcc {i64, i64} @fib(ptr swiftself %vm, ptr %fp, ptr %closure, i64 %desc,
                                   i64 %p0, i64 %p1, i64 %p2) nounwind {
    entry:
      %count = load i64, ptr %vm
      %count1 = add i64 %count, 1
      store i64 %count1, ptr %vm
      %small = icmp slt i64 %p0, 2
      br i1 %small, label %base, label %recurse
    base:
      %b0 = insertvalue {i64, i64} poison, i64 %p0, 0
      %b1 = insertvalue {i64, i64} %b0, i64 %desc, 1
      ret {i64, i64} %b1
    recurse:
      %n1 = sub i64 %p0, 1
      %r1 = call swiftcc {i64, i64} @fib(ptr swiftself %vm, ptr %fp, ptr %closure, i64 %desc,
                                         i64 %n1, i64 %p1, i64 %p2)
      %v1 = extractvalue {i64, i64} %r1, 0
      %n2 = sub i64 %p0, 2
      %r2 = call swiftcc {i64, i64} @fib(ptr swiftself %vm, ptr %fp, ptr %closure, i64 %desc,
                                         i64 %n2, i64 %p1, i64 %p2)
      %v2 = extractvalue {i64, i64} %r2, 0
      %v = add i64 %v1, %v2
      %a0 = insertvalue {i64, i64} poison, i64 %v, 0
      %a1 = insertvalue {i64, i64} %a0, i64 %desc, 1
      ret {i64, i64} %a1
    }";

/// Sums p0 + (p0-1) + ... into p1 by tail calls, alternating between two functions
/// through pointers in the closure, so that nothing turns it into a loop.
const TAIL: &str = "
    define swiftcc {i64, i64} @tail(ptr swiftself %vm, ptr %fp, ptr %closure, i64 %desc,
                                    i64 %p0, i64 %p1, i64 %p2) nounwind {
    entry:
      %done = icmp eq i64 %p0, 0
      br i1 %done, label %end, label %next
    end:
      %b0 = insertvalue {i64, i64} poison, i64 %p1, 0
      %b1 = insertvalue {i64, i64} %b0, i64 %p2, 1
      ret {i64, i64} %b1
    next:
      %n = sub i64 %p0, 1
      %s = add i64 %p1, %p0
      %callee = load ptr, ptr %closure
      %r = musttail call swiftcc {i64, i64} %callee(ptr swiftself %vm, ptr %fp, ptr %closure,
                                                    i64 %desc, i64 %n, i64 %s, i64 %p2)
      ret {i64, i64} %r
    }";

/// All seven parameters, each in its place; the result in the tagged pair of the
/// narrow form.
const ALL: &str = "
    define swiftcc {i64, i64} @all(ptr swiftself %vm, ptr %fp, ptr %closure, i64 %desc,
                                   i64 %p0, i64 %p1, i64 %p2) nounwind {
      %a = ptrtoint ptr %vm to i64
      %b = ptrtoint ptr %fp to i64
      %c = ptrtoint ptr %closure to i64
      %b10 = mul i64 %b, 10
      %c100 = mul i64 %c, 100
      %d1000 = mul i64 %desc, 1000
      %e = mul i64 %p0, 10000
      %f = mul i64 %p1, 100000
      %g = mul i64 %p2, 1000000
      %s1 = add i64 %a, %b10
      %s2 = add i64 %s1, %c100
      %s3 = add i64 %s2, %d1000
      %s4 = add i64 %s3, %e
      %s5 = add i64 %s4, %f
      %s6 = add i64 %s5, %g
      %narrow = call swiftcc {i64, i8} @narrow(i64 %s6)
      %v = extractvalue {i64, i8} %narrow, 0
      %t8 = extractvalue {i64, i8} %narrow, 1
      %t = zext i8 %t8 to i64
      %r0 = insertvalue {i64, i64} poison, i64 %v, 0
      %r1 = insertvalue {i64, i64} %r0, i64 %t, 1
      ret {i64, i64} %r1
    }
    define internal swiftcc {i64, i8} @narrow(i64 %x) noinline nounwind {
      %r0 = insertvalue {i64, i8} poison, i64 %x, 0
      %r1 = insertvalue {i64, i8} %r0, i8 200, 1
      ret {i64, i8} %r1
    }";

struct Call<'a> {
    vm: *mut u64,
    fp: usize,
    closure: *mut u64,
    desc: u64,
    args: &'a [u64; 3],
}

/// Links `code` and calls `name` through a thunk.
fn run(code: &ObjectCode, name: &str, with: impl FnOnce(u64) -> Call<'static>) -> [u64; 2] {
    let jit = jit();
    let thunk = EntryThunk::new(&jit, &machine(1)).unwrap();
    let object = jit.link(code, &[name]).unwrap();
    let entry = object.lookup(name).unwrap();
    let c = with(entry);
    // SAFETY: the code above has the signature and the callers below pass what it
    // expects.
    unsafe {
        thunk.call(
            entry as *const u8,
            c.vm.cast(),
            c.fp as *mut u8,
            c.closure.cast(),
            c.desc,
            c.args,
        )
    }
}

/// Every level, with the full and with the fast instruction selector.
fn every_way(text: &str) -> impl Iterator<Item = (String, ObjectCode)> {
    (0..4).flat_map(move |level| {
        [0, u32::MAX].map(|guards| {
            (
                format!("level {level}, {guards} guards"),
                compile(text, level, guards),
            )
        })
    })
}

#[test]
fn functions_call_themselves() {
    for (way, code) in every_way(FIB) {
        assert!(code.is_pure_text().unwrap(), "{way}");
        let vm: &'static mut u64 = Box::leak(Box::new(0));
        let vm = &raw mut *vm;
        let result = run(&code, "fib", |_| Call {
            vm,
            fp: 0,
            closure: std::ptr::null_mut(),
            desc: 9,
            args: &[20, 0, 0],
        });
        assert_eq!(result, [6765, 9], "{way}");
        // SAFETY: the leaked counter, written by nobody now.
        assert_eq!(unsafe { *vm }, 21891, "{way}");
    }
}

#[test]
fn tail_calls_take_no_stack() {
    for (way, code) in every_way(TAIL) {
        let result = run(&code, "tail", |entry| Call {
            vm: std::ptr::null_mut(),
            fp: 0,
            closure: Box::leak(Box::new(entry)),
            desc: 0,
            args: &[10_000_000, 0, 7],
        });
        assert_eq!(result, [50_000_005_000_000, 7], "{way}");
    }
}

#[test]
fn parameters_and_results_arrive() {
    for (way, code) in every_way(ALL) {
        let result = run(&code, "all", |_| Call {
            vm: std::ptr::without_provenance_mut(1),
            fp: 2,
            closure: std::ptr::without_provenance_mut(3),
            desc: 4,
            args: &[5, 6, 7],
        });
        assert_eq!(result, [7_654_321, 200], "{way}");
    }
}
