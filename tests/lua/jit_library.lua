-- Library functions that compiled code does in place: edge cases, wrong
-- arguments, and replaced functions.

local function warm(f, ...)
  for _ = 1, 60 do f(...) end
  return f(...)
end

-- string.byte
local function byte(s, i) return string.byte(s, i) end
print(warm(byte, "abc", 2), byte("abc", -1), byte("abc", 4), byte("abc", 0), byte("abc", -4), byte("", 1))
print(byte("abc", 2.0), pcall(byte, "abc", 1.5))
print(byte("abc", "2"), byte(123, 1), pcall(byte, nil, 1))
local function mbyte(s, i) return s:byte(i) end
print(warm(mbyte, "xyz", 1), mbyte("xyz", 3), mbyte("xyz"), mbyte("", 1))
print(pcall(mbyte, {}, 1))
local function bytes(s)
  local n = 0
  for i = 1, #s do n = n * 31 % 65521 + s:byte(i) end
  return n
end
print(warm(bytes, "hello, world"), bytes("\0\255"), bytes(""))

-- string.sub
local function sub(s, i, j) return s:sub(i, j) end
local function sub1(s, i) return s:sub(i) end
local s = "hello"
print(warm(sub, s, 2, 3), sub(s, -3, -2), sub(s, 0, 2), sub(s, 4, 100), sub(s, 3, 2), sub(s, -100, 1), "[" .. sub(s, 6, 7) .. "]")
print(warm(sub1, s, 3), sub1(s, -2), sub1(s, 1), sub1(s, 0), "[" .. sub1(s, 6) .. "]")
print(sub(s, math.mininteger, math.maxinteger), sub(s, 2.0, 3), sub(s, "2", "3"))
print(pcall(sub, s), pcall(sub, s, 1, {}))
print(string.sub(12345, 2, 3), pcall(sub, 12345, 2, 3))

-- string.char, len, upper through a method
local function char(n) return string.char(n) end
print(warm(char, 65), #char(0), char(255) == "\255", pcall(char, 256), pcall(char, -1))
print(char("66"), char(67.0))
local function len(x) return x:len() end
print(warm(len, "abcd"), len(""), pcall(len, {}))
local function hash(x) return #x end
print(warm(hash, "abc"), hash({ 1, 2 }), pcall(hash, 5))

-- type and comparisons with its result
local function kind(v)
  if type(v) == "table" then return "T" end
  if type(v) == "function" then return "F" end
  if type(v) == "number" then return "N" end
  if type(v) ~= "string" then return type(v) end
  return "S"
end
local function kinds()
  return kind({}) .. kind(print) .. kind(kind) .. kind(1) .. kind(1.5) .. kind("s") .. kind(nil) .. kind(true) .. kind(io.stdout)
end
print(warm(kinds))
local function nothing() return type() end
print(pcall(nothing))
local function which(v) return type(v) end
print(warm(which, 1), which("x"), which(nil), which(print))
print(warm(function(v) return type(v) == "no such type" end, 1))

-- math
local floor, ceil, abs, max, min, fmod = math.floor, math.ceil, math.abs, math.max, math.min, math.fmod
local function fl(x) return floor(x) end
print(warm(fl, 2.7), fl(-2.7), fl(5), fl(1e300), fl("3.7"), pcall(fl, "x"), pcall(fl))
local function ce(x) return ceil(x) end
print(warm(ce, 2), ce(2.1), ce(-2.1), ce(2 ^ 62), ce(-0.5))
local function ab(x) return abs(x) end
print(warm(ab, -3), ab(3), ab(-2.5), ab(math.mininteger), ab("-7"))
print(warm(function(x) return abs(x) end, -0.0))
local function mx(a, b, c) return max(a, b, c), min(a, b, c) end
print(warm(mx, 1, 2, 3))
print(mx(3, 2.5, -1))
print(mx(1.5, 2.5, 0.5))
print(pcall(mx, 1, 2))
local function mnan(a, b) return min(a, b), max(a, b) end
local nan = 0 / 0
local function show(x) return x ~= x and "nan" or tostring(x) end
local function two(a, b) local x, y = mnan(a, b) return show(x) .. " " .. show(y) end
print(warm(two, 1.0, 2.0), two(nan, 1.0), two(1.0, nan))
print(warm(function(x, y) return fmod(x, y) end, 7.5, -2.0), fmod(-7, 3), pcall(fmod, 1, 0))
print(warm(function(x, y) return math.ult(x, y) end, 1, -1), math.ult(-1, 1))
print(warm(function(x) return math.tointeger(x) end, 3), math.tointeger(3.5), math.tointeger("8"), math.tointeger({}))
print(warm(function(x) return math.tointeger(x) end, 3.0))
print(warm(function(x) return math.sqrt(x) end, 16), warm(function(x) return math.sqrt(x) end, 2.25))
print(warm(function() return math.huge, math.pi, math.maxinteger end))

-- select with fixed arguments
local function sel(a, b, c) return select(2, a, b, c) end
print(warm(sel, 1, 2, 3))
print(warm(function(a, b) return (select("#", a, b)) end, nil, nil))
print(warm(function(a, b) local x = select(-1, a, b) return x end, 5, 6))

-- raw access
local R = setmetatable({}, { __index = function() return "meta" end, __newindex = function() error("no") end, __len = function() return 99 end })
local function rget(t, k) return rawget(t, k) end
print(warm(rget, R, "x"), warm(rget, { x = 1 }, "x"), rget({ 7 }, 1), pcall(rget, 5, 1))
local function rset(t, k, v) return rawset(t, k, v) end
print(warm(rset, R, "y", 5) == R, R.y, pcall(rset, R, nil, 1))
print(pcall(rset, R, nan, 1))
print(warm(function(t) return rawlen(t) end, { 1, 2, 3 }), rawlen(R), rawlen("abc"), pcall(rawlen, 5))
print(warm(function(a, b) return rawequal(a, b) end, 1, 1.0), rawequal(R, R), rawequal("a", "b"))

-- tostring, tonumber
local T = setmetatable({}, { __tostring = function() return "T!" end })
local function str(v) return tostring(v) end
print(warm(str, 12), str(1.5), str("s"), str(nil), str(true), str(T), str(-0.0), str(1e100), str(2 ^ 53))
local function num(v) return tonumber(v) end
print(warm(num, "0x10"), num(5), num(1.5), num("x"), num(nil), num(" 12 "), num({}), pcall(function() return tonumber() end))
print(warm(function(v, b) return tonumber(v, b) end, "ff", 16))

-- assert
local function ass(v, m) return assert(v, m) end
print(warm(ass, 1, 2))
print(pcall(ass, false, "message"))
print(pcall(ass, nil))
print(pcall(ass, false, T))

-- table functions
local function push(t, v) table.insert(t, v) return #t end
local P = {}
print(warm(push, P, 1), #P, push(P, "x"), push({ n = 1 }, 2), pcall(push, nil, 1))
local log = {}
local Q = setmetatable({}, { __newindex = function(t, k, v) log[#log + 1] = k; rawset(t, k, v) end })
print(warm(push, Q, true), #log)
local function pop(t) return table.remove(t) end
local S = {}
for i = 1, 70 do S[i] = i end
print(warm(pop, S), #S, pop({}), pop({ 5 }), pop({ [0] = "zero" }), pcall(pop, 5))
local function unp(t) local a, b, c = table.unpack(t) return a, b, c end
print(warm(unp, { 1, 2, 3 }))
print(unp({ 1 }))
print(unp({ 1, nil, 3 }))
print(unp(setmetatable({}, { __index = function(_, i) return i * 2 end, __len = function() return 2 end })))
local function stack(n)
  local st = {}
  for i = 1, n do table.insert(st, i * 2) end
  local out = 0
  while #st > 0 do out = out * 3 % 1000003 + table.remove(st) end
  return out
end
print(warm(stack, 50))

-- functions that are replaced
local function floors(x) return math.floor(x) end
print(warm(floors, 1.5))
local original = math.floor
math.floor = function(x) return "mine " .. x end
print(floors(1.5))
math.floor = original
print(floors(1.5))
local function meth(v) return v:upper() end
print(warm(meth, "abc"))
local upper = string.upper
string.upper = function(v) return "<" .. v .. ">" end
print(meth("abc"))
string.upper = upper
print(meth("abc"))
local function own(v) return v:double() end
string.double = function(v) return v .. v end
print(warm(own, "ab"))
string.double = nil
print(pcall(own, "ab"))
string.double = function(v) return #v end
print(own("abcd"))
getmetatable("").__index = function(_, k) return function() return k end end
print(own("ab"), meth("ab"))
getmetatable("").__index = string
print(meth("ab"))

-- concatenation
local function cat(a, b) return a .. b end
local function cat3(a, b, c) return a .. b .. c end
local function cat4(a, b, c, d) return a .. b .. c .. d end
local function cat6(a, b, c) return a .. "-" .. b .. "-" .. c .. "." end
print(warm(cat, "a", "b"), cat(1, 2), cat(1.5, "x"), cat(-0.0, ""), cat("", ""))
print(warm(cat3, "a", 1, "c"), cat3(1, 2, 3), warm(cat4, "w", "x", "y", "z"), cat4(1, "b", 2.0, "d"))
print(warm(cat6, "a", 1, 2.5))
local C = setmetatable({}, { __concat = function(a, b) return (type(a) == "table" and "C" or a) .. "|" .. (type(b) == "table" and "C" or b) end })
print(cat(C, "x"), cat("x", C), cat3("a", C, "b"), cat4("a", "b", C, "d"), cat(C, C))
print(pcall(cat, "a", nil), pcall(cat, {}, "b"))
print(pcall(cat3, "a", nil, "c"))
print(pcall(cat4, "a", "b", "c", true))
local function long(n)
  local r = ""
  for i = 1, n do r = r .. i .. "," end
  return #r, r:sub(-8)
end
print(warm(long, 200))
print(warm(function(n) return #cat(("x"):rep(n), ("y"):rep(n)) end, 300))

-- closures
local function counter()
  local n = 0
  return function() n = n + 1 return n end, function() return n end
end
local function counted()
  local inc, get = counter()
  inc() inc()
  return get()
end
print(warm(counted))
local function adders(n)
  local fs = {}
  for i = 1, n do
    local k = i * 10
    fs[i] = function(x) k = k + 1 return x + k + n end
  end
  local t = 0
  for i = 1, n do t = t + fs[i](i) + fs[i](0) end
  return t
end
print(warm(adders, 10))
local function deep(a)
  return function() return function() a = a + 1 return a end end
end
print(warm(function() return deep(5)()() end))
