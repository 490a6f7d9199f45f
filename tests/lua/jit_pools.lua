-- A loop that runs while another entry of its function is compiled still leaves
-- for finalizers: what they write is seen.

local wait

local function step(list, arm)
  local n = list[4]
  if n == 400 then return wait(1) end
  if n == 500 then arm() end
  return n
end

function wait(depth)
  if depth == 1 then
    -- Another loop of the function, with literals of its own.
    local text, list = "", {key = "value", other = "thing"}
    for i = 1, 300 do
      list.key = list.other
      if i % 50 == 0 then text = text .. list.key .. i end
    end
    return #text
  end
  local finished = false
  local function arm() setmetatable({}, {__gc = function() finished = true end}) end
  local n, sum = 0, 0
  repeat
    n = n + 1
    local ok, v = pcall(step, {n, n, n, n}, arm)
    sum = sum + v
  until finished
  return n >= 500, sum > 0
end

for _ = 1, 3 do print(wait(0)) end
