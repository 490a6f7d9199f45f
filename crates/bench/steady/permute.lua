-- permute: all permutations of a small array by recursive swapping.
-- quick: 2
-- full: 60

local Benchmark = require("benchmark")

local Permute = Benchmark:extend("permute")
Permute.expected = 13700

function Permute:swap(i, j)
  local t = self.values[i]
  self.values[i] = self.values[j]
  self.values[j] = t
end

function Permute:permute(n)
  self.count = self.count + 1
  if n == 0 then return end
  local m = n - 1
  self:permute(m)
  for i = m, 1, -1 do
    self:swap(n, i)
    self:permute(m)
    self:swap(n, i)
  end
end

function Permute:run()
  self.count = 0
  self.values = {}
  for i = 1, 7 do self.values[i] = i - 1 end
  self:permute(7)
  return self.count
end

return Permute
