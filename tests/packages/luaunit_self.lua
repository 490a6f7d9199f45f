-- luaunit's own tests, from its package's documentation.
local doc = package.path:match("^(.-)/lua/") .. "/doc/"
package.path = doc .. "lua-unit/examples/?.lua;" .. package.path
local lu = require "luaunit"
require "test_luaunit"
local runner = lu.LuaUnit.new()
runner:setOutputType("tap")
local lines, out = {}, print
print = function(...) lines[#lines + 1] = table.concat({ ... }, "\t") end
local failures = runner:runSuite()
print = out
for _, line in ipairs(lines) do
  print((line:gsub("%d+%.%d+ seconds", "T"):gsub("on %a+ .*", "on D"):gsub("0x%x+", "P")))
end
print(failures)
