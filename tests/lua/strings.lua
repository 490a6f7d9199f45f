-- String library: sub, byte, char, rep, reverse, case, len, find with init, comparison, escapes.
local s = "hello world"
assert(#s == 11 and s:len() == 11 and s:upper() == "HELLO WORLD" and s:reverse() == "dlrow olleh")
assert(s:sub(1, 5) == "hello" and s:sub(-5) == "world" and s:sub(3, -3) == "llo wor")
assert(s:sub(0) == s and s:sub(-100, 3) == "hel" and s:sub(5, 2) == "" and s:sub(20) == "")
assert(s:sub(math.mininteger, math.maxinteger) == s and s:sub(2, 2) == "e" and s:sub(-1, -1) == "d")
assert(s:byte() == 104 and s:byte(-1) == 100 and s:byte(20) == nil)
print(s:byte(1, 4)); print(("abc"):byte(0, 10)); print(select("#", s:byte(5, 1)))
assert(string.char() == "" and string.char(72, 105) == "Hi" and #string.char(0, 255) == 2)
print(pcall(string.char, 256)); print(pcall(string.char, -1))
assert(("ab"):rep(3) == "ababab" and ("ab"):rep(3, "-") == "ab-ab-ab" and ("x"):rep(0) == "" and ("x"):rep(-1) == "")
print(pcall(string.rep, "x", 1 << 62))
-- find
print(s:find("o")); print(s:find("o", 6)); print(s:find("o", -4)); print(s:find("xyz")); print(s:find(""))
print(s:find("", 12)); print(s:find("", 13)); print(s:find("l+")); print(s:find("(l)(o)")); print(s:find("o w", 1, true))
print(("a.b"):find(".", 1, true)); print(("a+b"):find("+", 1, true)); print(s:find("l", -100)); print(("a\0b"):find("\0"))
-- escapes
assert("\65\066\x43\u{44}\z
        E" == "ABCDE")
assert("\a\b\f\n\r\t\v\\\"\'" == string.char(7, 8, 12, 10, 13, 9, 11, 92, 34, 39))
assert("\u{7FFFFFFF}" == "\xFD\xBF\xBF\xBF\xBF\xBF" and "\u{20AC}" == "\xE2\x82\xAC" and #"\u{10FFFF}" == 4)
assert("line1\
line2" == "line1\nline2")
assert([[
first newline skipped]] == "first newline skipped" and [==[a]]b]=]c]==] == "a]]b]=]c")
assert([[\n]] == "\\n" and '"' == "\"" and #[[

]] == 1)
assert("\0" ~= "" and #"\0\0" == 2 and "a\0b" < "a\0c" and ("\0"):byte() == 0)
-- concatenation and numbers
assert(1 .. 2 == "12" and 1.5 .. "" == "1.5" and -1 .. "" == "-1" and "a" .. "b" .. "c" == "abc")
assert(2^53 .. "" == "9.007199254741e+15" and 1e15 .. "" == "1e+15" and 123456.0 .. "" == "123456.0")
local parts = {}
for i = 1, 300 do parts[i] = i % 10 end
local long = table.concat(parts)
assert(#long == 300 and long:sub(1, 10) == "1234567890")
-- methods on literals, indexing strings
assert(("x").rep == string.rep and ("%d"):format(5) == "5" and #"abc" == 3 and ("abc").x == nil)
print(pcall(function() local q = "abc" q.x = 1 end))
print(pcall(function() return ("x"):nope() end))
print(pcall(string.sub)); print(pcall(string.upper, nil)); print(pcall(("x").rep, "x", {}))
print(pcall(string.len, 5), pcall(string.len, {}))
-- interning: equal long and short strings as keys
local a, b = ("k"):rep(100), ("kk"):rep(50)
local t = {[a] = 1}
assert(a == b and t[b] == 1 and t[("k"):rep(99)] == nil)
print(("%s|%5s|%-5s|%.2s"):format("abc", "ab", "ab", "abc"))
print("OK")
