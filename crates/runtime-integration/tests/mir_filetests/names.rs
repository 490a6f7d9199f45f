//! MIR with names in place of addresses and of other numbers that differ from
//! run to run.
//!
//! Pool slots say what they hold: shapes with their keys, functions by the
//! line that defines them, tables and functions of the library by their names.
//! Watched cells say which fact they stand for.
#![allow(unsafe_code)]

use crate::profile::Profile;
use std::collections::HashMap;
use std::fmt::Write;
use vela_bytecode::Constant;
use vela_mir::analysis::Cfg;
use vela_mir::ir::{Block, Func, PoolEntry, Watch};
use vela_objects::shape::{CLASS, FieldKind, OBJECT_META, Shape};
use vela_objects::{Gc, Str, Table, Tag, Value};

/// The function's text.
pub fn text(func: &Func, profile: &Profile) -> String {
    let mut names = Names {
        profile,
        known: known(profile),
        numbers: HashMap::new(),
    };
    let mut out = String::new();
    // Numbering follows the pool, then the watched facts.
    let mut pool: Vec<String> = func.pool.iter().map(|p| names.entry(p)).collect();
    let mut watches: Vec<String> = func.watches.iter().map(|w| names.watch(w)).collect();
    let unused = unused(func);
    for line in func.to_string().lines() {
        let word = line.split(' ').next().unwrap_or_default();
        if unused.iter().any(|u| u == word) {
            continue;
        }
        let slot = word.strip_prefix('p').and_then(|w| w.strip_suffix(':'));
        if let Some(n) = slot.and_then(|n| n.parse::<usize>().ok()) {
            let text = pool.get_mut(n).map(std::mem::take).unwrap_or_default();
            let _ = writeln!(out, "p{n}: {text}");
        } else if word == "watch" {
            for text in watches.drain(..) {
                let _ = writeln!(out, "watch {text}");
            }
        } else {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

/// First words of lines that are left out: blocks without contents that nothing
/// jumps to, sites that no instruction is at.
fn unused(func: &Func) -> Vec<String> {
    let cfg = Cfg::new(func);
    let blocks = (0..func.blocks.len() as u32)
        .map(Block)
        .filter(|&b| !cfg.is_reachable(b) && func.blocks[b.index()].insts.is_empty());
    let mut out: Vec<String> = blocks.map(|b| format!("{b}:")).collect();
    let mut used = vec![false; func.sites.len()];
    for b in &func.blocks {
        for &i in &b.insts {
            let mut next = func.inst(i).site;
            while let Some(s) = next {
                used[s.index()] = true;
                next = func.sites[s.index()].caller.map(|c| c.site);
            }
        }
    }
    let sites = used.iter().enumerate().filter(|u| !u.1);
    out.extend(sites.map(|(s, _)| format!("s{s}:")));
    out
}

/// Names of tables: global variables, and captured ones that never change.
fn known(profile: &Profile) -> HashMap<u64, String> {
    let mut out: HashMap<u64, String> = HashMap::new();
    let mut add = |v: Value, name: &str| {
        if v.tag != Tag::TABLE {
            return;
        }
        let old = out.get(&v.payload).map(String::as_str);
        if old.is_none_or(|old| name < old) {
            out.insert(v.payload, name.to_string());
        }
    };
    for closure in profile.snapshot.world.closures.values() {
        let proto = profile.snapshot.callees.get(&closure.proto);
        let proto = proto.unwrap_or(&profile.snapshot).proto.clone();
        for (content, upval) in closure.upvals.iter().zip(&proto.upvals) {
            if let (Some((tag, payload)), Some(name)) = (*content, &upval.name) {
                add(Value { payload, tag }, name);
            }
        }
    }
    let globals = profile.vm.globals;
    for (i, key) in globals.shape().keys().iter().enumerate() {
        add(globals.slot(i), &key.to_text());
    }
    out.insert(globals.addr(), "_G".into());
    out
}

struct Names<'a> {
    profile: &'a Profile,
    /// Tables with names.
    known: HashMap<u64, String>,
    /// Numbers of what has none, by kind and address, in order of appearance.
    numbers: HashMap<(&'static str, u64), usize>,
}

impl Names<'_> {
    fn number(&mut self, kind: &'static str, addr: u64) -> String {
        let next = self.numbers.keys().filter(|k| k.0 == kind).count();
        let n = *self.numbers.entry((kind, addr)).or_insert(next);
        format!("@{kind}{n}")
    }

    fn entry(&mut self, entry: &PoolEntry) -> String {
        match *entry {
            PoolEntry::Constant(k) => {
                let constant = self.profile.snapshot.proto.constants.get(k as usize);
                match constant {
                    Some(Constant::Str(s)) => {
                        format!("constant {k} {:?}", String::from_utf8_lossy(s))
                    }
                    _ => format!("constant {k}"),
                }
            }
            PoolEntry::Shape(addr) => {
                let name = self.number("shape", addr);
                format!("shape {name} {}", self.keys(addr))
            }
            PoolEntry::Object(payload, tag) => self.object(Value { payload, tag }),
            PoolEntry::Proto(addr) => format!("proto {}", self.proto(addr)),
        }
    }

    /// What a shape says.
    fn keys(&mut self, addr: u64) -> String {
        // SAFETY: shapes live as long as the VM, which the profile holds.
        let shape = unsafe { &*(addr as *const Shape) };
        let keys: Vec<String> = shape.keys().iter().map(|k| k.to_text()).collect();
        let mut out = if shape.is_singleton() && keys.len() > 8 {
            "{...}".to_string()
        } else {
            format!("{{{}}}", keys.join(", "))
        };
        if let Some(meta) = shape.metatable_table() {
            let what = if shape.flags & CLASS != 0 {
                "class"
            } else if shape.flags & OBJECT_META != 0 {
                "own"
            } else {
                "meta"
            };
            let _ = write!(out, " {what} {}", self.table(meta.addr()));
        }
        if shape.is_singleton() {
            out.push_str(" singleton");
        }
        out
    }

    fn table(&mut self, addr: u64) -> String {
        match self.known.get(&addr) {
            Some(name) => name.clone(),
            None => self.number("table", addr),
        }
    }

    fn proto(&mut self, addr: u64) -> String {
        let root = &self.profile.snapshot;
        let proto = if addr == root.proto_addr {
            Some(&root.proto)
        } else {
            root.callees.get(&addr).map(|c| &c.proto)
        };
        match proto {
            Some(proto) => format!("line {}", proto.line_defined),
            None => self.number("proto", addr),
        }
    }

    fn object(&mut self, v: Value) -> String {
        if let Some(s) = v.as_str() {
            return format!("str {:?}", s.to_text());
        }
        if let Some(f) = v.as_lua_fn() {
            return format!("luafn line {}", f.proto.proto().line_defined);
        }
        match v.tag {
            Tag::NATIVE_FN => {
                // SAFETY: literals are objects that the program still has.
                let f: Gc<vela_objects::NativeClosure> =
                    unsafe { Gc::from_ptr(v.payload as *mut _) };
                format!("nativefn {}", f.name)
            }
            Tag::TABLE => format!("table {}", self.table(v.payload)),
            Tag::CELL => format!("cell {}", self.number("cell", v.payload)),
            _ => format!("object {}", self.number("object", v.payload)),
        }
    }

    fn watch(&mut self, watch: &Watch) -> String {
        let level = match FieldKind(watch.level) {
            FieldKind::ANY => "any".into(),
            FieldKind::CONST => "constant".into(),
            FieldKind::UNINIT => "unset".into(),
            FieldKind(tag) => vela_mir::ir::Ty::from_tag(Tag(tag))
                .map_or_else(|| tag.to_string(), |t| t.name().to_string()),
        };
        format!("{}: {level}", self.fact(watch.field))
    }

    /// The metatable that has this shape for its own, of those with a name.
    fn owner(&self, shape: &Shape) -> Option<u64> {
        let tables = self.numbers.keys().filter(|k| k.0 == "table");
        let has = |&addr: &u64| {
            // SAFETY: what has a name is a table that the program still has.
            let table: Gc<Table> = unsafe { Gc::from_ptr(addr as *mut Table) };
            shape.is_singleton() && std::ptr::eq(table.shape(), shape)
        };
        tables.map(|k| k.1).find(has)
    }

    /// What a lattice cell is about.
    fn fact(&mut self, cell: u64) -> String {
        let snapshot = &self.profile.snapshot;
        let world = &snapshot.world;
        let is = |f: &Option<vela_profiler::snapshot::FieldSnapshot>| {
            f.as_ref().is_some_and(|f| f.addr == cell)
        };
        if is(&world.meta_stays) {
            return "metatables".into();
        }
        if is(&world.upvals_stay) {
            return "captured variables".into();
        }
        let mut functions = snapshot.callees.values().chain([snapshot]);
        if let Some(f) = functions.find(|f| f.instances.addr == cell) {
            return format!("closures of line {}", f.proto.line_defined);
        }
        let table = world.tables.iter().find(|t| t.1.stays.addr == cell);
        if let Some((&addr, _)) = table {
            return format!("shape of {}", self.table(addr));
        }
        let mut heirs = world.tables.values().flat_map(|t| t.inherited.values());
        if heirs.any(|f| f.stays.addr == cell) {
            return "shape of a class that is inherited from".into();
        }
        // Of the shapes that share the cell the first.
        for &shape in self.profile.vm.shapes.all() {
            // SAFETY: shapes live as long as the VM, which the profile holds.
            let data = unsafe { &*shape };
            let at = (0..data.nslots as usize).find(|&i| data.field(i) as u64 == cell);
            if let Some(i) = at {
                let key: Option<&Gc<Str>> = data.keys().get(i);
                let key = key.map(|k| k.to_text()).unwrap_or_default();
                let known = world.tables.iter().find(|t| t.1.shape.addr == shape as u64);
                let owner = match known.map(|t| *t.0).or_else(|| self.owner(data)) {
                    Some(table) => self.table(table),
                    None => self.keys(shape as u64),
                };
                return format!("field {key} of {owner}");
            }
        }
        self.number("fact", cell)
    }
}
