-- Loops whose only garbage is made right before a call of a native function
-- still collect it: in compiled code it is this call that sees the request of
-- the collector first.

local function bounded(name, round)
  round(1000)
  collectgarbage()
  local before = collectgarbage("count")
  round(20000)
  local grown = collectgarbage("count") - before
  print(name, grown < 9000 or grown)
end

local function list(i)
  return {i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i,
    i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i}
end

bounded("pcall", function(n)
  local sum = 0
  for i = 1, n do
    local t = list(i)
    local ok, v = pcall(function() return t[1] + i end)
    if ok then sum = v % 7 end
  end
  return sum
end)

bounded("rawlen", function(n)
  local sum = 0
  for i = 1, n do sum = sum + rawlen(list(i)) end
  return sum
end)

bounded("pcall of a native function", function(n)
  local sum = 0
  for i = 1, n do
    local ok, v = pcall(rawlen, list(i))
    sum = sum + v
  end
  return sum
end)

bounded("error and pcall", function(n)
  local sum = 0
  for i = 1, n do
    local ok, e = pcall(error, list(i))
    sum = sum + e[1]
  end
  return sum
end)

bounded("string.rep", function(n)
  local sum = 0
  for i = 1, n do sum = sum + #string.rep("x", 1000 + i) end
  return sum
end)
