-- Single characters by sub: every position, inside and outside, all bytes.
local s = ""
for i = 0, 255 do s = s .. string.char(i) end
local function at(s, i) return s:sub(i, i) end
local function sum(s, from, to)
  local n, h = 0, 0
  for i = from, to do
    local c = at(s, i)
    n = n + #c
    if c ~= "" then h = (h * 31 + c:byte()) % 1000003 end
  end
  return n, h
end
for _ = 1, 5 do print(sum(s, 1, 256)) end
print(sum(s, -300, 300), sum("", -3, 3), sum("a", -3, 3))
print(at("abc", 0), at("abc", 4), at("abc", -1), at("abc", -3), at("abc", -4), at("abc", math.maxinteger), at("abc", math.mininteger))
print(("abc"):sub(1, 1), ("abc"):sub(-1, -1), ("abc"):sub(2, 2), (""):sub(1, 1))
local function count(text)
  local seen = {}
  for i = 1, #text do
    local c = text:sub(i, i)
    seen[c] = (seen[c] or 0) + 1
  end
  return seen
end
for _ = 1, 3 do
  collectgarbage()
  local seen = count(("the quick brown fox jumps over the lazy dog "):rep(20))
  print(seen.e, seen.o, seen[" "], seen.z, seen["!"])
end
print(pcall(at, 5, 1), pcall(at, "x", 1.0), pcall(at, "x", "1"))
print(pcall(at, "x", 1.5))
print(pcall(at, {}, 1))
