-- test optimize
-- A call of what is not known to be a function: callee and arguments go through the
-- window, where the collector sees them.
-- present: call_window store_reg load_reg
-- absent: call_lua
local function run(f, x) return 1 + f(x) end
for i = 1, 20 do run(math.type and function(v) return v end or 1, i) run(os.time and tonumber, i) end
return run
-- expect
-- func "test:6" call params 2 stack 6
-- b0(v0: any, v1: any):
--   v2: int = guard_tag.int v1 [fs0 type]
--   v3: int = int 1
--   store_reg.3 v0
--   store_reg.5 v2
--   call_window.3.1.1 @s0
--   v4: any = load_reg.3
--   v5: int = guard_tag.int v4 [fs1 type]
--   v6: int = int_op.add v5, v3
--   return v6
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 4 regs r2=v3, r3=v4
-- s0: pc 3
-- end
