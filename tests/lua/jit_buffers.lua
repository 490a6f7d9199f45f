-- Library functions that build strings, at and around the size up to which
-- nothing is allocated; plain searches with many false starts; packed lists.
local function check(n)
  local s = ("ab"):rep(n)
  assert(#s == 2 * n and (n == 0 or s:sub(-2) == "ab"))
  local t = {}
  for i = 1, n do t[i] = i % 3 == 0 and i or "s" .. i end
  local joined = table.concat(t, ", ")
  local back = 0
  for w in joined:gmatch("[^, ]+") do
    back = back + 1
    assert(w == tostring(t[back]))
  end
  assert(back == n)
  local r = joined:reverse()
  assert(r:reverse() == joined and #r == #joined)
  local f = string.format("%s|%10s|%-10s|%s", s, "x", "y", joined)
  assert(#f == #s + #joined + 23)
  assert(joined:upper():lower() == joined)
  return #joined + #f
end
local sum = 0
for round = 1, 6 do
  for n = 0, 300, 7 do sum = sum + check(n) end
end
for n = 250, 262 do sum = sum + check(n) end
print(sum)
print(("x"):rep(3, ","), ("x"):rep(1, ","), ("x"):rep(0, ","), (""):rep(5), ("x"):rep(-1), string.rep(12, 1), string.rep(1.5, 2, " "))
print(type(string.rep(7, 1)), string.rep(7, 1))

local text = ("a"):rep(100) .. "ab" .. ("a"):rep(1000) .. "abc" .. ("b"):rep(50)
local function where(needle, at) return text:find(needle, at, true) end
for _ = 1, 500 do where("abc") end
for _, needle in ipairs({ "", "a", "b", "ab", "abc", "abb", ("a"):rep(500), "c" .. ("b"):rep(50), "bb$" }) do
  print(#needle, where(needle), where(needle, 103), where(needle, -20), where(needle, #text + 1), where(needle, #text + 2))
end

local function packed(...) return table.pack(...) end
for i = 1, 1000 do assert(packed(i, nil, "x").n == 3) end
for _, p in ipairs({ packed(), packed(nil), packed(1, 2.5, "z"), packed(nil, nil, 3, nil) }) do
  print(p.n, #p >= 0, p[1], p[2], p[3], p[4])
end

-- Computed string keys: fields that are added, overwritten, widened, removed.
local function bump(t, k) t[k] = (t[k] or 0) + 1 return t[k] end
local counts = {}
for i = 1, 3000 do bump(counts, "k" .. i % 12) end
counts.k3 = nil
counts.k4 = 0.5
counts.k5 = "7"
for i = 1, 36 do bump(counts, "k" .. i % 12) end
for i = 0, 11 do io.write(tostring(counts["k" .. i]), " ") end
print()
local guarded = setmetatable({}, { __index = function(_, k) return #k end, __newindex = function(t, k, v) rawset(t, k, v * 10) end })
for i = 1, 40 do bump(guarded, "key" .. i % 3) end
print(guarded.key0, guarded.key1, guarded.key2)
print(pcall(bump, counts, nil), pcall(bump, { x = {} }, "x"))
print("OK")
