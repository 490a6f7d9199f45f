-- test optimize settled
-- A function that failed too often relies on nothing that may change: no facts, but
-- tests.
-- absent: watch
-- present: call_lua
local function add(a, b) return a + b end
local function run(a) return (add(a, 1)) end
for i = 1, 20 do run(i) end
return run
