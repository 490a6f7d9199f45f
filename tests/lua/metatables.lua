-- Every metamethod event.
local mt = {}
local function obj(v) return setmetatable({v = v}, mt) end
local function val(x) return type(x) == "table" and x.v or x end
local log = {}
for _, event in ipairs {"add", "sub", "mul", "div", "mod", "pow", "idiv", "band", "bor", "bxor", "shl", "shr", "concat"} do
  mt["__" .. event] = function(a, b) return event .. "(" .. tostring(val(a)) .. "," .. tostring(val(b)) .. ")" end
end
for _, event in ipairs {"unm", "bnot", "len"} do
  mt["__" .. event] = function(a, b) return event .. "(" .. tostring(val(a)) .. ")" .. tostring(rawequal(a, b)) end
end
local a, b = obj(1), obj(2)
print(a + b, a - 5, 5 * a, a / "x", a % nil, a ^ true, 1.5 // a); print(a & 1, 1 | a, a ~ b, a << 2.5, "s" >> a, a .. "x", 1 .. a, a .. b, "p" .. "q" .. a)
print(-a, ~a); print((pcall(function() return #a end)))
print(a + 1, 1 + a, a .. 2 .. 3)
-- the left operand's metamethod comes first
local left = setmetatable({}, {__add = function() return "left" end})
local right = setmetatable({}, {__add = function() return "right" end})
print(left + right, right + left, 1 + right, left + 1)
-- comparison
mt.__eq = function(x, y) log[#log + 1] = "eq"; return val(x) == val(y) end
mt.__lt = function(x, y) log[#log + 1] = "lt"; return val(x) < val(y) end
mt.__le = function(x, y) log[#log + 1] = "le"; return val(x) <= val(y) end
print(a == b, a == obj(1), a ~= obj(1), a < b, a <= b, a > b, a >= b, a < 5, 5 < a, a == 1, rawequal(a, obj(1))); print(table.concat(log, " "))
mt.__eq = function() return 1 end; print(a == b, a ~= b); mt.__lt = function() return nil end; print(a < b, not (a < b)); mt.__eq = nil; print(a == b, a == a)
-- index
local base = {greet = function(self) return "hi " .. self.name end, shared = "base"}
local derived = setmetatable({extra = 1}, {__index = base}); local inst = setmetatable({name = "bob"}, {__index = derived})
print(inst:greet(), inst.shared, inst.extra, inst.nothing, rawget(inst, "shared"))
local calls = {}; local idx = setmetatable({x = 1}, {__index = function(t, k) calls[#calls + 1] = tostring(k); return k .. "!" end})
print(idx.x, idx.y, idx["z z"], idx.x); idx.y = "set"; print(idx.y, table.concat(calls, ",")); idx.y = nil; print(idx.y)
print(setmetatable({}, {__index = "str"}).len == string.len, pcall(function() return setmetatable({}, {__index = 5}).x end))
-- newindex
local store = {}; local ni = setmetatable({old = 1}, {__newindex = store}); ni.old = 2; ni.new = 3; print(rawget(ni, "old"), rawget(ni, "new"), store.new)
ni.old = nil; ni.old = 4; print(rawget(ni, "old"), store.old)
local nf = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end}); nf.a = 5; nf.a = 7; nf[1] = 1; print(nf.a, nf[1])
-- call
local callable = setmetatable({}, {__call = function(self, ...) return select("#", ...), ... end}); print(callable(1, nil, 3), (callable()), pcall(callable, "x")); print(select("#", callable(nil, nil)))
local chain = setmetatable({}, {__call = callable}); print(chain(1) == 2, select(2, chain("q")) == chain); print(pcall(function() setmetatable({}, {__call = 5})() end))
-- len, concat, tostring, name
mt.__len = function(x) return x.v * 10 end; print(#obj(4), rawlen(obj(4))); print(#setmetatable({1, 2}, {}), tostring(setmetatable({}, {__tostring = function() return "T" end})))
-- unm and bnot get the operand twice
print(-obj(7), ~obj(7))
-- metatable protection
local prot = setmetatable({}, {__metatable = "locked"}); print(getmetatable(prot), pcall(setmetatable, prot, {})); print(getmetatable("").__index == string, getmetatable({}), getmetatable(1))
-- __index on missing array elements, in loops
local arr = setmetatable({1, 2, nil, 4}, {__index = function(_, i) return -i end}); local out = {}; for i = 1, 6 do out[i] = arr[i] end; print(table.concat(out, " "))
-- pairs and close
for k, v in pairs(setmetatable({}, {__pairs = function(t) return function(_, k) k = (k or 0) + 1 if k < 4 then return k, k * k end end, t end})) do io.write(k, "=", v, " ") end print()
do local c <close> = setmetatable({}, {__close = function(_, e) print("closed", e) end}) print("in scope") end
-- deep __index chains and loops
local top = {deep = "found"}; for _ = 1, 50 do top = setmetatable({}, {__index = top}) end; print(top.deep, top.missing)
local loop = {}; setmetatable(loop, {__index = loop}); print((pcall(function() return loop.x end)) == false)
-- results are adjusted to one
local multi = setmetatable({}, {__index = function() return 1, 2, 3 end, __add = function() return 4, 5 end}); print(select("#", multi.x), (multi + 1), select("#", multi + 1))
print(pcall(function() return {} + 1 end)); print(pcall(function() return {} < {} end)); print(pcall(function() return {} .. "" end)); print(pcall(function() return -{} end)); print(pcall(function() return #nil end)); print(pcall(function() return {} & 1 end)); print(pcall(function() return 1 < "2" end))
-- changing metatables and removing them
local ch = setmetatable({}, {__index = {k = 1}}); print(ch.k); setmetatable(ch, {__index = {k = 2}}); print(ch.k); setmetatable(ch, nil); print(ch.k); print(pcall(setmetatable, {}, 1), pcall(setmetatable, {}))
print("OK")
