-- <const> and <close>.
local a <const> = 5
local s <const>, n = "str", 1
print(a + n, s .. a, -a, a * 2.0)
for _, src in ipairs {"local x <const> = 1; x = 2", "local x <close> = nil; x = 1", "local x <foo> = 1", "local x <const> = 1; local function f() x = 2 end", "local a <close>, b <close> = nil, nil", "local t <const> = {} t = nil"} do print(load(src, "=c")) end
local function tbc(name, log) return setmetatable({}, {__close = function(_, e) log[#log + 1] = name .. ":" .. tostring(e) end}) end
local log = {}
do local x <close> = tbc("x", log); local y <close> = tbc("y", log); log[#log + 1] = "body" end
print(table.concat(log, " "))
-- leaving by return, break, goto, error
log = {}; local function f() local x <close> = tbc("x", log); return "result", #log end; print(f()); print(table.concat(log, " "))
log = {}; for i = 1, 3 do local x <close> = tbc("i" .. i, log); if i == 2 then break end end; print(table.concat(log, " "))
log = {}; for i = 1, 2 do local x <close> = tbc("g" .. i, log); goto cont; log[1] = "never" ::cont:: end; print(table.concat(log, " "))
log = {}; print(pcall(function() local x <close> = tbc("x", log); local y <close> = tbc("y", log); error("boom", 0) end)); print(table.concat(log, " "))
-- errors in close methods replace the error
print(pcall(function() local x <close> = setmetatable({}, {__close = function(_, e) error("second after " .. tostring(e), 0) end}); error("first", 0) end))
log = {}; print(pcall(function() local x <close> = tbc("x", log); local y <close> = setmetatable({}, {__close = function() error("in y", 0) end}) end)); print(table.concat(log, " "))
-- nil and false are allowed, other values are not
do local x <close> = nil; local y <close> = false end; print(pcall(function() local x <close> = 42 end)); print(pcall(function() local x <close> = {} end))
-- generic for closes its fourth value
log = {}; for i in function(_, c) if c < 3 then return c + 1 end end, nil, 0, tbc("for", log) do log[#log + 1] = tostring(i) end; print(table.concat(log, " "))
log = {}; for i in function(_, c) return c + 1 end, nil, 0, tbc("for", log) do if i == 2 then break end end; print(table.concat(log, " "))
log = {}; print(pcall(function() for i in function(_, c) return c + 1 end, nil, 0, tbc("for", log) do error("e", 0) end end)); print(table.concat(log, " "))
-- the variable keeps its value, results are kept while closing
local function g() local x <close> = setmetatable({v = 1}, {__close = function(o) o.v = 99 end}); return x.v end; print(g())
local function h() local x <close> = setmetatable({}, {__close = function() return "ignored" end}); return 1, 2, 3 end; print(h())
local function tailish() local x <close> = tbc("t", log); return f() end; log = {}; print(tailish()); print(table.concat(log, " "))
-- captured by closures, nested functions in loops
log = {}; local kept; do local x <close> = tbc("captured", log); kept = function() return x end end; print(getmetatable(kept()) ~= nil, table.concat(log, " "))
log = {}; for i = 1, 3 do local x <close> = tbc(i, log) end; print(table.concat(log, " "))
do local r <const> = {1}; r[1] = 2; print(r[1]) end
log = {}; local function deep(k) local x <close> = tbc(k, log); if k > 1 then return (deep(k - 1)) end return "bottom" end; print(deep(4)); print(table.concat(log, " "))
print("OK")
