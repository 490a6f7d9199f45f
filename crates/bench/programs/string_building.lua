-- string_building: makes text in the ways Lua programs do.
-- Stresses concatenation in loops, table.concat, string.format, rep, sub, char and
-- byte, upper and reverse, gsub, and the interning of many short strings.
-- quick: 60
-- full: 8500

local function digest(s)
  local h = 7
  for i = 1, #s, 17 do h = (h * 31 + s:byte(i)) % 16777213 end
  return h
end

local function by_append(n)
  local s = ""
  for i = 1, n do
    s = s .. i .. ","
    if #s > 400 then s = s:sub(-100) end
  end
  return s
end

local function by_table(n)
  local parts = {}
  for i = 1, n do parts[#parts + 1] = "item" .. i % 100 end
  return table.concat(parts, ";")
end

local function by_format(n)
  local parts = {}
  for i = 1, n do
    parts[i] = string.format("%05d:%s:%6.2f|", i, i % 2 == 0 and "even" or "odd", i / 3)
  end
  return table.concat(parts)
end

local function by_char(n)
  local bytes = {}
  for i = 1, n do bytes[i] = string.char(97 + i * 7 % 26) end
  return table.concat(bytes)
end

local function caesar(s)
  return (s:gsub("%l", function(c) return string.char((c:byte() - 97 + 13) % 26 + 97) end))
end

local function columns(rows)
  local lines = {}
  for i = 1, rows do
    local left = ("x"):rep(i % 20)
    lines[i] = left .. (" "):rep(20 - #left) .. "|" .. left:upper():reverse()
  end
  return table.concat(lines, "\n")
end

local rounds = tonumber(arg and arg[1]) or 4000
local sum, length = 0, 0
for _ = 1, rounds do
  for _, s in ipairs({ by_append(500), by_table(500), by_format(300), by_char(500), columns(100) }) do
    sum = (sum + digest(s)) % 16777213
    length = length + #s
  end
  sum = (sum + digest(caesar(by_char(300)))) % 16777213
end
print(string.format("string_building(%d) = %d %d", rounds, length, sum))
