-- load, loadstring modes, dofile, loadfile, require, package.
print(load("return 1 + 1")()); print(load("syntax error here")); print(load("return ...", "=name")(5)); print(pcall(load("error('e')", "=mychunk")))
local parts = {"return ", "1", " + ", "2", nil}; local i = 0; print(load(function() i = i + 1 return parts[i] end)()); print(load(function() return nil end) ~= nil); print(pcall(load, "x", "n", "q"))
local env = {x = 5}; print(load("return x", "e", "t", env)()); load("y = 10", "e", "t", env)(); print(env.y, y); print(load("return _ENV", "e", "t", env)() == env); print(load("x = 1", "=c", "b"))
print(load("return function() return z end", "e", "t", {z = "closed env"})()()); print(load("local a <const> = 1; return a")()); print(type(load(""))); print(pcall(load("local function f() return f end return f() == f")))
-- files
local dir = os.tmpname(); os.remove(dir); local name = dir .. "_mod"; local path = name .. ".lua"
local function write(text) local f = assert(io.open(path, "w")) f:write(text) f:close() end
write("#!shebang line\nreturn 'from file', ...\n"); print(dofile(path)); print(loadfile(path)("arg")); print(loadfile(path .. ".missing") == nil, (select(2, loadfile(path .. ".missing")):gsub(".*:", ""))); print(pcall(dofile, path .. ".missing") == false)
write("syntax error"); print((select(2, loadfile(path)):gsub("^.*:(%d+)", "%1"))); write("local a, b = ...; loads = (loads or 0) + 1; return {name = a ~= nil, file = b ~= nil, n = loads}")
-- require
local base = name:match("[^/]+$"); package.path = name:match("^.*/") .. "?.lua;" .. package.path; local m = require(base); print(m.name, m.file, m.n, require(base) == m, loads, package.loaded[base] == m); print(select("#", require(base)))
package.loaded[base] = nil; print(require(base) == m, loads); print(package.searchpath(base, package.path) == path, package.searchpath("no.such", "./?.x;./?.y"))
write("return nil"); package.loaded[base] = nil; print((require(base))); write("return false"); package.loaded[base] = nil; print((require(base))); write("error('in module')"); package.loaded[base] = nil; print(pcall(require, base) == false)
package.preload.virtual = function(n, extra) return {n = n, extra = extra} end; print(require("virtual").n, require("virtual").extra, require("virtual") == require("virtual")); print(require("string") == string, require("_G") == _G, package.loaded.table == table)
local ok, msg = pcall(require, "no.such.module"); print(ok, msg:match("^module 'no.such.module' not found:"), msg:match("no field package.preload%['no.such.module'%]")); write("x ="); package.loaded[base] = nil; print(pcall(require, base) == false); print(type(package.config), type(package.cpath), #package.searchers >= 2)
os.remove(path); print(io.open(path) == nil)
-- environments
local function setfenvish() local _ENV <const> = {tostring = tostring}; v = 1 return tostring(v), print == nil end; print(setfenvish()); print(v); local G = _G; G.dyn = 1; print(dyn); dyn = nil; print(rawget(_G, "dyn"))
print(type(load("a.b.c = 1", "=x"))); print(pcall(load("a.b.c = 1", "=x"))); print(#tostring(load("return 1")) > 10, type(load("return 1")), load("return _VERSION")())
print("OK")
