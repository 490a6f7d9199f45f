-- argparse: options, commands, help and errors.
local argparse = require "argparse"
local function parser()
  local p = argparse("prog", "A program.", "The end.")
  p:argument("input", "A file.")
  p:option("-o --output", "Where to.", "a.out")
  p:option("-I --include", "Where from."):count("*")
  p:flag("-v --verbose", "Says more."):count("0-2"):target("verbosity")
  p:require_command(false)
  p:command("install", "Puts it there."):option("-f --from")
  return p
end
local function show(...)
  local ok, r = parser():pparse({ ... })
  if not ok then return print(r) end
  local keys = {}
  for k in pairs(r) do keys[#keys + 1] = k end
  table.sort(keys)
  for i, k in ipairs(keys) do
    local v = r[k]
    keys[i] = k .. "=" .. (type(v) == "table" and "{" .. table.concat(v, ",") .. "}" or tostring(v))
  end
  print(table.concat(keys, " "))
end
show("in")
show("in", "-o", "x", "-Isrc", "-I", "lib", "-vv")
show("in", "install", "--from=here")
show()
show("in", "--outptu")
show("in", "-vvv")
print(parser():get_help())
print(parser():get_usage())
