-- A small integer is subtracted by adding its negation: -0.0 - 0 is 0.0, like -0.0 + 0.
local function sub_int(x) return x - 0 end
local function add_int(x) return x + 0 end
local function sub_float(x) return x - 0.0 end
local function constant() return ((-0.0) - 0) / 10 end
for i = 1, 40 do
  local x = i % 3 == 0 and i or -0.0
  show(sub_int(x), add_int(x), sub_float(x), constant(), sub_int(math.mininteger))
end
for i = 1, 40 do show(sub_int(-0.0), 1 / sub_int(-0.0)) end
