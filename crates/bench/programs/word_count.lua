-- word_count: makes a text, splits it with patterns, counts and rewrites words.
-- Stresses string.gmatch, gsub with patterns and captures, lower, find, format,
-- counters in a table with string keys.
-- quick: 8

local SYLLABLES = { "ka", "lo", "mi", "ner", "su", "tal", "ve", "zor" }

local function make_text(words)
  local out, seed = {}, 77
  local function random(n)
    seed = (seed * 3877 + 29573) % 139968
    return math.floor(seed * n / 139968) + 1
  end
  for i = 1, words do
    local word = SYLLABLES[random(8)] .. SYLLABLES[random(8)]
    if random(3) == 1 then word = word .. SYLLABLES[random(8)] end
    if i % 11 == 1 then word = word:gsub("^%l", string.upper) end
    if i % 11 == 0 then
      word = word .. "."
    elseif i % 7 == 0 then
      word = word .. ","
    end
    out[i] = word
    if i % 12 == 0 then out[i] = word .. "\n" end
  end
  return table.concat(out, " ")
end

local function count_words(text)
  local counts, total = {}, 0
  for word in text:gmatch("%a+") do
    word = word:lower()
    counts[word] = (counts[word] or 0) + 1
    total = total + 1
  end
  return counts, total
end

local function top(counts, n)
  local list = {}
  for word, count in pairs(counts) do list[#list + 1] = { word = word, count = count } end
  table.sort(list, function(a, b)
    return a.count > b.count or (a.count == b.count and a.word < b.word)
  end)
  local out = {}
  for i = 1, n do out[i] = string.format("%s:%d", list[i].word, list[i].count) end
  return table.concat(out, " "), #list
end

local function wrap(line, width)
  local out, at = {}, 1
  while #line - at >= width do
    local stop = at + width
    while stop > at and line:sub(stop, stop) ~= " " do stop = stop - 1 end
    out[#out + 1] = line:sub(at, stop - 1)
    at = stop + 1
  end
  out[#out + 1] = line:sub(at)
  return out
end

local rounds = tonumber(arg and arg[1]) or 450
local text = make_text(4000)
local words, lines, changed, best, distinct = 0, 0, 0, nil, 0
for _ = 1, rounds do
  local counts, total = count_words(text)
  words = words + total
  best, distinct = top(counts, 5)
  for line in text:gmatch("[^\n]+") do lines = lines + #wrap(line, 30) end
  local swapped, n = text:gsub("(%a+), (%a+)", "%2; %1")
  local marked, m = swapped:gsub("%u%l*", function(word) return "<" .. word .. ">" end)
  changed = changed + n + m + (#marked - #text)
  local at, found = 1, 0
  while true do
    local from, to = text:find("kalo", at, true)
    if not from then break end
    found, at = found + 1, to + 1
  end
  changed = changed + found
end
print(best)
print(string.format("word_count(%d) = %d %d %d %d", rounds, words, distinct, lines, changed))
