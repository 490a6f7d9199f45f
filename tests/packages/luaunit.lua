-- luaunit: a suite with failures, errors and skips; times are left out.
local lu = require "luaunit"
TestNumbers = {}
function TestNumbers:setUp() self.one = 1 end
function TestNumbers:testEqual() lu.assertEquals(self.one + 1, 2) end
function TestNumbers:testFails() lu.assertEquals({ 1, { 2, 3 } }, { 1, { 2, 4 } }) end
function TestNumbers:testError() lu.assertErrorMsgContains("no", function() error("no way") end) end
function TestNumbers:testSkip() lu.skip("later") end
function TestNumbers:testRaises() local t = nil return t.x end
TestTexts = {}
function TestTexts:testContains() lu.assertStrContains("some text", "text") end
function TestTexts:testItems() lu.assertItemsEquals({ 1, 2, 3 }, { 3, 2, 1 }) end
function TestTexts:testAlmost() lu.assertAlmostEquals(0.1 + 0.2, 0.3, 1e-12) end
local runner = lu.LuaUnit.new()
runner:setOutputType("tap")
local lines = {}
local write, out = print, print
print = function(...) lines[#lines + 1] = table.concat({ ... }, "\t") end
local failures = runner:runSuite()
print = out
for _, line in ipairs(lines) do print((line:gsub("%d+%.%d+ seconds", "T"):gsub("on %a+ .*", "on D"):gsub("0x%x+", "P"))) end
print(failures)
