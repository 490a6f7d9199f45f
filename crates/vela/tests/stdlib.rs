//! The standard libraries at work: what the official tests and the scripts in
//! `tests/lua` leave out, because it needs files, processes or the clock.

use vela::{Value, Vm, VmConfig};

/// Runs a chunk of assertions, with a fresh file name in global `name`.
fn run(source: &str) {
    for gc_stress in [false, true] {
        let mut vm = Vm::new(VmConfig {
            gc_stress,
            ..VmConfig::default()
        })
        .expect("the default configuration is valid");
        let helpers = "name = os.tmpname() \
             function raises(text, f, ...) \
               local ok, e = pcall(f, ...) \
               assert(not ok and string.find(e, text, 1, true), e) \
             end";
        vm.exec(helpers.as_bytes(), "=helpers").expect("runs");
        let outcome = vm.exec(source.as_bytes(), "=test");
        vm.exec(b"os.remove(name)", "=helpers").expect("runs");
        if let Err(e) = outcome {
            panic!("{}", e.report());
        }
    }
}

#[test]
fn sort_survives_a_comparator_that_clears_the_list() {
    run("local t = {}
         for i = 1, 200 do t[i] = {tostring(i * 7919 % 211)} end
         table.sort(t, function(a, b)
           for i = 1, #t do t[i] = nil end
           collectgarbage()
           return a[1] < b[1]
         end)
         for i = 2, 200 do assert(t[i - 1][1] <= t[i][1]) end");
}

#[test]
fn sort_reports_inconsistent_orders() {
    run("raises('invalid order function for sorting', table.sort,
                {1, 2, 3, 4, 5, 6, 7, 8}, function() return true end)
         raises('attempt to compare', table.sort, {1, 'x', 3})
         local t = {3, 0/0, 1, 2}
         pcall(table.sort, t)
         assert(#t == 4)");
}

#[test]
fn table_functions_respect_metamethods() {
    run("local log = {}
         local t = setmetatable({}, {
           __len = function() return 2 end,
           __index = function(_, k) log[#log + 1] = 'get' .. k return 'v' .. k end,
           __newindex = function(_, k, v) log[#log + 1] = 'set' .. k .. '=' .. tostring(v) end,
         })
         table.insert(t, 1, 'x')
         assert(table.concat(log, ' ') == 'get2 set3=v2 get1 set2=v1 set1=x')
         log = {}
         assert(table.remove(t, 1) == 'v1')
         assert(table.concat(log, ' ') == 'get1 get2 set1=v2 set2=nil')
         assert(table.concat(t, '-') == 'v1-v2')
         assert(select('#', table.unpack(t)) == 2)");
}

#[test]
fn files_read_and_write() {
    run("local f = assert(io.open(name, 'w+'))
         assert(f:write('one\\n', 2, ' ', 3.0, '\\n0x1F rest') == f)
         assert(f:seek('cur') == 17 and f:seek('set', 4) == 4)
         assert(f:read('n') == 2 and f:read('n') == 3 and f:read('L') == '\\n')
         local n, rest = f:read('n', 'a')
         assert(n == 31 and rest == ' rest' and f:read('l') == nil and f:read(0) == nil)
         assert(f:read('a') == '')
         f:seek('set', 4) f:read(1) f:write('!')
         f:seek('set', 4)
         assert(f:read(2) == '2!')
         assert(f:close() and io.type(f) == 'closed file')
         raises('attempt to use a closed file', f.read, f)
         local lines = {}
         for a, b in io.lines(name, 1, 'l') do lines[#lines + 1] = a .. '|' .. b end
         assert(table.concat(lines, ' ') == 'o|ne 2|!3 0|x1F rest')");
}

#[test]
fn file_errors_are_results() {
    run("local f, e, code = io.open('/nonexistent/x')
         assert(f == nil and e == '/nonexistent/x: No such file or directory' and code == 2)
         raises('invalid mode', io.open, name, 'rw')
         raises('/nonexistent/x', io.lines, '/nonexistent/x')
         local f = io.open(name, 'r')
         local ok, e, code = f:write('x')
         assert(ok == nil and e == 'Bad file descriptor' and code == 9)
         raises('invalid format', f.read, f, 'x')
         raises('FILE* expected, got table', f.read, {})
         f:close()
         local ok, e, code = os.remove('/nonexistent/x')
         assert(ok == nil and e == '/nonexistent/x: No such file or directory' and code == 2)");
}

#[test]
fn unreachable_files_are_written_out() {
    run("do
           local f = io.open(name, 'w')
           f:write('kept')
         end
         collectgarbage() collectgarbage()
         assert(io.open(name):read('a') == 'kept')");
}

#[test]
fn default_files_can_be_changed() {
    run("io.output(name)
         io.write('text')
         assert(io.close())
         raises('default output file is closed', io.write, 'x')
         io.output(io.stdout)
         io.input(name)
         assert(io.read('a') == 'text')
         io.close(io.input())
         raises('default input file is closed', io.read)");
}

#[test]
fn processes_report_how_they_ended() {
    run("local p = io.popen('echo hi; exit 4')
         assert(p:read('a') == 'hi\\n')
         local ok, how, code = p:close()
         assert(ok == nil and how == 'exit' and code == 4)
         local p = io.popen('cat > ' .. name, 'w')
         p:write('sent')
         assert(p:close())
         assert(io.open(name):read('a') == 'sent')
         local ok, how, code = os.execute('kill -9 $$')
         assert(ok == nil and how == 'signal' and code == 9)");
}

#[test]
fn dates_are_checked_and_normalized() {
    run(
        "raises(\"field 'day' missing in date table\", os.time, {year = 2020, month = 1})
         raises(\"field 'month' is not an integer\", os.time, {year = 2020, month = 'x', day = 1})
         raises(\"field 'year' is out-of-bound\", os.time, {year = 1 << 40, month = 1, day = 1})
         raises(\"invalid conversion specifier '%Ez'\", os.date, '%Ez', 0)
         assert(os.date('!%Y-%m-%d %H:%M:%S', 951827696) == '2000-02-29 12:34:56')
         local t = {year = 2021, month = 14, day = 0, hour = 12}
         local s = os.time(t)
         assert(t.year == 2022 and t.month == 1 and t.day == 31)
         assert(os.time(os.date('*t', s)) == s)
         assert(os.clock() >= 0 and os.difftime(5, 3) == 2.0)",
    );
}

#[test]
fn require_finds_runs_and_remembers_modules() {
    run("local f = io.open(name, 'w')
         f:write('#!vela\\nlocal n, file = ... return {name = n, file = file}')
         f:close()
         local dir, base = name:match('^(.*/)([^/]*)$')
         package.path = dir .. '?'
         local m, where = require(base)
         assert(m.name == base and m.file == name and where == name)
         assert(require(base) == m and package.loaded[base] == m)
         raises(\"module 'no.such' not found:\\n\\tno field package.preload['no.such']\\n\\tno file '\"
                .. dir .. \"no/such'\", require, 'no.such')
         package.preload.pre = function(n, how) return n .. how end
         assert(require('pre') == 'pre:preload:')
         local f = io.open(name, 'w') f:write('x =') f:close()
         package.loaded[base] = nil
         raises(\"error loading module '\" .. base .. \"' from file '\" .. name, require, base)");
}

#[test]
fn random_numbers_are_those_of_puc_lua() {
    // math.randomseed(42) in PUC Lua 5.4.8.
    let mut vm = Vm::new(VmConfig::default()).expect("the default configuration is valid");
    let source = "math.randomseed(42)
         return math.random(0), math.random(100), math.random(-5, 5), math.random()";
    let out = vm.exec(source.as_bytes(), "=test").expect("runs");
    let expected = [
        Value::Int(-1_276_290_044_721_465_627),
        Value::Int(50),
        Value::Int(0),
        Value::Float(0.617_317_635_958_472_7),
    ];
    assert_eq!(out, expected);
}
