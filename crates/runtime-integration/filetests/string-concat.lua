-- test optimize
-- Concatenation of four operands, with numbers: one helper.
-- count: lib.concat4=1
-- absent: interp_one lib.concat2 lib.to_str
local function text(a, i) return a .. "[" .. i .. "]" end
for i = 1, 20 do text("t", i) end
return text
-- expect
-- func "test:5" call params 2 stack 6
-- p0: constant 0 "["
-- p1: constant 1 "]"
-- b0(v0: any, v1: any):
--   v2: str = guard_tag.str v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: str = literal p0
--   v5: str = literal p1
--   v6: any = box v2
--   v7: any = box v4
--   v8: any = box v3
--   v9: any = box v5
--   v10: any = lib.concat4 v6, v7, v8, v9
--   v11: str = guard_tag.str v10 [fs1 type]
--   return v11
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 4 regs r2=v2, r3=v4, r4=v3, r5=v5
-- end
