-- test optimize
-- A field that always had one value is a constant: no load at all.
-- absent: load_slot
-- present: watch int_op.add
-- count: guard_shape=1
local conf = { step = 7 }
local function step(o, i) return o.step + i end
for i = 1, 20 do step({ step = 7, at = i }, i) end
return step
-- expect
-- func "test:7" call params 2 stack 3
-- p0: shape @shape0 {step, at}
-- watch field step of {step}: constant
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: ptr = literal p0
--   guard_shape v2, v4 [fs1 shape]
--   v5: int = int 7
--   v6: int = int_op.add v3, v5
--   return v6
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
