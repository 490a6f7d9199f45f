-- test optimize code-size=100000
-- A tail call of a function that is not inlined is a jump.
-- count: tail_call_lua=1
-- absent: call_lua call_window return
local function work(x, y)
  if x > y then return x - y elseif x < 0 then return x + y end
  return x * y + (x & y) - (x | y) + (x ~ y)
end
local function run(x) return work(x, 3) end
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
--   tail_call_lua v3, v1, v4
-- fs0: pc 0 regs r0=v0
-- end
