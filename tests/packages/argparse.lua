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

-- a larger tool: nested commands, conversions, choices, mutexes, actions, completions
local function tool()
  local p = argparse("tool"):description("Keeps things."):epilog("See the manual."):help_max_width(78)
  p:option("-c --config"):description("Settings."):default("tool.cfg"):argname("<file>")
  p:option("-l --level"):choices({ "low", "mid", "high" }):default("mid"):show_default(true)
  p:option("--size"):convert(tonumber):default("10")
  p:option("--pair"):args(2):count("*"):argname({ "<key>", "<value>" })
  p:option("--define -D"):count("*"):action("concat"):args("1-2"):init({ "none" })
  p:option("--at"):convert({ number = 1, string = "two" }):hidden(true)
  p:mutex(p:flag("-q --quiet"), p:flag("-v --verbose"):action("count"):init(0), p:flag("--debug"))
  p:flag("--version"):action(function(r) r.version = "1.0" end)
  p:command_target("command")
  p:require_command(false)
  local add = p:command("add a", "Adds things."):summary("Adds.")
  add:argument("things"):args("1-3")
  add:flag("-f --force")
  add:option("-w --where"):default("here"):defmode("arg")
  local remote = p:command("remote"):description("Other places."):command_target("sub")
  local show = remote:command("show")
  show:flag("--all")
  show:argument("name"):args("?"):default("origin")
  remote:command("rename"):argument("old"):args(1):convert(string.upper)
  p:add_help_command()
  p:add_complete_command()
  return p
end
local function text(v)
  if type(v) ~= "table" then return tostring(v) end
  local keys, out = {}, {}
  for k in pairs(v) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, k in ipairs(keys) do out[i] = tostring(k) .. "=" .. text(v[k]) end
  return "{" .. table.concat(out, " ") .. "}"
end
local lines = {
  "", "-c x -l high", "-lhigh --size=3", "-l none", "--size x", "--pair a b --pair c d", "--pair a", "-D a b -D c", "-q -v", "-vvv",
  "-q --debug", "add x y z", "add x y z w", "a x -f", "add", "add x -w", "add x -w there", "remote show", "remote show up --all",
  "remote rename old", "remote renam old", "remote", "remote bogus", "bogus", "--verison", "--version", "-- x", "--at number",
  "--config", "-qv", "-vq", "add -fw there x",
}
for round = 1, 4 do
  for _, line in ipairs(lines) do
    local args = {}
    for word in line:gmatch("%S+") do args[#args + 1] = word end
    local ok, r = tool():pparse(args)
    if round == 4 then print(line, ok, text(r)) end
  end
end
local p = tool()
print(p:get_help())
print(p:get_usage())
local complete = { p:get_bash_complete(), p:get_zsh_complete(), p:get_fish_complete() }
for _, script in ipairs(complete) do
  local sum = 0
  for i = 1, #script do sum = (sum * 31 + script:byte(i)) % 2147483647 end
  print(#script, sum)
end
