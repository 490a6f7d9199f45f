-- Tables: constructors, borders, deletion, next and pairs while fields are cleared, odd keys.
local t = {1, 2, 3, nil}
assert(#t == 3); t[#t + 1] = 4; assert(#t == 4); t[#t] = nil; assert(#t == 3)
t = {}; for i = 1, 100 do t[i] = i end; assert(#t == 100); for i = 100, 51, -1 do t[i] = nil end; assert(#t == 50)
t = {n = 1, [1] = "a", "b", [2] = "x"; "c"}
assert(t[1] == "b" and t[2] == "c" and t.n == 1)
local function f() return 1, 2, 3 end
assert(#{f()} == 3 and #{f(), f()} == 4 and #{(f())} == 1 and #{f(), nil} == 1 and #{[1] = f()} == 1)
-- keys
t = {}
t[1.0] = "one"; t[2^53] = "big"; t[true] = "t"; t[print] = "p"; t[-1] = "neg"; t[0] = "zero"; t[1.5] = "frac"; t[""] = "empty"
assert(t[1] == "one" and t[1 << 53] == "big" and t[true] == "t" and t[print] == "p" and t[-1] == "neg" and t[0] == "zero")
assert(t[1.5] == "frac" and t[""] == "empty" and t.x == nil and t[false] == nil and t["1"] == nil)
t[math.maxinteger] = 1; t[math.mininteger] = 2; assert(t[math.maxinteger] == 1 and t[math.mininteger] == 2 and t[2^63] == nil)
print(pcall(function() t[nil] = 1 end)); print(pcall(function() t[0/0] = 1 end)); assert(t[nil] == nil and t[0/0] == nil)
print(pcall(rawset, t, nil, 1)); print(pcall(next, {}, "nokey"))
-- clearing fields while traversing
t = {}; for i = 1, 50 do t[i] = i; t["k" .. i] = i end
local n = 0
for k in pairs(t) do n = n + 1; t[k] = nil end
assert(n == 100 and next(t) == nil)
t = {}; for i = 1, 20 do t["k" .. i] = i end
local sum = 0
for k, v in pairs(t) do t[k] = v * 2; sum = sum + v end
assert(sum == 210); sum = 0; for _, v in pairs(t) do sum = sum + v end; assert(sum == 420)
-- integer keys come in order while they are in the array part
local list = {}; for k in pairs {10, 20, 30, 40} do list[#list + 1] = k end; print(table.concat(list, " "))
-- holes: entries survive, count is right
t = {1, 2, 3, 4, 5, 6, 7, 8}; t[4] = nil; t[6] = nil; n = 0; for _ in pairs(t) do n = n + 1 end; assert(n == 6 and t[8] == 8 and t[4] == nil)
-- fields set to nil and back
t = {x = 1, y = 2}; t.x = nil; assert(t.x == nil and next(t) == "y"); t.x = 3; assert(t.x == 3); t.y = nil; t.x = nil; assert(next(t) == nil)
-- many fields
t = {}; for i = 1, 1000 do t["f" .. i] = i end; for i = 1, 1000 do assert(t["f" .. i] == i) end
for i = 1, 1000, 2 do t["f" .. i] = nil end; n = 0; for _, v in pairs(t) do n = n + 1; assert(v % 2 == 0) end; assert(n == 500)
-- growing from the back and with gaps
t = {}; for i = 100, 1, -1 do t[i] = i end; assert(#t == 100); for i = 1, 100 do assert(t[i] == i) end
t = {}; t[1000000] = 1; assert(t[1000000] == 1 and t[1] == nil)
t = {}; for i = 1, 1000 do t[i * 3] = i end; n = 0; for k, v in pairs(t) do assert(k == v * 3); n = n + 1 end; assert(n == 1000)
-- kinds of elements change
t = {}; for i = 1, 10 do t[i] = i end; t[5] = 5.5; t[6] = "six"; t[7] = {}; t[8] = false; assert(t[4] == 4 and t[5] == 5.5 and t[6] == "six" and t[8] == false and #t == 10)
assert(math.type(t[4]) == "integer" and math.type(t[5]) == "float")
-- nested, self reference
t = {}; t.self = t; assert(t.self.self.self == t); t = {{1, 2}, {3, {4}}}; assert(t[2][2][1] == 4)
-- large constructor
local src = {"return {"}; for i = 1, 600 do src[#src + 1] = i .. "," end; src[#src + 1] = "}"
local big = load(table.concat(src))(); assert(#big == 600 and big[600] == 600 and big[51] == 51)
-- ipairs stops at the first nil, respects __index
n = 0; for i, v in ipairs {1, 2, nil, 4} do n = n + 1 end; assert(n == 2)
assert(next({}) == nil and type(next) == "function" and select("#", next({})) == 1)
print(pcall(function() local a; a.b = 1 end)); print(pcall(function() local a = {}; a.b.c = 1 end)); print(pcall(function() return #5 end)); print(pcall(ipairs)); print(pcall(setmetatable, 1, {}))
print("OK")
