-- test optimize settled
-- A function that failed too often relies on nothing that may change: it looks at
-- the captured variable and calls what is there.
-- absent: watch guard guard_tag guard_shape
-- present: load_cell call_window
local function add(a, b) return a + b end
local function run(a) return (add(a, 1)) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:7" call params 1 stack 5
-- b0(v0: any):
--   v1: luafn = self_closure
--   v2: cell = upval.0 v1
--   v3: any = load_cell v2
--   v4: int = int 1
--   store_reg.1 v3
--   store_reg.3 v0
--   store_reg.4 v4
--   call_window.1.2.1 @s0
--   v5: any = load_reg.1
--   return v5
-- s0: pc 3
-- end
