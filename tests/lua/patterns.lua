-- Patterns: classes, sets, anchors, captures, back references, %b, %f, gmatch, errors.
local function m(s, p, i) print(p, string.match(s, p, i)) end
m("hello 123 world", "%d+"); m("hello", "^h"); m("hello", "o$"); m("hello", "^hello$"); m("key = value", "(%w+)%s*=%s*(%w+)")
m("  trim  ", "^%s*(.-)%s*$"); m("abc", "()b()"); m("aXb", "%u"); m("x", "%%"); m("50%", "%%"); m("a-b", "[a%-]+")
m("[[x]]", "%[%[(.*)%]%]"); m("f(a(b)c)d", "%b()"); m("THE (quick) fox", "%f[%a]%a+%f[%A]"); m("aaa", "a-"); m("aaab", "a-b")
m("abcabc", "(abc)%1"); m("abcabd", "(ab)c%1"); m("0x1F", "^0[xX](%x+)$"); m("a.b", "a%.b"); m("axb", "a.b")
m("\0a\0", "%z"); m("a\0b", "[%z]"); m("abc", "[^a]+"); m("]", "[]]"); m("^", "[%^]"); m("a^", "[a^]+"); m("-", "[a-]"); m("éa", "%a")
m("2024-01-15", "(%d+)-(%d+)-(%d+)"); m("aaa", "a?a?a?a"); m("", ".*"); m("", ".+"); m("abc", "b", 3); m("abc", "b", -2); m("abc", "")
m("hello", "(h)(e)(l)(l)(o)"); m("x=1,y=2", "y=(%d)"); m("  x", "^%S"); m("ab12", "^[%a_][%w_]*$"); m("abc", "^(a)(.*)$")
for k, v in string.gmatch("a=1, b=2, c=3", "(%w+)=(%w+)") do io.write(k, "->", v, " ") end print()
for w in string.gmatch("one two", "%a+") do io.write("[", w, "]") end print()
for p in string.gmatch("abc", "()") do io.write(p, " ") end print()
for a in string.gmatch("abab", "^a") do io.write("anchored ", a) end print()
for x in string.gmatch("aXbXc", "[^X]*") do io.write("<", x, ">") end print()
for x in string.gmatch("hello", "l", 4) do io.write(x, ";") end print()
for _, bad in ipairs {"[a", "[]", "(", ")", "%", "(()", "%1", "%b", "%f", "[%", "(a)%2", "[a-"} do
  print(bad, pcall(string.match, "aaa", bad))
end
print(string.find("a+b", "+", 1, true), string.find("abc", "b()"), string.find("abc", "(b)(c)"))
print(string.match(("a"):rep(1000), ("a?"):rep(20) .. ("a"):rep(20)) ~= nil)
print(pcall(string.rep, "x", -1), #string.match(("x"):rep(5000), ".-$"))
print(string.match("caf\xe9 x", "%w+"), string.match("tab\tx", "%c") == "\t", string.match("a,b;c", "%p"))
print(string.match("abc", "((a)(b))"), string.match("k", "(k)()"), string.find("abc", "[b-]"), string.find("a-c", "[+--]"))
print("OK")
