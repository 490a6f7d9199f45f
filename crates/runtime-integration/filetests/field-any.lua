-- test optimize
-- A field that had values of two kinds: the tag is loaded and tested for what this
-- site saw.
-- count: load_slot=1 guard_tag.float=1
-- absent: find_field interp_one
local function get(o) return o.x end
local other = { x = "text" }
for i = 1, 20 do get({ x = i + 0.5 }) end
return get
-- expect
-- func "test:6" call params 1 stack 2
-- p0: shape @shape0 {x}
-- b0(v0: any):
--   v1: table = guard_tag.table v0 [fs0 type]
--   v2: ptr = literal p0
--   guard_shape v1, v2 [fs1 shape]
--   v3: any = load_slot.inline.0.2 v1
--   v4: float = guard_tag.float v3 [fs1 type]
--   return v4
-- fs0: pc 0 regs r0=v0
-- fs1: pc 0 regs r0=v1
-- end
