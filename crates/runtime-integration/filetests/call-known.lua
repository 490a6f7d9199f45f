-- test optimize code-size=100000
-- A known callee that is not inlined: a call through its entry, with the arguments in
-- registers, no test of the callee, and the result's type guarded.
-- count: call_lua=1
-- absent: call_window store_reg load_reg same_object
-- present: guard_tag.int guard_valid
local function work(x, y)
  if x > y then return x - y elseif x < 0 then return x + y end
  return x * y + (x & y) - (x | y) + (x ~ y)
end
local function run(x) return 1 + work(x, 3) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:11" call params 1 stack 6
-- p0: luafn line 11
-- p1: luafn line 7
-- watch closures of line 11: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v2: int = int 1
--   v4: luafn = literal p1
--   v5: int = int 3
--   v6: any = call_lua.2 v4, v1, v5 @s0
--   v7: int = guard_tag.int v6 [fs1 type for 4]
--   guard_valid [fs2 invalidated]
--   v8: int = int_op.add v7, v2
--   return v8
-- fs0: pc 0 regs r0=v0
-- fs1: pc 5 regs r1=v2, r2=v6
-- fs2: pc 5 regs r1=v2, r2=v7
-- s0: pc 4
-- end
