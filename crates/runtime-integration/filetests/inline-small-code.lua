-- test optimize
-- A function of medium size is inlined where its own machine code is small.
-- absent: call_lua call_tail tail_call_lua
local function leaf(x, y)
  if x > y then return x - y elseif x < 0 then return x + y end
  return x * y + (x & y) - (x | y) + (x ~ y)
end
local function run(x) return leaf(x, 3) end
local function again(x) return (run(x)) end
for i = 1, 20 do again(i) end
return again
-- expect
-- func "test:9" call params 1 stack 8
-- p0: luafn line 9
-- p1: luafn line 8
-- p2: proto line 8
-- p3: luafn line 4
-- watch closures of line 9: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v5: int = int 3
--   v6: bool = int_cmp.lt v5, v1
--   branch v6, b5, b6
-- b2(v18: int):
--   return v18
-- b5:
--   v7: int = int_op.sub v1, v5
--   jump b2(v7)
-- b6:
--   v8: int = int 0
--   v9: bool = int_cmp.lt v1, v8
--   branch v9, b7, b8
-- b7:
--   v10: int = int_op.add v1, v5
--   jump b2(v10)
-- b8:
--   v11: int = int_op.mul v1, v5
--   v12: int = int_op.and v1, v5
--   v13: int = int_op.add v11, v12
--   v14: int = int_op.or v1, v5
--   v15: int = int_op.sub v13, v14
--   v16: int = int_op.xor v1, v5
--   v17: int = int_op.add v15, v16
--   jump b2(v17)
-- fs0: pc 0 regs r0=v0
-- end
