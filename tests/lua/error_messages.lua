-- Runtime error messages with variable names and positions.
local function e(src, ...)
  local f, msg = load(src, "=chunk")
  if not f then print("SYNTAX", msg) return end
  print(select(2, pcall(f, ...)))
end
up = nil
-- index
e "local t; return t.x"; e "return undefinedglobal.x"; e "local t = {} return t.a.b"; e "local t = {a = {}} return t.a.b.c"; e "local t = {} t.x.y = 1"; e "undefinedglobal.x = 1"; e "local t; t[1] = 1"; e "local t = {} return t[1][2]"
e "local t = {} local k = 'key' return t[k].x"; e "local u; local function f() return u.x end return f()"; e "return (nil).x"; e "return (1).x.y"; e "local s = 'abc' return s.x.y"; e "return ({}).a.b"; e "return true.x"; e "local a = 5; a.b.c = 1"; e "return ('x').y.z"; e "local t = {{}} return t[1].q.z"
e "local function g() end return g().x"; e "return math.nofield.x"; e "return string.x()"; e "local a <const> = nil; return a.b"; e "for i = 1, 2 do local v = i.x.y end"; e "local t = {} t[nil] = 1"; e "local t = {} t[0/0] = 1"; e "local n = nil; return n['a b']"
-- call
e "undefinedfunction()"; e "local f; f()"; e "local t = {} t.f()"; e "local t = {} t:m()"; e "local t = {a = {}} t.a.f()"; e "local u; local function f() u() end f()"; e "(1)()"; e "('x')()"; e "local t = {} t[1]()"; e "return nil .. 'x'"; e "local s = 'x' s:nomethod()"; e "math.nofunction(1)"; e "local f = 5; return f(1) + 1"; e "({})()"; e "local a = {} ; a.b.c()"; e "return (function() end)()()"; e "string.rep()()"; e "for x in 5 do end"; e "for x in nil do end"; e "for k in {} do end"; e "local t = setmetatable({}, {__index = function() error('in index') end}) return t.x"
-- arithmetic
e "local a = {} return a + 1"; e "local a; return 1 + a"; e "return undefinedglobal * 2"; e "local t = {} return t.x - 1"; e "local t = {x = {}} return -t.x"; e "return 'a' + 1"; e "return {} // 2"; e "local a, b = 1, {} return a % b"; e "return 2 ^ nil"; e "local u; local function f() return u + 1 end return f()"; e "local t = {1, 'x'} return t[1] + t[2]"; e "return 1 + true"; e "local x = 'abc' return x * 2"; e "return 1 // 0"; e "return 1 % 0"; e "local a = 'x' local b = {} return a .. b"; e "local t = {} return 'v=' .. t.x"; e "return 1 .. nil"; e "return undefinedglobal .. 'x'"; e "local t = {} return t .. t"; e "return -{}"; e "return -nil"; e "local function f() end return f() + 1"; e "return print + 1"
-- bitwise
e "return 1.5 & 1"; e "local x = 1.5 return x | 1"; e "return {} << 1"; e "local t = {f = 2.5} return t.f ~ 1"; e "return ~1.5"; e "return ~{}"; e "return 1 & 'a'"; e "return 2^63 | 0"; e "local s = 'x' return s >> 1"; e "return nil & 1"; e "return 1 << undefinedglobal"; e "return '1.5' | 1"; e "local u = 1.5 local function f() return u & 1 end return f()"
-- length, comparison
e "local n; return #n"; e "return #5"; e "return #undefinedglobal"; e "local t = {} return #t.x"; e "return {} < {}"; e "return 1 < 'x'"; e "return nil > 1"; e "return {} <= 1"; e "return true >= false"; e "return 'a' < 1"; e "return print < print"; e "local a, b = {}, nil return a < b"; e "return setmetatable({}, {__name = 'Point'}) < 1"; e "return setmetatable({}, {__name = 'Point'}) + 1"; e "return #setmetatable({}, {__len = function() error('len', 0) end})"
-- for
e "for i = 'a', 2 do end"; e "for i = 1, {} do end"; e "for i = 1, 2, 0 do end"; e "for i = 1, 2, 'x' do end"; e "for i = 1, nil do end"; e "for i = {}, 1 do end"; e "for i = 1.5, 2, 0 do end"
-- library arguments
e "string.rep()"; e "('x'):rep({})"; e "string.rep('x', 'y')"; e "math.floor('x')"; e "math.floor({})"; e "tostring()"; e "setmetatable(1, {})"; e "setmetatable({}, 1)"; e "ipairs()"; e "string.char(-1)"; e "table.concat({{}})"; e "table.insert({}, 1, 2, 3)"; e "('x'):bad()"; e "string.sub()"; e "math.max()"; e "select(0)"; e "tonumber('z', 37)"; e "string.format('%d', 'x')"; e "rawset(1, 2, 3)"; e "next({}, 1)"; e "error()"; e "error(nil)"; e "error('msg')"; e "error('msg', 0)"; e "error('msg', 2)"; e "assert(false)"; e "assert(nil, 'why')"; e "assert(false, 5)"; e "assert()"; e "math.random(2, 1)"; e "string.rep('x', 1 << 40)"; e "utf8 = nil; return utf8.char"; e "io.open()"; e "io.open('x', 'badmode')"; e "os.time({})"; e "os.date('%Ez')"; e "load(5)"; e "local t = {} ; t.x:y()"; e "rawlen(5)"; e "rawget(5)"; e "getmetatable()"; e "math.tointeger()"; e "table.unpack()"; e "string.byte('x', {})"; e "('x'):find()"; e "('x'):gsub('x')"
-- names inside functions, several lines
local f = load("local function a(t)\n  local x = t.v\n  return x.y\nend\nlocal function b(t)\n  return a(t) + 1\nend\nreturn b(...)", "=lines")
print(pcall(f, {})); print(pcall(f, {v = {}})); print(pcall(f, {v = {y = {}}})); print(pcall(f))
print(pcall(load("local a = 1\nlocal b = a +\n{}\nreturn b", "=multi"))); print(pcall(load("local t = {\n x = 1,\n y = nil + 1,\n}", "=ctor")))
print(pcall(load("return 1 +\n  2 +\n nilvalue", "@file.lua"))); print(pcall(load("error('pos')", "a string chunk"))); print(pcall(load("error('pos')", "first line\nsecond"))); print(pcall(load("error('pos')", "=" .. ("n"):rep(80)))); print(pcall(load("error('pos')", "@" .. ("n"):rep(80)))); print(pcall(load("error('pos')", ("n"):rep(80))))
print("OK")
