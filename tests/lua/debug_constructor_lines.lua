-- The lines of line events inside table constructors.
local function test(s)
  local out = {}
  debug.sethook(function(e,l) out[#out+1]=l end,"l"); local ok, e = pcall(load(s)); debug.sethook()
  print(table.concat(out, " "), ok)
end
function f() return 1 end
test"local t = {f(), f()}\nlocal u = 1"
test"local t = {\nf(),\nf()\n}\nlocal u = 1"
test"local t = {\nf(),\n2,\n3,\nf\n}\nlocal u = 1"
test"local t = {1,\n2,\n3}\nlocal u = 1"
test"local t = {1, f,\nf()}\nlocal u = 1"
test"local t = {1, nil\nand f,\nf()}\nlocal u = 1"
test"local t = {1, f\nand f,\nf()}\nlocal u = 1"
test"local t = {1, nil\nand f,\nf}\nlocal u = 1"
test"local t = {1, nil\nand f}\nlocal u = 1"
test"local t = {1, f\nor f}\nlocal u = 1"
test"local t = {\nx = f(), 2,\n3, y = f()\n}\nlocal u = 1"
test"local t = {\n2, x = f(),\n3, y = f()\n}\nlocal u = 1"
test"local t = {\n2,\n x = f(),\n3,\n y =\n f()\n}\nlocal u = 1"
test"local t = {\n2,\n [f()] =\n f(),\n3,\n y =\n f()\n}\nlocal u = 1"
test"local t = {{1,\n2}, {3,\n4},\n{5,6}}\nlocal u = 1"
test"local t = {{1,2}, {3,4},\n{5,6}}\nlocal u = 1"
test"for i = 1, 2 do local t = {i, i} end"
test"for i = 1, 2 do local t = {i,\n i} end"
test"for i = 1, 2 do\n local t = {i,\n i} end"
test"local t = {\n...}\nlocal u = 1"
test"local t = {1,2,\n...}\nlocal u = 1"
test"local t = {\n}\nlocal u = 1"
test"local t =\n{1, 2}\nlocal u = 1"
test"local t =\n{f(), 2}\nlocal u = 1"
test"f{\n1, 2}\nlocal u = 1"
test"f{\nf, 2\n}\nlocal u = 1"
test"return {\nf, 2\n}\n"
test"return {1, 2, 3\n,\n}\n"
test"local t = {f() + f(), - f\n}\nlocal u = 1"
test"local t = {f() +\n f(), -\n f()\n}\nlocal u = 1"
test"local t = {f(), function()\nend,\nfunction()\nend}\nlocal u = 1"
local many = {}
for i = 1, 120 do many[i] = i % 7 == 0 and "\nf()" or "f" end
test("local t = {" .. table.concat(many, ",") .. "}\nlocal u = 1")
