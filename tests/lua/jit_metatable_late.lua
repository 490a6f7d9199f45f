-- Metatables appear, change and vanish while code that relied on them is hot.
local function rd(o) return o.field end
local function ad(a, b) return a + b end
local function eq(a, b) return a == b end
local function ln(a) return #a end
local o = {field = 1}
local s = 0
for i = 1, 3000 do s = s + rd(o) end
o.field = nil
print(s, rd(o))
setmetatable(o, {__index = function(_, k) return k .. "!" end})
print(rd(o))
for i = 1, 3000 do assert(rd(o) == "field!") end
getmetatable(o).__index = {field = "from table"}
print(rd(o)); o.field = "own"; print(rd(o)); o.field = nil; setmetatable(o, nil); print(rd(o))
-- __index added to an existing metatable
local mt = {}
local p = setmetatable({}, mt)
for i = 1, 3000 do assert(rd(p) == nil) end
mt.__index = function() return "late" end
print(rd(p)); mt.__index = nil; print(rd(p)); rawset(mt, "__index", {field = 2}); print(rd(p))
-- arithmetic
for i = 1, 3000 do ad(i, 1) end
local v = setmetatable({n = 5}, {__add = function(a, b) return (type(a) == "table" and a.n or a) + (type(b) == "table" and b.n or b) end})
print(ad(v, 1), ad(1, v), ad(v, v)); for i = 1, 3000 do ad(v, i) end; getmetatable(v).__add = function() return "new" end; print(ad(v, 1)); getmetatable(v).__add = nil; print(pcall(ad, v, 1)); print(ad(1, 2), ad(1.5, 2))
-- equality and length
local x, y = {}, {}
for i = 1, 3000 do assert(not eq(x, y)) end
setmetatable(x, {__eq = function() return true end}); print(eq(x, y), eq(y, x), eq(x, 1))
local arr = {1, 2, 3}; for i = 1, 3000 do assert(ln(arr) == 3) end; setmetatable(arr, {__len = function() return 42 end}); print(ln(arr), ln("four"), ln({}))
-- __newindex appears late
local w = {}
local function wr(k, val) w[k] = val end
for i = 1, 3000 do wr("k" .. i % 5, i) end
local log = {}; setmetatable(w, {__newindex = function(_, k, val) log[#log + 1] = k .. "=" .. val end}); wr("k0", "old"); wr("fresh", "new"); w.k1 = nil; wr("k1", "again"); print(w.k0, w.fresh, table.concat(log, " "))
-- __call appears late
local c = setmetatable({}, {}); local function call(g) return pcall(g, 1) end; for i = 1, 1000 do call(print == nil and c or math.abs) end; print(call(c)); getmetatable(c).__call = function(_, n) return "called", n end; print(call(c))
print("OK")
