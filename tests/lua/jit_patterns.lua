-- Patterns, lengths of strings and native iterators in hot loops.
local text = ("alpha, beta; gamma_1 = (delta + 42) -- note\n"):rep(60)

local function words(s)
  local n, total = 0, 0
  for w in s:gmatch("%a[%w_]*") do n, total = n + 1, total + #w end
  return n, total
end
for _ = 1, 30 do words(text) end
print(words(text))
print(words(""), words("x"), pcall(words, nil))

-- The iterator changes its results, its kind, and fails.
local function pairs_of(iterate, ...)
  local out = {}
  for a, b in iterate(...) do out[#out + 1] = tostring(a) .. "/" .. tostring(b) end
  return #out, out[1], out[#out]
end
for _ = 1, 200 do pairs_of(string.gmatch, "k=1, l=2", "(%w+)=(%w+)") end
print(pairs_of(string.gmatch, "k=1, l=2", "(%w+)=(%w+)"))
print(pairs_of(string.gmatch, "k=1, l=2", "()=()"))
print(pairs_of(ipairs, { 5, 6 }))
print(pairs_of(function(n) return function(_, i) if i < n then return i + 1, i * i end end, nil, 0 end, 4))
print(pairs_of(setmetatable, {}, { __call = function(t) t[1] = (t[1] or 0) + 1 if t[1] < 3 then return t[1] end end }))
print(pcall(pairs_of, tostring, 1))
print(pcall(pairs_of, string.gmatch, "x", "(x"))
print(pcall(pairs_of, string.gmatch, "x", "%"))

-- Lengths of strings, then of other things.
local function size(x) return #x end
for i = 1, 3000 do assert(size("abc") == 3) end
print(size(""), size({ 1, 2 }), size(setmetatable({}, { __len = function() return "seven" end })))
print(pcall(size, 12), pcall(size, nil))

-- Strings of one byte, by every way to come by them, across collections.
local seen = {}
for round = 1, 40 do
  for i = 0, 255 do
    local c = string.char(i)
    seen[c] = (seen[c] or 0) + 1
    assert(c == ("<" .. c .. ">"):sub(2, 2) and c:byte() == i)
  end
  if round % 10 == 0 then collectgarbage() end
end
local n = 0
for _, k in pairs(seen) do assert(k == 40) n = n + 1 end
print(n)
seen = nil
collectgarbage()
local again = {}
for i = 0, 255 do again[string.char(i)] = i end
for c, i in pairs(again) do assert(c:byte() == i and ("x" .. c):sub(-1) == c) end

-- What a match must go on with is found out before it is tried.
local function all(s, p)
  local out, at = {}, 1
  while at <= #s + 1 do
    local from, to = s:find(p, at)
    if not from then break end
    out[#out + 1] = from .. "-" .. to
    at = math.max(to, from) + 1
  end
  return table.concat(out, " ")
end
for _, p in ipairs({
  "%a+, ", "(%a+), (%a+)", "(.-);", "%((.-)%)", "[^,;]+[,;]", "%d+$", "%-%-.*", "()%u()", "((%a)%a*)_", "%f[%w]%w+%f[%W]",
  "(a)(l).-%2", "[%a_]-%s=", "%s*=%s*", "x*", "a*b", "a?l", "%b()", "-- [^\n]*\n", ".-\n$", "[+-]", "[]]", "[^%s%p]+",
}) do
  local one = text:sub(1, 44)
  local found
  for _ = 1, 40 do found = all(one, p) end
  print(p, found)
end
for _, p in ipairs({ "a+)b", "(a-b", "[a", "a+[b", "%", "a-%", "%f", "%b", "%bx", "(a*)%2", "()%1", ("(a)"):rep(33), ("a?"):rep(300) }) do
  print(#p < 20 and p or #p, pcall(string.find, ("a"):rep(400), p))
end
print(("x"):rep(20):gsub("x-", "."), ("a,b,,c"):gsub(",-", "."), ("abc"):gsub("", "-"), ("hello world"):gsub("o", "0", 1))
print(("one two"):gsub("(%w+) (%w+)", "%2 %1"), ("abc"):gsub("%w", "%0%0"), ("abc"):gsub("^a", "x"), ("aaa"):gsub("^a", "x"))
print(("one two"):gsub("%w+", { one = 1, two = false }), ("a b c d"):gsub("(%w) (%w)", function(...) return select("#", ...) end))
print("OK")
