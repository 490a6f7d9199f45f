-- Kinds of values that compiled code has no type for are tested for all the same.
local co = coroutine.create(function() end)
local other = coroutine.create(function() end)
local Class = { __index = function(_, k) return "default " .. k end }
local function object(v) return setmetatable({ co = v, rest = 1 }, Class) end
local function field(o) return type(o.co) end
for i = 1, 300 do assert(field(object(i % 2 == 0 and co or other)) == "thread") end
print(field(object(nil)), object(nil).co, field(object(co)), field(object(1)))

local function element(t, i) return t[i] end
local list = setmetatable({ co, other, co }, { __index = function(_, k) return k * 10 end })
for i = 1, 300 do assert(type(element(list, i % 3 + 1)) == "thread") end
list[2] = nil
print(element(list, 2), type(element(list, 3)), element(list, 4))

local function put(t, i, v) t[i] = v end
local stored = { co, co, co }
for i = 1, 300 do put(stored, i % 3 + 1, i % 2 == 0 and co or other) end
put(stored, 2, 5)
put(stored, 3, "s")
print(type(stored[1]), stored[2], stored[3])
put(stored, 4, 2.5)
put(stored, 1, nil)
print(stored[1], stored[4], #stored)

local function append(t, v) t[#t + 1] = v end
local grown = {}
for i = 1, 300 do append(grown, i % 2 == 0 and co or other) end
append(grown, 7)
append(grown, {})
print(#grown, type(grown[300]), grown[301], type(grown[302]))

local function set(o, v) o.co = v end
local o = { co = co }
for i = 1, 300 do set(o, i % 2 == 0 and co or other) end
set(o, 8)
print(o.co)
set(o, nil)
print(o.co)

local function call(f) local r = f() return r end
for i = 1, 300 do assert(type(call(coroutine.running)) == "thread") end
print(call(function() return 9 end), call(function() end))
collectgarbage()
print(type(grown[1]), coroutine.status(grown[2]))
