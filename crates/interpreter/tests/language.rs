//! Lua programs through the interpreter.

mod common;
use common::{eval, eval_in, new_vm};

#[test]
fn arithmetic_of_both_kinds() {
    assert_eq!(
        eval("local a, b = 7, 2 return a+b, a-b, a*b, a/b, a//b, a%b, a^b"),
        "9 5 14 3.5 3 1 49.0"
    );
    assert_eq!(
        eval("local a, b = -7, 2 return a//b, a%b, a%-b, a//0.0"),
        "-4 1 -1 -inf"
    );
    assert_eq!(
        eval("local m = math.mininteger return m // -1, m % -1, m - 1 == math.maxinteger"),
        "-9223372036854775808 0 true"
    );
    assert_eq!(
        eval("local a, b = 7.5, 2 return a+b, a//b, a%b, b+1.5"),
        "9.5 3.0 1.5 3.5"
    );
    assert_eq!(
        eval("local a, b = 0xff, 4 return a&b, a|256, a~b, a<<b, a>>b, a<<64, a>>-60, ~a"),
        "4 511 251 4080 15 0 -1152921504606846976 -256"
    );
    assert_eq!(eval("local s = '10' return s+1, s*'2', -s"), "11 20 -10");
}

#[test]
fn integer_division_by_zero_is_an_error() {
    assert_eq!(
        eval("local a, b = 1, 0 return a // b"),
        "error: test:1: attempt to divide by zero"
    );
    assert_eq!(
        eval("local a, b = 1, 0 return a % b"),
        "error: test:1: attempt to perform 'n%0'"
    );
}

#[test]
fn comparisons_across_kinds() {
    assert_eq!(
        eval("local i, f = 2^53|0, 2^53 return i == f, i+1 == f, i+1 > f, i <= f"),
        "true false true true"
    );
    assert_eq!(
        eval("local n = 0/0 return n == n, n < 1, n >= 1, 1 < n"),
        "false false false false"
    );
    assert_eq!(
        eval("return 'a' < 'b', 'a' < 'B', '' < 'a', 'z' <= 'z'"),
        "true false true true"
    );
    assert_eq!(
        eval("return pcall(function() return {} < 1 end)"),
        "false test:1: attempt to compare table with number"
    );
}

#[test]
fn numeric_loops() {
    assert_eq!(
        eval("local s = 0 for i = 1, 10 do s = s + i end return s"),
        "55"
    );
    assert_eq!(
        eval("local s = 0 for i = 10, 1, -3 do s = s * 100 + i end return s"),
        "10070401"
    );
    assert_eq!(
        eval("local n = 0 for i = math.maxinteger - 1, math.maxinteger do n = n + 1 end return n"),
        "2"
    );
    assert_eq!(
        eval(
            "local n = 0 for i = math.mininteger + 1, math.mininteger, -1 do n = n + 1 end return n"
        ),
        "2"
    );
    assert_eq!(
        eval("local n = 0 for i = 1, math.huge do n = n + 1 if n == 5 then break end end return n"),
        "5"
    );
    assert_eq!(
        eval("local s = 0 for x = 0, 1, 0.25 do s = s + x end return s"),
        "2.5"
    );
    assert_eq!(
        eval("for i = 1, 10, 0 do end"),
        "error: test:1: 'for' step is zero"
    );
    assert_eq!(eval("for i = 3, 1 do return i end return 'none'"), "none");
}

#[test]
fn generic_loops() {
    assert_eq!(
        eval(
            "local t, n, s = {10, 20, 30, x = 1, y = 2, [1.5] = 3}, 0, 0 for k, v in pairs(t) do n = n + 1 s = s + v end return n, s"
        ),
        "6 66"
    );
    assert_eq!(
        eval(
            "local t = {} for i = 1, 100 do t['k' .. i] = i end local s = 0 for k, v in pairs(t) do s = s + v t[k] = nil end return s, next(t)"
        ),
        "5050 nil"
    );
    assert_eq!(
        eval(
            "local function it(s, c) if c < s then return c + 1, c * c end end local r = 0 for i, q in it, 4, 0 do r = r + q end return r"
        ),
        "14"
    );
    assert_eq!(
        eval("for k in next, {}, nil do return k end return 'empty'"),
        "empty"
    );
    assert_eq!(
        eval("return pcall(function() for k in next, {}, 'no such key' do end end)"),
        "false invalid key to 'next'"
    );
}

#[test]
fn calls_results_and_varargs() {
    assert_eq!(
        eval("local function f(...) return ... end return (f(1, 2)), f(), f(3, nil, 5)"),
        "1 nil 3 nil 5"
    );
    assert_eq!(
        eval("local function f(a, b, c) return c, b, a end return f(1)"),
        "nil nil 1"
    );
    assert_eq!(
        eval(
            "local function f(a, ...) local b, c = ... return select('#', ...), a, b, c end return f(1, 2)"
        ),
        "1 1 2 nil"
    );
    assert_eq!(
        eval(
            "local t = {n = 0} function t:m(x) self.n = self.n + x return self end return t:m(2):m(3).n"
        ),
        "5"
    );
    assert_eq!(
        eval(
            "local function f(n, ...) if n == 0 then return select('#', ...) end return f(n - 1, n, ...) end return f(100)"
        ),
        "100"
    );
    assert_eq!(
        eval(
            "local t = setmetatable({}, {__call = function(self, a, b) return b, a end}) return t(1, 2), (t(3, 4))"
        ),
        "2 4"
    );
}

#[test]
fn tail_calls_take_no_space() {
    assert_eq!(
        eval_in(
            &mut new_vm(),
            "local function f(n) if n == 0 then return 'end' end return f(n - 1) end return f(3000000)"
        ),
        "end"
    );
    assert_eq!(
        eval_in(
            &mut new_vm(),
            "local function f(n, ...) if n == 0 then return ... end return f(n - 1, ...) end return f(1000000, 'v')"
        ),
        "v"
    );
}

#[test]
fn deep_recursion_and_overflow() {
    let mut vm = new_vm();
    assert_eq!(
        eval_in(
            &mut vm,
            "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(190000)"
        ),
        "190000"
    );
    assert_eq!(
        eval_in(
            &mut vm,
            "local function f() return 1 + f() end local ok, m = pcall(f) return ok, m"
        ),
        "false test:1: stack overflow"
    );
    assert_eq!(
        eval_in(
            &mut vm,
            "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(1000)"
        ),
        "1000"
    );
    assert_eq!(
        eval_in(
            &mut vm,
            "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return pcall(function() return t[1] end)"
        ),
        "false test:1: C stack overflow"
    );
}

#[test]
fn closures_share_their_variables() {
    assert_eq!(
        eval(
            "local function mk() local n = 0 return function() n = n + 1 return n end, function() return n end end local a, b = mk() a() a() return a(), b(), (mk())()"
        ),
        "3 3 1"
    );
    assert_eq!(
        eval(
            "local fs = {} for i = 1, 3 do fs[i] = function() i = i + 10 return i end end return fs[1](), fs[1](), fs[2]()"
        ),
        "11 21 12"
    );
}

#[test]
fn metatables_through_caches() {
    // The same sites, before and after each kind of change.
    assert_eq!(
        eval(
            "local C = {} C.__index = C function C.get(s) return s.v end
             local function call(o) return o:get() end
             local o = setmetatable({v = 1}, C) local r = {}
             for i = 1, 3 do r[#r + 1] = call(o) end
             function C.get(s) return s.v + 100 end r[#r + 1] = call(o)
             o.get = function() return 'own' end r[#r + 1] = call(o)
             o.get = nil r[#r + 1] = call(o)
             C.get = nil local D = {get = function() return 'base' end} setmetatable(C, {__index = D}) r[#r + 1] = call(o)
             C.get = function() return 'again' end r[#r + 1] = call(o)
             return table.concat(r, ' ')"
        ),
        "1 1 1 101 own 101 base again"
    );
    assert_eq!(
        eval(
            "local log = {} local mt = {} local function set(t, v) t.x = v end
             local function new() return setmetatable({}, mt) end
             local a = new() set(a, 1) set(a, 2) local b = new() set(b, 3)
             mt.__newindex = function(t, k, v) log[#log + 1] = k rawset(t, k, v * 10) end
             local c = new() set(c, 4) set(c, 5) c.x = nil set(c, 6)
             return a.x, b.x, c.x, #log"
        ),
        "2 3 60 2"
    );
    assert_eq!(
        eval(
            "local function get(t) return t.f end local t = {f = 1} local r = {get(t), get(t)} t.f = nil r[3] = tostring(get(t)) setmetatable(t, {__index = function() return 'mm' end}) r[4] = get(t) return table.concat(r, ' ')"
        ),
        "1 1 nil mm"
    );
    assert_eq!(
        eval(
            "local function len(t) return #t end local a = {1, 2} local n = len(a) + len(a) setmetatable(a, {__len = function() return 40 end}) return n, len(a), len('four')"
        ),
        "4 40 4"
    );
    assert_eq!(
        eval("local s = 'abc' return s:upper(), s:len(), ('x'):rep(3)"),
        "ABC 3 xxx"
    );
}

#[test]
fn polymorphic_and_megamorphic_sites() {
    assert_eq!(
        eval(
            "local function get(o) return o.k end local function set(o, v) o.k = v end
             local objs = {} for i = 1, 12 do local o = {} for j = 1, i do o['f' .. j] = j end o.k = i objs[i] = o end
             local s = 0 for round = 1, 3 do for _, o in ipairs(objs) do s = s + get(o) set(o, get(o) + 1) end end
             return s"
        ),
        "270"
    );
}

#[test]
fn elements_of_changing_kinds() {
    assert_eq!(
        eval(
            "local t = {} for i = 1, 10 do t[i] = i end for i = 1, 10 do t[i] = t[i] + 0.5 end t[3] = 'x' t[4] = nil
             local s = '' for i = 1, 10 do s = s .. tostring(t[i]) .. ',' end return s, #t"
        ),
        "1.5,2.5,x,nil,5.5,6.5,7.5,8.5,9.5,10.5, 10"
    );
    assert_eq!(
        eval(
            "local t = {} for i = 10, 1, -1 do t[i] = i end local s = 0 for i = 1, #t do s = s + t[i] end return s, #t"
        ),
        "55 10"
    );
    assert_eq!(
        eval("local t = {} t[1.0] = 'a' t[2^53] = 'b' return t[1], t[2^53|0], next(t)"),
        "a b 1 a"
    );
    assert_eq!(
        eval("return pcall(function() local t = {} t[nil] = 1 end)"),
        "false test:1: table index is nil"
    );
}

#[test]
fn closing_variables() {
    let text = "local log = {}
        local function mk(n) return setmetatable({}, {__close = function(_, e) log[#log + 1] = n .. ':' .. tostring(e) end}) end
        local function ok() local a <close> = mk('a') local b <close> = mk('b') return 1, 2 end
        local x, y = ok()
        local function bad() local a <close> = mk('c') local b <close> = mk('d') error('boom', 0) end
        local s, e = pcall(bad)
        for i in function(_, c) if c < 2 then return c + 1 end end, nil, 0, mk('e') do log[#log + 1] = 'i' .. i end
        local function many(...) local a <close> = mk('f') return ... end
        local n = select('#', many(table.unpack({}, 1, 50)))
        do local q <close> = nil local r <close> = false end
        return x, y, tostring(s), e, n, table.concat(log, ' ')";
    assert_eq!(
        eval(text),
        "1 2 false boom 50 b:nil a:nil d:boom c:boom i1 i2 e:nil f:nil"
    );
    assert_eq!(
        eval("return pcall(function() local x <close> = 1 end)"),
        "false test:1: variable 'x' got a non-closable value"
    );
    assert_eq!(
        eval(
            "local function mk(f) return setmetatable({}, {__close = f}) end
             return pcall(function() local a <close> = mk(function(_, e) error('2' .. e, 0) end) local b <close> = mk(function(_, e) error('1' .. e, 0) end) error('0', 0) end)"
        ),
        "false 210"
    );
}

#[test]
fn message_handlers_see_the_stack_of_the_error() {
    assert_eq!(
        eval(
            "return xpcall(function() local x = nil; return x.y end, function(m) return 'H ' .. m end)"
        ),
        "false H test:1: attempt to index a nil value (local 'x')"
    );
    assert_eq!(
        eval("return xpcall(error, function(e) error(e) end, 'x')"),
        "false error in error handling"
    );
    assert_eq!(
        eval("return xpcall(function(...) return ... end, print, 1, 2)"),
        "true 1 2"
    );
}

#[test]
fn goto_and_blocks() {
    assert_eq!(
        eval(
            "local fs, i = {}, 1 ::top:: local j = i fs[i] = function() return j end i = i + 1 if i <= 3 then goto top end return fs[1](), fs[2](), fs[3]()"
        ),
        "1 2 3"
    );
}
