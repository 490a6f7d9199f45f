-- goto, labels, scoping rules and their syntax errors.
local out = {}
for i = 1, 5 do
  for j = 1, 5 do
    if j == 3 then goto next_i end
    if i == 4 then goto done end
    out[#out + 1] = i * 10 + j
  end
  ::next_i::
end
::done::
print(table.concat(out, " "))
do local i = 1
  ::top::
  if i <= 3 then io.write(i, " ") i = i + 1 goto top end
  print()
end
for i = 1, 6 do
  if i % 2 == 0 then goto continue end
  io.write(i, ",")
  ::continue::
end
print()
-- goto out of nested functions is an error; labels are visible in nested blocks
do goto inner_end; do error("skipped") end ::inner_end:: end
local k = 0
repeat
  k = k + 1
  if k == 2 then goto cont end
  io.write("k", k, " ")
  ::cont::
until k >= 4
print()
-- closures made in a goto loop have variables of their own
local fs = {}
do
  local n = 0
  ::again::
  local x = n
  fs[#fs + 1] = function() x = x + 1 return x end
  n = n + 1
  if n < 3 then goto again end
end
print(fs[1](), fs[2](), fs[3](), fs[1]())
-- a state machine
local function machine(s)
  local i, tokens, c = 1, 0, nil
  ::start::
  c = s:sub(i, i)
  i = i + 1
  if c == "" then goto finish elseif c:match("%a") then goto word else goto start end
  ::word::
  tokens = tokens + 1
  while s:sub(i, i):match("%a") do i = i + 1 end
  goto start
  ::finish::
  return tokens
end
print(machine("one two  three"), machine(""), machine("  "))
local ok, msg = load([[local s = ...
  goto x
  local y
  ::x:: print(y)]])
print(ok, msg)
for _, src in ipairs {
  "goto nowhere", "::a:: ::a::", "do ::a:: end goto a", "break", "goto f; local a; ::f:: print(a)",
  "local function f() goto out end ::out::", "for i = 1, 2 do ::l:: end goto l", "::a:: do ::a:: end", "repeat goto c; local x; ::c:: until x",
} do
  print(load(src, "=c"))
end
-- jumping to a label at the end of a block is allowed past locals
do goto e; local x; ::e:: end
do goto e2; local x; ::e2:: ; ; end
-- backwards jumps close variables
local closed = {}
do
  local i = 0
  ::b::
  do local c <close> = setmetatable({}, {__close = function() closed[#closed + 1] = i end}) i = i + 1 if i < 3 then goto b end end
end
print(table.concat(closed, " "))
while true do if k > 10 then break end k = k + 1 end
print(k)
print("OK")
