-- levenshtein: edit distances between pairs of words by dynamic programming.
-- Stresses string.byte, two integer rows reused, math.min with three arguments.
-- quick: 1

local min, byte = math.min, string.byte

local function distance(a, b, previous, current)
  local la, lb = #a, #b
  for j = 0, lb do previous[j] = j end
  for i = 1, la do
    current[0] = i
    local ca = byte(a, i)
    for j = 1, lb do
      local cost = ca == byte(b, j) and 0 or 1
      current[j] = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
    end
    previous, current = current, previous
  end
  return previous[lb]
end

local function words(n)
  local list, seed = {}, 9
  for i = 1, n do
    local letters = {}
    for k = 1, 12 + i % 17 do
      seed = (seed * 3877 + 29573) % 139968
      letters[k] = string.char(97 + math.floor(seed * 6 / 139968))
    end
    list[i] = table.concat(letters)
  end
  return list
end

local rounds = tonumber(arg and arg[1]) or 15
local list, row1, row2 = words(90), {}, {}
local sum, nearest = 0, math.huge
for _ = 1, rounds do
  for i = 1, #list do
    for j = i + 1, #list do
      local d = distance(list[i], list[j], row1, row2)
      sum = sum + d
      if d < nearest then nearest = d end
    end
  end
end
print(string.format("levenshtein(%d) = %d %d", rounds, sum, nearest))
