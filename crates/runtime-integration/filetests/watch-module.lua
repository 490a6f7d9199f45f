-- test optimize
-- A function in a module in a captured variable: two facts, no loads.
-- absent: load_slot guard_shape call_lua find_field upval load_cell
-- present: watch int_op.mul
local M = { sub = {} }
function M.sub.square(x) return x * x end
local function run(x) return (M.sub.square(x)) end
for i = 1, 20 do run(i) end
return run
