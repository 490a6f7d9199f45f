-- The lines of line events inside statements that span several, and of errors there.
local function test(s)
  local out = {}
  debug.sethook(function(e,l) out[#out+1]=l end,"l"); load(s)(); debug.sethook()
  print(table.concat(out," "))
end
test[[
     local b = {10}
     a = b[1] 

 + 

 b[1]
     b = 4
]]
test[[local f = function() end local a = {
1,
2,
x = 3,
f = function() end}
local b = a
[1]
local c = a.x ..
 a.x ..
 "s"
f(
 1,
 b,
 c
)
local d = not
 a
local e = -
 1
a.
x
=
7
return (a.
 x)
]]
test[[
local a = 1
if
 a
 ==
 1
then
 a = 2
end
while
 a
 <
 5
do
 a =
 a + 1
end
local t = {}
t[a
 +1
] =
 5
local x, y =
 1,
 a
x, y =
 y,
 x
for i =
 1,
 2 do
 x = i
end
repeat local z = x
until
 z
 > 0
]]

local function fails(s) print(select(2, pcall(load(s, "=s")))) end
fails"local a\nreturn 1 <\na"
fails"local a\nreturn 1\n<\na"
fails"local a\nreturn a\n.\nx\n+ 1"
fails"local a\nreturn (a.x\n)"
fails"local a = {}\nreturn a.x.y\n.. 'x'"
fails"local a = {}\nreturn {a.x\n.y,\n 1}"
fails"local a\nreturn tostring(\na.x,\n1)"
fails"local a\nreturn tostring(\n1,\na.x\n)"
fails"local a = 1\nreturn a\n+\n{}\n* 2"
fails"local a\nif a\n>\n1\nthen end"
fails"local a\nreturn #\na"
fails"local a\na\n.\nx\n=\n1"
