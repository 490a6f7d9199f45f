-- Syntax errors in PUC's words; deeply nested source gives an error, not a crash.
local function e(src) local f, m = load(src, "=src") print(f and "accepted" or m) end
for _, src in ipairs {
  "x =", "x = = 1", "local 1", "if x then", "if x", "for", "for i", "for i = 1", "for i = 1, 2", "for i in", "for i, 2 in x do end", "while true", "while true do", "repeat", "repeat until", "function", "function f", "function f(", "function f(a,", "function f(a b) end", "return 1 2", "return return", "local function", "local function f", "end", "until x", "else", "elseif",
  "x", "x y", "f(", "f(1,", "f(1", "t = {", "t = {1", "t = {1,", "t = {[1]", "t = {[1] =", "t = {a =", "a.", "a:", "a:b", "a[", "a[1", "(a", "a = (1", "a = 1 +", "a = not", "a = -", "a = #", "a = 'x", "a = \"x", "a = \"x\ny\"", "a = [[x", "a = [==[x]]", "--[[x", "a = '\\q'", "a = '\\300'", "a = '\\xZZ'", "a = '\\u{110000000}'", "a = '\\u{zz}'", "a = '\\u12'", "a = '\\x1'",
  "a = 1e", "a = 0x", "a = 1..2", "a = 1.2.3", "a = 3x", "a = 0xg", "a = 1e+", "a = 08 .. 'ok'", "a = @", "a = $", "a = `", "a ! b", "a != b", "a = b ? c", "a = 1 ~= ", "a = b =", "1 = a", "a() = 1", "(a) = 1", "a, b() = 1, 2", "local a.b = 1", "local a <const>", "local a <bad> = 1", "x = function", "x = function(", "x = function() ", "...", "x = ...; function f() return ... end", "return ...", "break", "goto", "goto 1", "::a", "::a::::a::", "for a.b = 1, 2 do end", "local t = {...}; function g(...) return ... end", "x = }", "x = ]", "a = 'unfinished\\", "a = '\\z", "do", "do do end", ";;;", "a = {,}", "a = {;}", "a = {1;2,3;}", "f{1}.x = 5", "f'x'.y = 5", "a.b:c'd'.e = 1", "return;", "return; x = 1", "a = a.1", "a = a.end", "and", "a = and", "nil = 1", "local nil", "local x = 5 5", "a = 5 a = 6", "a = f\n(g)", "--[==[ x ]=] ]==] a = 1", "goto continue; ::continue::", "local function f() goto l end ::l::", "local a <close>, b <close> = 1, 2",
} do io.write(src:gsub("\n", "\\n"), "  ->  "); e(src) end
local n = 200000
for _, pair in ipairs {{"(", ")"}, {"{", "}"}, {"a[", "]"}, {"f(", ")"}, {"- ", ""}, {"not ", ""}, {"do ", " end"}, {"while 1 do ", " end"}, {"function() ", " end"}, {"return function() ", " end"}, {"if 1 then ", " end"}, {"a..", ""}, {"2^", ""}, {"a=a..a,", ""}} do
  local open, close = pair[1], pair[2]
  local statement = open:match("^do") or open:match("^while") or open:match("^return") or open:match("^if") or open:match("=")
  local prefix = statement and "" or "return "
  local f, m = load(prefix .. open:rep(n) .. "1" .. close:rep(n), "=deep")
  print(open, f == nil, type(m))
end
print(load(("a = 1\n"):rep(5000) .. "a = = 2", "=lines")); print(load("local " .. ("a,"):rep(300) .. "a = 1", "=locals")); print(load("return '" .. ("x"):rep(200) .. "' 1", "=long"));
print(load("\n\n\nlocal x = 5 +\n\n* 2", "=pos")); print(load("x = 'a\\\nb' = 1", "=pos2")); print(load("-- comment\n--[[ long\ncomment ]] x x", "=pos3")); print(load("return 1", "=ok")()); print(load("\xEF\xBB\xBFreturn 1", "=bom")); print(load("return \1", "=ctl")); print(load("x = 'a\0b' y", "=nul"))
print("OK")
