//! Making objects.

use super::*;

impl VmState {
    /// An interned string. O(length).
    #[inline]
    pub fn str(&mut self, bytes: &[u8]) -> Gc<Str> {
        self.heap.intern(bytes)
    }

    /// The string of one byte.
    #[inline]
    pub fn byte_str(&mut self, byte: u8) -> Gc<Str> {
        self.heap.byte_str(byte)
    }

    /// A string value.
    #[inline]
    pub fn str_value(&mut self, bytes: &[u8]) -> Value {
        Value::str(self.heap.intern(bytes))
    }

    /// An empty table with room for `fields` inline slots and `elems`
    /// elements.
    #[inline]
    pub fn table(&mut self, fields: usize, elems: usize) -> Gc<Table> {
        let t = new_table(&mut self.heap, &mut self.shapes, fields, elems);
        t.reserve_elems(self, elems);
        t
    }

    /// A table of this shape with these contents of its slots. No lattice is
    /// widened.
    ///
    /// # Safety
    /// The VM's shape has as many slots as there are values, all of them
    /// inline, and the lattice of each field allows the value. Its metatable
    /// has no `__gc` and no `__mode`.
    pub unsafe fn table_of_shape(&mut self, shape: *mut Shape, values: &[Value]) -> Gc<Table> {
        // SAFETY: shapes live as long as the VM.
        let (cap, slots) = unsafe { ((*shape).inline_cap as usize, (*shape).nslots as usize) };
        debug_assert!(slots == values.len() && slots <= cap);
        let t = self.table(cap, 0);
        // SAFETY: single writer of a fresh table.
        unsafe { (*t.as_ptr()).shape = shape };
        for (i, &v) in values.iter().enumerate() {
            t.write_slot(i, v);
        }
        t
    }

    /// A cell for a captured variable.
    #[inline]
    pub fn cell(&mut self, v: Value) -> Gc<Cell> {
        let p = self
            .heap
            .alloc(Kind::CELL, std::mem::size_of::<Cell>())
            .cast::<Cell>();
        // SAFETY: fresh cell of the right size.
        unsafe {
            (*p).header.aux = v.tag.0;
            (*p).payload = v.payload;
            Gc::from_ptr(p)
        }
    }

    /// A native function value. `name` is used in tracebacks.
    pub fn native(&mut self, name: &'static str, func: NativeFn) -> Gc<NativeClosure> {
        self.native_with(name, func, &[])
    }

    /// A native function that captures values.
    pub fn native_with(
        &mut self,
        name: &'static str,
        func: NativeFn,
        captured: &[Value],
    ) -> Gc<NativeClosure> {
        let size = std::mem::size_of::<NativeClosure>() + std::mem::size_of_val(captured);
        let p = self
            .heap
            .alloc(Kind::NATIVE_FN, size)
            .cast::<NativeClosure>();
        // SAFETY: fresh cell with room for the captured values.
        unsafe {
            (*p).header.extra = captured.len() as u32;
            (&raw mut (*p).func).write(func);
            (&raw mut (*p).name).write(name);
            (*p).intrinsic = 0;
            let c = Gc::from_ptr(p);
            for (i, &v) in captured.iter().enumerate() {
                c.upvals_ptr().add(i).write(v);
            }
            c
        }
    }

    /// A closure of `proto`; upvalues are set by `upvals`.
    #[inline]
    pub fn closure(
        &mut self,
        proto: Gc<FuncProto>,
        upvals: impl Fn(usize) -> Gc<Cell>,
        count: usize,
    ) -> Gc<LuaClosure> {
        let c = self.unset_closure(proto, count);
        for i in 0..count {
            // SAFETY: fresh cell with room for `count` upvalues.
            unsafe { c.upvals_ptr().add(i).write(upvals(i).as_ptr()) }
        }
        c
    }

    /// A closure of `proto` with room for `count` upvalues, which the caller
    /// sets before anything looks at it.
    pub fn unset_closure(&mut self, proto: Gc<FuncProto>, count: usize) -> Gc<LuaClosure> {
        let size = std::mem::size_of::<LuaClosure>() + count * 8;
        let p = self.heap.alloc(Kind::LUA_FN, size).cast::<LuaClosure>();
        // SAFETY: fresh cell of the right size.
        unsafe {
            (*p).header.extra = count as u32;
            (&raw mut (*p).proto).write(proto);
        }
        // SAFETY: as above.
        let c = unsafe { Gc::from_ptr(p) };
        let instances = &raw mut proto.cold().instances;
        // SAFETY: part of a live prototype.
        if unsafe { (*instances).kind.0 != Tag::LUA_FN.0 } {
            self.widen_field(instances, Value::lua_fn(c));
        }
        c
    }

    /// A userdata that owns `data`.
    pub fn userdata(&mut self, data: Box<dyn Any>, metatable: Option<Gc<Table>>) -> Gc<Userdata> {
        let p = self
            .heap
            .alloc(Kind::USERDATA, std::mem::size_of::<Userdata>())
            .cast::<Userdata>();
        // SAFETY: fresh cell of the right size; `data` is written, not dropped over.
        unsafe {
            (&raw mut (*p).metatable).write(metatable.map_or(std::ptr::null_mut(), Gc::as_ptr));
            (&raw mut (*p).data).write(data);
        }
        // SAFETY: all fields are written.
        let u = unsafe { Gc::from_ptr(p) };
        if let Some(mt) = metatable {
            self.note_finalizer(Value::userdata(u), mt);
        }
        u
    }

    /// Loads a verified prototype and its children into the VM.
    pub fn load_proto(&mut self, proto: &Arc<Proto>) -> Gc<FuncProto> {
        let constants: Vec<Value> = proto
            .constants
            .iter()
            .map(|c| match c {
                Constant::Nil => Value::NIL,
                Constant::Bool(b) => Value::bool(*b),
                Constant::Int(i) => Value::int(*i),
                Constant::Float(f) => Value::float(*f),
                Constant::Str(s) => self.str_value(s),
            })
            .collect();
        self.note_debug_names(&constants);
        let children = proto.protos.iter().map(|p| self.load_proto(p)).collect();
        let slots = (proto.num_feedback as usize).max(1);
        let mut feedback = Vec::with_capacity(slots);
        feedback.resize_with(slots, FeedbackSlot::default);
        let p = self
            .heap
            .alloc(Kind::PROTO, std::mem::size_of::<FuncProto>())
            .cast::<FuncProto>();
        let id = self.next_proto;
        self.next_proto += 1;
        let mut cold = Box::new(ProtoCold {
            proto: proto.clone(),
            constants,
            feedback,
            children,
            instances: self.shapes.detached_field(),
            liveness: None,
            osr: Vec::new(),
            tier: None,
        });
        self.heap
            .add_debt(proto.code.len() * 8 + slots * std::mem::size_of::<FeedbackSlot>());
        // SAFETY: fresh cell of the right size; all fields are written. The
        // raw pointers go into vectors that are never resized.
        unsafe {
            let header = (*p).header;
            p.write(FuncProto {
                header,
                entry: AtomicPtr::new(self.interp_entry),
                compiled: std::ptr::null(),
                code: proto.code.as_ptr().cast::<Instr>(),
                constants: cold.constants.as_ptr(),
                feedback: cold.feedback.as_mut_ptr(),
                pool: std::ptr::null_mut(),
                calls: HotCounter::default(),
                loops: HotCounter::default(),
                num_params: proto.num_params,
                max_stack: proto.max_stack,
                is_vararg: proto.is_vararg,
                tier_state: 0,
                num_feedback: slots as u32,
                loop_trigger: 0,
                arg_tags: [0; 8],
                id,
                cold,
            });
            Gc::from_ptr(p)
        }
    }
}
