-- oo_inherit: classes four levels deep with super calls, properties and mixins.
-- Stresses __index chains, method lookup through several metatables, calls at one
-- site with several receivers, __tostring and __eq, a metatable made for each object.
-- quick: 6000

local function class(name, parent)
  local c = { name = name, parent = parent }
  c.__index = c
  setmetatable(c, {
    __index = parent,
    __call = function(self, ...)
      local object = setmetatable({}, self)
      object:init(...)
      return object
    end,
  })
  return c
end

local function mixin(c, methods)
  for k, v in pairs(methods) do c[k] = v end
end

local Account = class("Account")
function Account:init(owner, balance)
  self.owner = owner
  self.balance = balance
  self.operations = 0
end
function Account:deposit(amount)
  self.balance = self.balance + amount
  self.operations = self.operations + 1
end
function Account:withdraw(amount)
  if not self:may_withdraw(amount) then return false end
  self.balance = self.balance - amount
  self.operations = self.operations + 1
  return true
end
function Account:may_withdraw(amount) return self.balance >= amount end
function Account:month_end() end
function Account:describe() return self.name .. ":" .. self.owner end
Account.__tostring = function(self) return self:describe() .. "=" .. self.balance end
Account.__eq = function(a, b) return a.owner == b.owner end

local Savings = class("Savings", Account)
function Savings:init(owner, balance, percent)
  Account.init(self, owner, balance)
  self.percent = percent
end
function Savings:month_end()
  Account.month_end(self)
  self:deposit(math.floor(self.balance * self.percent / 1200))
end

local Checking = class("Checking", Account)
function Checking:init(owner, balance, limit)
  Checking.parent.init(self, owner, balance)
  self.limit = limit
end
function Checking:may_withdraw(amount) return self.balance + self.limit >= amount end
function Checking:month_end()
  if self.balance < 0 then self.balance = self.balance - 5 end
end

local Premium = class("Premium", Checking)
function Premium:month_end()
  Checking.month_end(self)
  if self.operations > 10 then self:reward() end
end
mixin(Premium, {
  reward = function(self)
    self.points = (self.points or 0) + self.operations
    self.operations = 0
  end,
})

local Gold = class("Gold", Premium)
function Gold:may_withdraw(amount)
  return amount < 5000 and Premium.may_withdraw(self, amount)
end
function Gold:month_end()
  Premium.month_end(self)
  self:deposit(3)
end
Gold.__tostring, Gold.__eq = Account.__tostring, Account.__eq

-- Prototype style: every object has a metatable of its own.
local function clone(prototype, fields)
  return setmetatable(fields, { __index = prototype })
end
local point = { x = 0, y = 0 }
function point:norm1() return math.abs(self.x) + math.abs(self.y) end
local point3 = clone(point, { z = 0 })
function point3:norm1() return point.norm1(self) + math.abs(self.z) end

local rounds = tonumber(arg and arg[1]) or 250000
local accounts = {
  Account("ann", 1000), Savings("bob", 2000, 4), Checking("cid", 300, 500),
  Premium("dan", 700, 900), Gold("eve", 9000, 2000), Savings("fay", 100, 2),
}
local refused, distance = 0, 0
for round = 1, rounds do
  for i, account in ipairs(accounts) do
    for k = 1, 6 do
      account:deposit((round + k * i) % 50)
      if not account:withdraw((round * k + i) % 60) then refused = refused + 1 end
    end
    account:month_end()
  end
  local p = clone(point, { x = round % 9 })
  local q = clone(point3, { y = -(round % 5), z = 2 })
  distance = distance + p:norm1() + q:norm1()
end
for _, account in ipairs(accounts) do
  print(account:describe(), string.format("%d %d", account.balance, account.operations))
end
local same = Gold("eve", 1, 1) == accounts[5] and 1 or 0
print(string.format("oo_inherit(%d) = %d %d %d %s", rounds, refused, distance, same, tostring(Gold("gil", 5, 1))))
