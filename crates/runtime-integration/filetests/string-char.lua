-- test optimize
-- string.char of one byte.
-- count: lib.str_char=1
-- absent: call_window interp_one
local function char(i) return string.char(i) end
for i = 1, 20 do char(64 + i) end
return char
-- expect
-- func "test:5" call params 1 stack 4
-- p0: luafn line 5
-- p1: table _G
-- p2: table string
-- p3: nativefn string.char
-- watch closures of line 5: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field string of _G: constant
-- watch shape of string: constant
-- watch field char of {...} singleton: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v5: nativefn = literal p3
--   v6: int = int 256
--   v7: bool = int_cmp.ult v1, v6
--   guard v7 [fs1 range]
--   v8: str = lib.str_char v1
--   return v8
-- fs0: pc 0 regs r0=v0
-- fs1: pc 3 regs r1=v5, r3=v1
-- end
