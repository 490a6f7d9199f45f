-- test optimize
-- tostring of a number, whose result is returned.
-- count: lib.to_str=1
-- absent: call_window interp_one return_window
local function text(i) return tostring(i) end
for i = 1, 20 do text(i) end
return text
-- expect
-- func "test:5" call params 1 stack 4
-- p0: luafn line 5
-- p1: table _G
-- p2: nativefn tostring
-- watch closures of line 5: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field tostring of _G: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v4: nativefn = literal p2
--   v5: any = box v1
--   v6: any = lib.to_str v5
--   v7: str = guard_tag.str v6 [fs1 type]
--   return v7
-- fs0: pc 0 regs r0=v0
-- fs1: pc 2 regs r1=v4, r3=v1
-- end
