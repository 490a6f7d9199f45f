-- Method calls on receivers of 1, 2, 4 and many classes; methods replaced while hot.
local function class(name, k) local c = {name = name}; c.__index = c; function c.new(v) return setmetatable({v = v}, c) end; function c:val() return self.v * k end; function c:id() return name end return c end
local classes = {}
for i = 1, 12 do classes[i] = class("C" .. i, i) end
local function total(list) local s = 0 for i = 1, #list do s = s + list[i]:val() end return s end
local function make(n, kinds) local l = {} for i = 1, n do l[i] = classes[(i - 1) % kinds + 1].new(i) end return l end
for _, kinds in ipairs {1, 2, 3, 4, 5, 12} do local l = make(600, kinds); local r; for _ = 1, 6 do r = total(l) end; print(kinds, r) end
local mono = make(300, 1); for _ = 1, 20 do total(mono) end; print(total(mono)); classes[1].val = function(self) return -self.v end; print(total(mono)); mono[150].val = function() return 1000000 end; print(total(mono)); mono[150].val = nil; print(total(mono)); setmetatable(mono[10], classes[2]); print(total(mono)); setmetatable(mono[20], nil); print(pcall(total, mono)); mono[20] = "str"; print(pcall(total, mono)); mono[20] = {val = function() return 7 end}; print(total(mono))
-- fields of different shapes through one access site
local function area(s) if s.kind == "c" then return 3 * s.r * s.r elseif s.kind == "r" then return s.w * s.h end return s.area or 0 end
local shapes = {}; for i = 1, 3000 do local k = i % 4; shapes[i] = k == 0 and {kind = "c", r = i} or k == 1 and {kind = "r", w = i, h = 2} or k == 2 and {area = i} or {h = 1.5, w = i, kind = "r"} end; local t = 0; for i = 1, 3000 do t = t + area(shapes[i]) end; print(t)
-- inheritance chains of growing depth
local base = {hello = function(self) return self.n end}; base.__index = base; local chain = base; local objs = {}; for i = 1, 6 do chain = setmetatable({}, chain); chain.__index = chain; objs[i] = setmetatable({n = i}, chain) end; local h = 0; for i = 1, 3000 do h = h + objs[i % 6 + 1]:hello() end; print(h); base.hello = function(self) return self.n * 10 end; h = 0; for i = 1, 3000 do h = h + objs[i % 6 + 1]:hello() end; print(h); getmetatable(objs[6]).hello = function() return 0.5 end; h = 0; for i = 1, 3000 do h = h + objs[i % 6 + 1]:hello() end; print(h)
-- receivers of basic types: strings have methods
local function up(x) return x:upper() end; for i = 1, 3000 do assert(up("a" .. i % 3) == "A" .. i % 3) end; print(up("end"), pcall(up, 5)); print(up({upper = function() return "own" end}), pcall(up, nil))
-- calls through different functions at one site
local fns = {function(x) return x + 1 end, function(x) return x * 2 end, math.abs, function(...) return select("#", ...) end, setmetatable({}, {__call = function(_, x) return -x end})}; local s = 0; for i = 1, 3000 do s = s + fns[i % 2 + 1](i) end; print(s); for i = 1, 3000 do s = s + fns[i % 5 + 1](i) end; print(s)
-- operators on polymorphic operands
local V = {}; V.__add = function(a, b) return setmetatable({v = (a.v or a) + (type(b) == "table" and b.v or b)}, V) end; V.__index = V; local acc = setmetatable({v = 0}, V); for i = 1, 3000 do acc = acc + (i % 3 == 0 and setmetatable({v = 1}, V) or i) end; print(acc.v); local function cmp(a, b) return a < b end; local n = 0; for i = 1, 3000 do if cmp(i, 1500) then n = n + 1 end if cmp(i + 0.5, 1500) then n = n + 1 end if cmp("a" .. i, "a15") then n = n + 1 end end; print(n, pcall(cmp, 1, "1"))
print("OK")
