-- A global function, a library function and a global variable are redefined while hot.
function work(x) return x + 1 end
local function loop(n) local s = 0 for i = 1, n do s = s + work(i) end return s end
print(loop(3000)); print(loop(3000))
function work(x) return x * 2 end
print(loop(3000))
work = function(x) return x / 2 end
print(loop(3000))
-- redefined from inside the loop
function step(i) if i == 2000 then step = function() return 100 end end return 1 end
local s = 0
for i = 1, 3000 do s = s + step(i) end
print(s)
-- builtins
local function floors(n) local t = 0 for i = 1, n do t = t + math.floor(i / 2) end return t end
print(floors(3000)); local old = math.floor; math.floor = function(x) return 1 end; print(floors(3000)); math.floor = old; print(floors(3000))
-- a global number that changes kind, then vanishes
counter = 0
local function bump() counter = counter + 1 return counter end
for i = 1, 3000 do bump() end
print(bump()); counter = 0.5; print(bump()); counter = "10"; print(bump()); counter = nil; print(pcall(bump)); counter = {}; print(pcall(bump)); counter = 1; print(bump())
-- a function replaced by a callable table, by nil
function job() return "function" end
local function run() return job() end
for i = 1, 3000 do assert(run() == "function") end
job = setmetatable({}, {__call = function() return "callable" end}); print(run()); job = nil; print(pcall(run)); job = 5; print(pcall(run)); job = print; print(run())
-- _G itself gets a metatable
local function missing() return undefined_name end
for i = 1, 3000 do assert(missing() == nil) end
setmetatable(_G, {__index = function(_, k) return "global " .. k end}); print(missing()); setmetatable(_G, nil); print(missing()); undefined_name = 7; print(missing()); undefined_name = nil; print(missing())
print("OK")
