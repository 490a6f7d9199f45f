-- pcall, xpcall, error values and levels, nesting, tracebacks, errors in handlers.
local function thrower(v, level) error(v, level) end
print(pcall(thrower, "m")); print(pcall(thrower, "m", 0)); print(pcall(thrower, "m", 1)); print(pcall(thrower, "m", 2)); print(pcall(thrower, 42)); print(pcall(thrower, nil)); print(pcall(thrower, true)); print(pcall(thrower, 1.5)); print(pcall(thrower))
local t = {}; local ok, v = pcall(thrower, t); assert(not ok and v == t)
local function l1() error("one", 1) end; local function l2() error("two", 2) end; local function l3() l2() end; local function l4() error("three", 3) end; local function l5() l4() end
print(pcall(function() l1() end)); print(pcall(function() l2() end)); print(pcall(function() l3() end)); print(pcall(function() l5() end))
print(pcall(error)); print(pcall(error, "direct")); print(pcall(pcall)); print(pcall(pcall, error, "nested")); print(select("#", pcall(error)))
print(pcall(nil)); print(pcall(5)); print(pcall(function(...) return ... end, 1, nil, 3)); print(pcall(string.rep, "ab", 2)); print(pcall(setmetatable({}, {__call = function(self, a) return "called", a end}), "arg"))
-- xpcall
print(xpcall(function() error("x", 0) end, function(m) return "handled " .. m end)); print(xpcall(function(a, b) return a + b end, print, 2, 3)); print(xpcall(function() local a; a() end, function(m) return (m:gsub("^.-:", "")) end)); print(pcall(xpcall)); print(pcall(xpcall, print))
print(xpcall(function() error({code = 7}) end, function(e) return e.code end)); print(xpcall(error, function(m) return m == nil end)); print(select("#", xpcall(function() error("e") end, function() return 1, 2, 3 end)))
print(xpcall(function() error("a", 0) end, function(m) error("b", 0) end))
-- nesting, rethrowing, state after errors
local trace = {}
local function level(n) local ok, m = pcall(function() if n == 0 then error("bottom", 0) end level(n - 1) end); trace[#trace + 1] = n; if not ok then error(m .. n, 0) end end
print(pcall(level, 5), table.concat(trace, " "))
local depth = 0; local function reenter(n) depth = depth + 1 if n > 0 then local ok, e = pcall(reenter, n - 1) if not ok then error(e, 0) end else error("deep", 0) end end; print(pcall(reenter, 100), depth)
for i = 1, 5 do local ok, m = pcall(function() if i % 2 == 0 then error("even " .. i, 0) end return i end) print(ok, m) end
-- errors inside metamethods, iterators, comparators, gsub, tostring, close
local bad = setmetatable({}, {__add = function() error("in add", 0) end, __index = function(_, k) error("in index " .. k, 0) end, __tostring = function() error("in tostring", 0) end, __lt = function() error("in lt", 0) end, __concat = function() error("in concat", 0) end, __call = function() error("in call", 0) end, __eq = function() error("in eq", 0) end, __len = function() error("in len", 0) end, __newindex = function() error("in newindex", 0) end, __unm = function() error("in unm", 0) end})
print(pcall(function() return bad + 1 end)); print(pcall(function() return bad.x end)); print(pcall(tostring, bad)); print(pcall(function() return bad < bad end)); print(pcall(function() return bad .. "" end)); print(pcall(bad)); print(pcall(function() return bad == setmetatable({}, getmetatable(bad)) end)); print(pcall(function() return #bad end)); print(pcall(function() bad.y = 1 end)); print(pcall(function() return -bad end))
print(pcall(table.sort, {1, 2, 3}, function() error("in cmp", 0) end)); print(pcall(string.gsub, "abc", "b", function() error("in gsub", 0) end)); print(pcall(function() for _ in function() error("in iter", 0) end do end end)); print(pcall(load, function() error("in reader", 0) end))
-- tracebacks
local function inner() error("tb") end
local function middle() inner() return 1 end
local function outer() middle() return 1 end
print((select(2, xpcall(outer, debug.traceback)))); print(debug.traceback("msg", 1):match("^msg\nstack traceback:\n")); print(debug.traceback(nil) == nil, debug.traceback({}) ~= nil, debug.traceback("only"):match("^only"))
function globalname() error("from global") end; print((select(2, xpcall(function() globalname() end, function(m) return (debug.traceback(m, 1):gsub("\n%s*%[C%].*", "")) end))))
-- stack overflow is an error that can be caught, again and again
local function over(n) return 1 + over(n + 1) end
for _ = 1, 3 do local ok, m = pcall(over, 1) print(ok, (tostring(m):match("stack overflow"))) end

print(pcall(string.rep, "x", -1)); print(select(2, pcall(error, setmetatable({}, {__tostring = function() return "custom object" end}))) ~= nil)
-- assert
print(pcall(assert, 1, 2, 3)); print(pcall(assert, false)); print(pcall(assert, nil, "message")); print(pcall(assert, false, {1}) == false); print(select("#", assert(1, nil, 3)))
print("OK")
