-- A hot function specialised on integers meets floats, then strings, then a table.
local function f(a, b) return a * 2 + b - a // 3 end
local function mix(t) local s = 0 for i = 1, #t do s = s + f(t[i], i) end return s end
local ints, floats = {}, {}
for i = 1, 50 do ints[i] = i; floats[i] = i + 0.25 end
local s = 0
for i = 1, 3000 do s = s + f(i, 1) end
print(s, math.type(s))
for i = 1, 3000 do s = s + f(i + 0.5, 1) end
print(s, math.type(s))
print(f("10", 1), f("0x10", "2"), pcall(f, "x", 1))
print(pcall(f, {}, 1)); print(pcall(f, nil, 1)); print(pcall(f, 1, nil))
for _ = 1, 200 do assert(mix(ints) == mix(ints)) end
print(mix(ints), mix(floats)); ints[25] = 25.0; print(mix(ints)); ints[26] = "26"; print(mix(ints))
local ok, m = 0, nil
for i = 1, 3000 do local good, e = pcall(f, i % 1000 == 999 and {} or i, i) if good then ok = ok + 1 else m = e end end
print(ok, m)
-- back to integers: results keep their kind
local last; for i = 1, 3000 do last = f(i, i) end
print(last, math.type(last), f(3.0, 1), f(2^53, 1), f(math.maxinteger, 1))
print("OK")
