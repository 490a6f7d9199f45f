-- test optimize
-- Concatenation of two strings.
-- count: lib.concat2=1
-- absent: interp_one
local function run(a, b) return a .. b end
for i = 1, 20 do run("a", "b") end
return run
-- expect
-- func "test:5" call params 2 stack 4
-- b0(v0: any, v1: any):
--   v2: str = guard_tag.str v0 [fs0 type]
--   v3: str = guard_tag.str v1 [fs0 type]
--   v4: any = box v2
--   v5: any = box v3
--   v6: any = lib.concat2 v4, v5
--   v7: str = guard_tag.str v6 [fs1 type]
--   return v7
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 2 regs r2=v2, r3=v3
-- end
