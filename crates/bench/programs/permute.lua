-- permute: all permutations of a small array by recursive swapping.
-- Stresses recursion, method calls on one object, integer array swaps.
-- quick: 20

local Permuter = {}
Permuter.__index = Permuter

function Permuter:swap(i, j)
  local t = self.values[i]
  self.values[i] = self.values[j]
  self.values[j] = t
end

function Permuter:run(n)
  self.count = self.count + 1
  if n == 0 then
    self.check = (self.check * 7 + self.values[1] * 3 + self.values[#self.values]) % 65521
    return
  end
  self:run(n - 1)
  for i = n - 1, 1, -1 do
    self:swap(n, i)
    self:run(n - 1)
    self:swap(n, i)
  end
end

local rounds = tonumber(arg and arg[1]) or 1200
local p = setmetatable({ count = 0, check = 1, values = {} }, Permuter)
for i = 1, 7 do p.values[i] = i end
for _ = 1, rounds do p:run(#p.values) end
print(string.format("permute(%d) = %d %d", rounds, p.count, p.check))
