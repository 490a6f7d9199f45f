-- test optimize code-size=100000
-- The function of inline-small-code is called where its machine code is large.
-- count: call_tail=1
-- absent: int_op
local function leaf(x, y)
  if x > y then return x - y elseif x < 0 then return x + y end
  return x * y + (x & y) - (x | y) + (x ~ y)
end
local function run(x) return leaf(x, 3) end
local function again(x) return (run(x)) end
for i = 1, 20 do again(i) end
return again
-- expect
-- func "test:10" call params 1 stack 8
-- p0: luafn line 10
-- p1: luafn line 9
-- p2: proto line 9
-- p3: luafn line 5
-- watch closures of line 10: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v4: luafn = literal p3
--   v5: int = int 3
--   store_reg.1 v4
--   store_reg.3 v1
--   store_reg.4 v5
--   call_tail.1.2.1 @s0
--   pop_frame
--   v6: any = load_reg.1
--   guard_valid [fs1 invalidated]
--   return v6
-- fs0: pc 0 regs r0=v0
-- fs1: pc 3 regs r1=v6
-- s0: pc 2
-- end
