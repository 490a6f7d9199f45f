-- Captured variables reassigned late, shared between hot closures, changing kind.
local k = 1
local function use(x) return x * k end
local s = 0
for i = 1, 3000 do s = s + use(i) end
print(s)
k = 2; for i = 1, 3000 do s = s + use(i) end; print(s)
k = 0.5; for i = 1, 3000 do s = s + use(i) end; print(s)
k = "3"; print(use(5)); k = nil; print(pcall(use, 5)); k = 10; print(use(5))
local function counter() local n = 0 return function() n = n + 1 return n end, function() return n end end
local inc, get = counter()
for i = 1, 5000 do inc() end
print(get())
-- many instances of one prototype
local list = {}
for i = 1, 200 do list[i] = {counter()} end
for r = 1, 30 do for i = 1, 200 do if i % 3 == 0 then list[i][1]() end end end
local total = 0; for i = 1, 200 do total = total + list[i][2]() end; print(total)
-- an upvalue that holds a function, replaced while hot
local op = function(a, b) return a + b end
local function apply(n) local r = 0 for i = 1, n do r = op(r, i) end return r end
print(apply(3000)); op = function(a, b) return a - b end; print(apply(3000)); op = math.max; print(apply(3000)); op = function(a, b) if b == 1500 then op = function() return -1 end end return a + 1 end; print(apply(3000))
-- written by the callee while the caller's loop runs
local flag, hits = false, 0
local function toggle(i) if i % 1000 == 0 then flag = not flag end end
for i = 1, 5000 do toggle(i) if flag then hits = hits + 1 end end
print(hits)
-- captured loop variables stay apart
local fs = {}
for i = 1, 3000 do fs[i] = function(d) i = i + d return i end end
local t = 0; for i = 1, 3000 do t = t + fs[i](1) end; for i = 1, 3000, 7 do t = t + fs[i](0.5) end; print(t, fs[1](0), fs[2](0))
-- accumulators in nested closures
local function make() local a, b = 0, 0.0 local function add(x) a = a + x b = b + x / 2 end return function(n) for i = 1, n do add(i) end return a, b end end
local m = make(); print(m(3000)); print(m(10)); print(make()(100))
print("OK")
