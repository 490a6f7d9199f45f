-- Code that relied on a closure is thrown away, the closure dies, and the
-- function is compiled again.
local sum = 0
local function churn()
  local keep = {}
  for i = 1, 50 do keep[i] = {tostring(i), function() return i, keep end} end
  collectgarbage()
end
for round = 1, 20 do
  local make = load([[
    return function(g)
      return function(x) return g(x) + 1 end
    end]])()
  local function use(n)
    local hot = make(load("local x = ...; return x + " .. n))
    for i = 1, 60 do sum = sum + hot(i) end
  end
  use(1)
  collectgarbage()
  use(2)
  churn()
  use(3)
  churn()
  use(4)
  churn()
end
print(sum)
