-- records: a small in-memory database of records with string keys.
-- Stresses tables with many fields, field access by variable name, pairs over records,
-- grouping and joining with hash tables, keys made at run time, removal by nil.
-- quick: 30

local fmod = math.fmod

local FIRST = { "Ada", "Ben", "Cleo", "Dirk", "Esa", "Finn", "Gro", "Hal" }
local CITY = { "Oslo", "Bern", "Rome", "Kyiv", "Lima" }

local function make_people(n)
  local people = {}
  for i = 1, n do
    people[i] = {
      id = i,
      name = FIRST[i % #FIRST + 1] .. "-" .. i,
      city = CITY[i * 7 % #CITY + 1],
      age = 18 + i * 13 % 60,
      salary = 1000 + i * 37 % 4000,
      manager = i > 1 and math.floor(i / 2) or nil,
    }
  end
  return people
end

local function index_by(rows, field)
  local index = {}
  for _, row in ipairs(rows) do index[row[field]] = row end
  return index
end

local function group_by(rows, field)
  local groups, order = {}, {}
  for _, row in ipairs(rows) do
    local key = row[field]
    local group = groups[key]
    if not group then
      group = { key = key, count = 0, total = 0, rows = {} }
      groups[key] = group
      order[#order + 1] = group
    end
    group.count = group.count + 1
    group.total = group.total + row.salary
    table.insert(group.rows, row)
  end
  return order
end

local function where(rows, conditions)
  local out = {}
  for _, row in ipairs(rows) do
    local keep = true
    for field, wanted in pairs(conditions) do
      if row[field] ~= wanted then keep = false end
    end
    if keep then out[#out + 1] = row end
  end
  return out
end

local function copy(row)
  local c = {}
  for k, v in pairs(row) do c[k] = v end
  return c
end

local function update(row, changes)
  for k, v in pairs(changes) do row[k] = v end
  return row
end

local function chain_length(by_id, row)
  local n = 0
  while row.manager do
    row = by_id[row.manager]
    n = n + 1
  end
  return n
end

local rounds = tonumber(arg and arg[1]) or 1800
local people = make_people(1500)
local check = 0
for round = 1, rounds do
  local by_id, by_name = index_by(people, "id"), index_by(people, "name")
  for _, group in ipairs(group_by(people, "city")) do
    check = fmod(check + group.count * #group.key + group.total, 1000003)
  end
  local chosen = where(people, { city = CITY[round % #CITY + 1], age = 18 + round % 60 })
  for _, row in ipairs(chosen) do
    local changed = update(copy(row), { salary = row.salary + 10, bonus = round })
    check = fmod(check + changed.salary + changed.bonus, 1000003)
    by_name[row.name] = nil
  end
  local left = 0
  for _ in pairs(by_name) do left = left + 1 end
  for i = 1, #people, 3 do check = fmod(check + chain_length(by_id, people[i]), 1000003) end
  check = fmod(check + left, 1000003)
  local settings = {}
  for i = 1, 200 do settings["option_" .. i] = i end
  for i = 1, 200, 2 do settings["option_" .. i] = nil end
  for i = 1, 200 do check = fmod(check + (settings["option_" .. i] or 0), 1000003) end
end
print(string.format("records(%d) = %d", rounds, check))
