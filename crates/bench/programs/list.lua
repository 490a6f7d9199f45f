-- list: Takeuchi's function on the lengths of linked lists.
-- Stresses deep recursion with several arguments, pointer chasing, nil tests.
-- quick: 60

local List = {}
List.__index = List

local function cons(head, tail)
  return setmetatable({ head = head, tail = tail }, List)
end

local function make(n)
  if n == 0 then return nil end
  return cons(n, make(n - 1))
end

function List:length()
  if self.tail == nil then return 1 end
  return 1 + self.tail:length()
end

local function shorter(a, b)
  while b ~= nil do
    if a == nil then return true end
    a, b = a.tail, b.tail
  end
  return false
end

local calls = 0
local function tail(x, y, z)
  calls = calls + 1
  if shorter(y, x) then
    return tail(tail(x.tail, y, z), tail(y.tail, z, x), tail(z.tail, x, y))
  end
  return z
end

local rounds = tonumber(arg and arg[1]) or 4000
local sum = 0
for _ = 1, rounds do
  sum = sum + tail(make(15), make(10), make(6)):length()
end
print(string.format("list(%d) = %d %d", rounds, sum, calls))
