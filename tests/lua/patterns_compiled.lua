-- Patterns and formats are compiled at first use and kept: results and errors
-- are the same at every use, whatever else was used in between.

local function show(...)
  local t = table.pack(...)
  for i = 1, t.n do t[i] = tostring(t[i]) end
  return table.concat(t, "|")
end

local function try(f, ...)
  local r = table.pack(pcall(f, ...))
  if not r[1] then return "error: " .. tostring(r[2]):gsub("^[^:]*:%d+: ", "") end
  return show(table.unpack(r, 2, r.n))
end

local subjects = {
  "", "a", "aaa", "hello world", "key = value", "  trimmed text  ", "2024-11-05T10:20:30",
  "f(a(b)c)d", "<b>bold</b><i>it</i>", "x\0y\0z", "one;two;;four", "THE (quick) fox", "abcabc",
  "[[x]]", "a.b-c_d", "100%", "^start$", "aXbXc", "line\nnext\n",
}

local patterns = {
  "", "a", "a*", "a+", "a-", "a?", ".", ".*", ".-", ".+", "^", "$", "^$", "^a", "a$", "^.-$",
  "%a+", "%w+", "(%w+)%s*=%s*(%w+)", "^%s*(.-)%s*$", "^(%d+)-(%d+)-(%d+)", "%b()", "%b<>",
  "%f[%w]%w+", "%f[%W]", "%f[%z]", "(.)(.)%2%1", "(a)(b)(c)%1%2%3", "(abc)%1", "()", "()%a()",
  "((a)(.))", "[^;]*", "[^;]+", "[%w_.-]+", "[]]", "[^]]+", "[a-]", "[%a%d]+", "%%", "%^.*%$",
  ".-X", ".*X", "X.-X", "[aX]-c", "%s", "%S+", "%u+", "%l%u?", "[^\n]*\n", "\0", "%z", "[%z]+",
  "o w", "l+o", "(l*)(o?)", "%d%d?:%d*", "<(%a)>(.-)</%1>", "a.b", "a%.b", "-", "a--", "%-", "^^",
  "()%1", "x?y?z?", "(.-)%s*$", "%w+$",
  -- malformed, some of them only where matching gets to it
  "%", "a%", "z%", "[", "[a", "[^", "[]", "[^]", "[%", "[%]", "a[", "z[", "(", ")", "a)", "z)",
  "(a", "((a)", "(a))", "%1", "(%1)", "(a)%2", "%0", "%b", "%bx", "z%b", "%f", "%fa", "%f[a",
  "a*)", "z*)", "a-)", "(()", "%d+[", "%a+[", "a?%",
}

local function all()
  local out = {}
  for _, p in ipairs(patterns) do
    for _, s in ipairs(subjects) do
      out[#out + 1] = try(string.find, s, p)
      out[#out + 1] = try(string.match, s, p)
      out[#out + 1] = try(string.find, s, p, 3)
      out[#out + 1] = try(string.match, s, p, -2)
      out[#out + 1] = try(string.gsub, s, p, "<%0>")
      out[#out + 1] = try(string.gsub, s, p, "%1.%%", 2)
      out[#out + 1] = try(function()
        local t = {}
        for a, b in s:gmatch(p) do t[#t + 1] = show(a, b) end
        return table.concat(t, ",")
      end)
    end
  end
  return out
end

local function sum(t)
  local h = 5381
  for _, line in ipairs(t) do
    for i = 1, #line do h = (h * 33 + line:byte(i)) & 0xffffffff end
    h = (h * 33 + 10) & 0xffffffff
  end
  return h
end

local first = all()
print(#first, sum(first))

-- Some of it to look at.
for _, p in ipairs { "(%w+)%s*=%s*(%w+)", "^%s*(.-)%s*$", "%b()", "<(%a)>(.-)</%1>", ".-X", "%f[%w]%w+" } do
  for _, s in ipairs(subjects) do
    if s:find(p) then print(p, show(s:find(p)), show(s:gsub(p, "<%1>"))) end
  end
end
for _, p in ipairs { "%", "z%", "[a", "(a", "%1", "a)", "%bx", "%fa", "%0" } do
  print(p, try(string.find, "aaa", p))
end

local function same(what)
  local again = all()
  for i = 1, #first do
    if first[i] ~= again[i] then
      print(what, "differs at", i, first[i], again[i])
      return
    end
  end
  print(what, "same")
end

same("again")

-- More patterns than are kept, made at run time.
do
  local bad = 0
  for round = 1, 3 do
    for i = 1, 700 do
      local s = "x" .. i .. "y"
      if s:match("^x(" .. i .. ")y$") ~= tostring(i) then bad = bad + 1 end
      if s:match("^x(" .. i .. ")z$") then bad = bad + 1 end
      if s:gsub("%a" .. i, "<%0>") ~= "<x" .. i .. ">y" then bad = bad + 1 end
      if string.format("%d:" .. i .. ":%5s", i, "s") ~= i .. ":" .. i .. ":    s" then bad = bad + 1 end
    end
  end
  print("many", bad)
end
same("after many")

-- Patterns that the collector frees in between; others take their places.
do
  local bad = 0
  for round = 1, 20 do
    for i = 1, 20 do
      local c = string.char(96 + i)
      local p = "^(" .. c:rep(round) .. ")[" .. c .. "]*$"
      if c:rep(round + 2):match(p) ~= c:rep(round) then bad = bad + 1 end
      if (c:rep(round) .. "!"):match(p) then bad = bad + 1 end
    end
    collectgarbage()
  end
  print("collected", bad)
end
same("after collecting")

-- Long patterns are not kept.
do
  local long = ("%a"):rep(150) .. "(%d+)"
  local s = ("q"):rep(150) .. "42"
  print(s:match(long), s:match(long), try(string.match, s, long .. "["))
  print(("ab"):rep(3000):match(("ab"):rep(3000) .. "()"), ("ab"):rep(3000):find(("ab"):rep(3000)))
  print(try(string.match, ("x"):rep(250), ("x?"):rep(250)))
  print(try(string.match, ("x"):rep(150), ("x?"):rep(150)) == ("x"):rep(150))
  print(try(string.match, "y", ("x?"):rep(250) .. "(y)"))
  print(try(string.rep("()", 33).find, "a", string.rep("()", 33)))
  print(select("#", string.find("a", string.rep("()", 32))))
end

-- Callbacks that use patterns themselves, also so many that the program of
-- the call they come from is given up.
do
  local n = 0
  local function deep(s, level)
    return (s:gsub("(%a)(%d*)", function(a, d)
      n = n + 1
      if level > 0 then d = deep(a .. d, level - 1) end
      for i = 1, 30 do
        n = n + #("k" .. n):match("^k(" .. n .. ")$")
        n = n + 1
      end
      return "[" .. d .. "]"
    end))
  end
  print(deep("a1b2c3", 2), n)
  local words = {}
  for w in ("one two three four"):gmatch("%a+") do
    for i = 1, 300 do ("" .. i):find("^" .. i .. "()$") end
    for x in w:gmatch("%a+") do words[#words + 1] = x end
  end
  print(table.concat(words, ","))
  local a, b = ("a b c"):gmatch("%a"), ("1 2 3"):gmatch("%d")
  print(a(), b(), a(), b(), a(), b(), a(), b())
  for w in ("^a^b"):gmatch("^%a") do io.write(w, " ") end
  for w in ("a^b"):gmatch("^") do io.write(w, " ") end
  print(("a^b"):match("^"), ("a^b"):find("^b"), ("^b"):find("^%^b"))
end

-- Replacements.
for _, r in ipairs { "", "%", "x%", "%%", "%0%0", "%1", "%2", "%3", "%x", "a%1b%2c", "%1%", "%9%" } do
  print(r, try(string.gsub, "k=v", "(%w)=(%w)", r), try(string.gsub, "k=v", "=", r), try(string.gsub, "kv", "=", r))
end
print(try(string.gsub, "abc", "()b", "%1"), try(string.gsub, "abc", "%w", { a = 1, b = true, c = false }))
print(try(string.gsub, "abc", "%w", { a = 1.5, b = "x" }))

-- Formats, twice each.
local formats = {
  { "%d", 42 }, { "%5d|%-5d|%05d|%+d|% d", 1, 2, 3, 4, 5 }, { "%.3d|%8.3d", 7, -7 }, { "%i%%", 3 },
  { "%s %s", "a", 1 }, { "%10s|%-10s|%.2s", "abc", "abc", "abc" }, { "%s", true }, { "%s %s", nil, 2.5 },
  { "%c%c", 76, 117 }, { "%3c|%-3c|", 65, 66 }, { "%x %X %#x %o %#o", 255, 255, 255, 8, 8 },
  { "%08x|%-8x|%.4x|%#.0x|%#.0o", 255, 255, 255, 0, 0 }, { "%x %u", -1, -1 },
  { "%g %g %g %g", 1, 0.1, 1e20, 1e-7 }, { "%G %E", 1e-10, 12345.678 }, { "%.3g|%10.2g|%#g", 2 / 3, 2 / 3, 1 },
  { "%.14g %.17g %.1g", 0.1, 0.1, 0.95 }, { "%f %.0f %.1f %.2f %.10f", 1 / 3, 0.5, 0.25, 1.005, 2 / 3 },
  { "%5.2f|%-8.3f|%08.2f|%+.1f|% f", 3.14159, 2.71828, -1.5, 2.25, 1 }, { "%#.0f %.20f", 3, 0.1 },
  { "%e %.0e %#.0e %.15e", 12345.678, 5.5, 1, 0.1 }, { "%a %.1a %A", 1, 0.5, 255.5 },
  { "%f %g %e %5.1f", 1 / 0, -1 / 0, 1 / 0, -1 / 0 }, { "%q", 'a"b\\c\nd\0e\r1' }, { "%q %q %q", 1, 0.5, math.mininteger },
  { "%%" }, { "" }, { "100%% of %s%%", "x" }, { "%d", "10" }, { "%d", 3.0 }, { "%s", "a\0b" }, { "%.99f", 1 / 3 },
  { "%d", 1.5 }, { "%d", "x" }, { "%d" }, { "%s" }, { "%s %d", 1 }, { "%" }, { "%y", 1 }, { "%d %y", 1, 2 }, { "%y %d", 1, "x" },
  { "%0123456789012345678901d", 1 }, { "%123d", 1 }, { "%.123d", 1 }, { "%-#d", 1 }, { "%#d", "x" }, { "%+s", 1 },
  { "%5.5c", 65 }, { "%10q", "a" }, { "%5s", "a\0b" }, { "%.2q", 1 }, { "%q", {} }, { "%5", 1 }, { "%.3", 1 }, { "%l", 1 },
  { "%--5d|", 3 }, { "%00005d", 3 }, { "%.5.5f", 3 }, { "%5.f|%.f", 2.5, 3.5 }, { "%+c", 65 }, { "%0s", "x" }, { "% x", 1 },
}
for round = 1, 2 do
  local out = {}
  for i, f in ipairs(formats) do
    out[i] = try(string.format, table.unpack(f, 1, f[2] == nil and #f > 2 and 3 or math.max(#f, 1)))
    if round == 1 then print(f[1], out[i]) end
  end
  print(sum(out))
end
local mt = setmetatable({}, { __tostring = function() return string.format("<%s>", ("in"):gsub("%a", "%0%0")) end })
print(string.format("%s|%5s|%s", mt, mt, 1))

-- Numbers as text.
local numbers = {}
for e = -30, 30 do
  for _, m in ipairs { 1, 1.5, 2.25, 1 / 3, 9.9999999999999, 9.99999999999999, 0.1, 123456789.5, 4.35, 8.5 } do
    local x = m * 10.0 ^ e
    numbers[#numbers + 1] = tostring(x) .. " " .. -x
    numbers[#numbers + 1] = string.format("%g %.3g %.10g %.17g %e %.2f", x, x, x, x, x, x)
  end
end
print(#numbers, sum(numbers), numbers[301], numbers[302])
local ints = {}
for e = 0, 18 do
  for _, d in ipairs { -1, 0, 1 } do
    local x = math.tointeger(10 ^ e // 1) + d
    ints[#ints + 1] = x .. " " .. -x .. " " .. x * 0.5 .. string.format(" %d %x %5d", x, x, -x)
  end
end
print(#ints, sum(ints), ints[20], math.mininteger, math.maxinteger)
