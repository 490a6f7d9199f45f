-- list: Takeuchi's function on the lengths of linked lists.
-- quick: 2
-- full: 170

local Benchmark = require("benchmark")

local Element = {}

function Element.new(value)
  return setmetatable({ value = value, next = nil }, { __index = Element })
end

function Element:length()
  if self.next == nil then return 1 end
  return 1 + self.next:length()
end

local List = Benchmark:extend("list")
List.expected = 10

function List:make(length)
  if length == 0 then return nil end
  local e = Element.new(length)
  e.next = self:make(length - 1)
  return e
end

function List:is_shorter(x, y)
  local a, b = x, y
  while b ~= nil do
    if a == nil then return true end
    a = a.next
    b = b.next
  end
  return false
end

function List:tail(x, y, z)
  if self:is_shorter(y, x) then
    return self:tail(self:tail(x.next, y, z), self:tail(y.next, z, x), self:tail(z.next, x, y))
  end
  return z
end

function List:run()
  return self:tail(self:make(15), self:make(10), self:make(6)):length()
end

return List
