-- k_nucleotide: counts the substrings of a DNA sequence by length.
-- Stresses string.sub in a loop, tables with very many string keys used as counters,
-- table.sort with a comparison function, pairs.
-- quick: 20000
-- full: 2800000

local function sequence(n)
  local letters, last = {}, 42
  local names = { "A", "A", "A", "C", "C", "G", "G", "T", "T", "T" }
  for i = 1, n do
    last = (last * 3877 + 29573) % 139968
    letters[i] = names[math.floor(last * 10 / 139968) + 1]
  end
  return table.concat(letters)
end

local function count(text, k)
  local counts = {}
  for i = 1, #text - k + 1 do
    local word = text:sub(i, i + k - 1)
    counts[word] = (counts[word] or 0) + 1
  end
  return counts
end

local function report(text, k)
  local counts, words, total = count(text, k), {}, 0
  for word, c in pairs(counts) do
    words[#words + 1] = word
    total = total + c
  end
  table.sort(words, function(a, b)
    local ca, cb = counts[a], counts[b]
    if ca == cb then return a < b end
    return ca > cb
  end)
  for i = 1, math.min(#words, 4) do
    print(string.format("%s %.3f", words[i], counts[words[i]] * 100 / total))
  end
  return #words
end

local n = tonumber(arg and arg[1]) or 1200000
local text = sequence(n)
local distinct = 0
for _, k in ipairs({ 1, 2, 3, 4, 6, 12 }) do distinct = distinct + report(text, k) end
for _, word in ipairs({ "GGT", "GGTA", "GGTATT", "GGTATTTTAATT" }) do
  print(string.format("%d %s", count(text, #word)[word] or 0, word))
end
print(string.format("k_nucleotide(%d) = %d", n, distinct))
