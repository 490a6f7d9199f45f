-- test optimize code-size=100000
-- Several results of a call are read from the window.
-- count: call_lua_multi=1
-- absent: call_window
local function work(x, y)
  if x > y then return x - y, y elseif x < 0 then return x + y, x end
  return x * y + (x & y) - (x | y) + (x ~ y), x
end
local function run(x) local a, b = work(x, 3) return a + b end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:9" call params 1 stack 5
-- p0: luafn line 9
-- p1: luafn line 5
-- watch closures of line 9: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v3: luafn = literal p1
--   v4: int = int 3
--   call_lua_multi.1.2 v3, v1, v4 @s0
--   v5: any = load_reg.1
--   v6: any = load_reg.2
--   guard_valid [fs1 invalidated]
--   v7: int = guard_tag.int v5 [fs2 type]
--   v8: int = guard_tag.int v6 [fs2 type]
--   v9: int = int_op.add v7, v8
--   return v9
-- fs0: pc 0 regs r0=v0
-- fs1: pc 4 regs r1=v5, r2=v6
-- fs2: pc 4 regs r1=v5, r2=v6
-- s0: pc 3
-- end
