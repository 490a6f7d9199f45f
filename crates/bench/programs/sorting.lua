-- sorting: sorts numbers, strings and records with table.sort and with a merge sort.
-- Stresses library code that calls Lua comparison functions, string comparison,
-- table.insert and table.remove, recursion over array slices.
-- quick: 5000

local function keys(n)
  local list, seed = {}, 5
  for i = 1, n do
    seed = (seed * 3877 + 29573) % 139968
    list[i] = { rank = math.floor(seed * 1000 / 139968), name = "k" .. math.floor(seed * 5000 / 139968), place = i }
  end
  return list
end

local function merge_sort(list, less)
  local n = #list
  if n < 2 then return list end
  local half = math.floor(n / 2)
  local left, right = {}, {}
  for i = 1, half do left[i] = list[i] end
  for i = half + 1, n do right[#right + 1] = list[i] end
  left, right = merge_sort(left, less), merge_sort(right, less)
  local out, i, j = {}, 1, 1
  while i <= #left and j <= #right do
    if less(right[j], left[i]) then
      out[#out + 1] = right[j]
      j = j + 1
    else
      out[#out + 1] = left[i]
      i = i + 1
    end
  end
  for k = i, #left do out[#out + 1] = left[k] end
  for k = j, #right do out[#out + 1] = right[k] end
  return out
end

local function by_rank(a, b) return a.rank < b.rank end
local function by_rank_and_place(a, b)
  if a.rank ~= b.rank then return a.rank > b.rank end
  return a.place < b.place
end

local n = tonumber(arg and arg[1]) or 180000
local list, check = keys(n), 0
local function digest(f)
  for i = 1, n, 13 do check = (check * 31 + f(i)) % 1000000007 end
end

local stable = merge_sort(list, by_rank)
digest(function(i) return stable[i].place end)

table.sort(list, by_rank_and_place)
digest(function(i) return list[i].place end)

local names = {}
for i, r in ipairs(list) do names[i] = r.name end
table.sort(names)
digest(function(i) return tonumber(names[i]:sub(2)) end)

local numbers = {}
for i, r in ipairs(list) do numbers[i] = r.rank * 1000 + r.place % 1000 end
table.sort(numbers, function(a, b) return a > b end)
digest(function(i) return numbers[i] end)

local window = {}
for i = 1, n do
  table.insert(window, 1, numbers[i])
  if #window > 30 then check = (check + table.remove(window)) % 1000000007 end
end
print(string.format("sorting(%d) = %d", n, check))
