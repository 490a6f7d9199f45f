-- Classes in the styles of the manual and of class libraries: a constructor
-- that makes its receiver a metatable each time, one that serves all classes,
-- classes that are called.

-- `self.__index = self` in each call.
local Account = {balance = 0}
function Account:new(o)
  o = o or {}
  setmetatable(o, self)
  self.__index = self
  return o
end
function Account:deposit(v) self.balance = self.balance + v return self end
function Account:name() return 'account' end
local Special = Account:new()
function Special:name() return 'special' end
local Limited = Special:new{limit = 10}
function Limited:deposit(v)
  if self.balance + v > self.limit then return self end
  return Special.deposit(self, v)
end
local function accounts(n)
  local s, names = 0, 0
  for i = 1, n do
    local a = i % 4 == 0 and Account:new() or i % 4 == 1 and Special:new{balance = i}
      or i % 4 == 2 and Limited:new{balance = 3} or Limited:new{balance = 1, limit = i}
    s = s + a:deposit(2):deposit(i % 9).balance
    names = names + #a:name()
  end
  return s, names
end
for _ = 1, 30 do accounts(200) end
print(accounts(1000))

-- Something else is stored there: the same class at another time, another
-- value, nil, and what depends on it.
local Odd = {}
local index = Odd
function Odd.new(x)
  local o = setmetatable({x = x}, Odd)
  Odd.__index = index
  return o
end
function Odd:get() return self.x end
local function odds(n) local s = 0 for i = 1, n do s = s + Odd.new(i):get() end return s end
for _ = 1, 30 do odds(100) end
print(odds(100))
index = {get = function(self) return -self.x end}
print(odds(100), odds(100))
index = Odd
print(odds(100))
index = function(_, k) return function(self) return k == 'get' and self.x * 2 end end
print(odds(100))
index = nil
print(pcall(odds, 100))
index = Odd
print(odds(3000))
local function store(t, v) t.kind = v return t.kind end
for i = 1, 3000 do store(Odd, 'odd') end
print(Odd.new(1).kind, store(Odd, 'even'), Odd.new(1).kind, store(Odd, nil), Odd.new(1).kind)
Odd.kind = 'odd'
print(Odd.new(1).kind, store(setmetatable({}, {__newindex = rawset}), 1))

-- One constructor for all classes; the classes come one after the other.
local Object = {}
function Object.new(class, ...)
  local self = setmetatable({}, class)
  class.init(self, ...)
  return self
end
local function class(super)
  local c = setmetatable({}, {__index = super, __call = Object.new})
  c.__index = c
  c.new = function(...) return Object.new(c, ...) end
  return c
end
local classes = {}
for i = 1, 70 do
  local C = class(classes[i // 2])
  if i % 3 == 0 or i == 1 then
    function C:init(v) self.v = v + i self.w = i end
  end
  function C:get() return self.v * i + self.w end
  classes[i] = C
end
local function objects(n, k, called)
  local s = 0
  for i = 1, n do
    local C = classes[i % k + 1]
    local o = called and C(i) or C.new(i)
    s = s + o:get()
  end
  return s
end
for _, k in ipairs {1, 2, 4, 7, 12, 70} do
  local s = 0
  for _ = 1, 30 do s = s + objects(100, k) + objects(50, k, true) end
  print(k, s)
end

-- Inherited constructors: an object that is given another metatable, the same
-- one again, one that finalizes.
local Base = {}
Base.__index = Base
function Base.new(x) return setmetatable({x = x}, Base) end
function Base:get() return self.x end
local Derived = setmetatable({}, Base)
Derived.__index = Derived
function Derived.new(x) local o = Base.new(x) return setmetatable(o, Derived) end
function Derived:get() return -self.x end
local Own = {}
function Own.new(x) return setmetatable({x = x}, {__index = Own}) end
function Own:get() return self.x end
local function again(o, mt) return setmetatable(o, mt) end
local function several(n, own)
  local s = 0
  for i = 1, n do
    s = s + Derived.new(i):get() + again(Base.new(1), Base):get() + again(Base.new(i), Derived):get()
    s = s + again(own.new(i), {__index = own}):get() + again(own.new(3), {__index = Base}):get()
  end
  return s
end
for _ = 1, 30 do several(100, Own) end
print(several(100, Own))
local closed = 0
local Closing = {__gc = function() closed = closed + 1 end, get = Base.get}
Closing.__index = Closing
for i = 1, 200 do again({x = i}, Closing) end
collectgarbage() collectgarbage()
print(closed > 190, several(100, Own))
print(pcall(again, 1, Base))
print(pcall(again, {}, 1))
