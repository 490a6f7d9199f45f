-- dkjson's own tests, from its package's documentation. The order of fields
-- in a text is not compared: it is that of `pairs`.
local doc = package.path:match("^(.-)/lua/") .. "/doc/"
local out = print
function print(...)
  local line = table.concat({ ... }, "\t")
  if line:find("encoded as", 1, true) then
    local fields = {}
    for field in line:gmatch("[^{},]+") do fields[#fields + 1] = field end
    table.sort(fields)
    line = table.concat(fields, " ")
  end
  out(line)
end
arg = { [0] = "jsontest.lua" }
assert(loadfile(doc .. "lua-dkjson/examples/jsontest.lua"))()
out("done")
