//! Comparisons of values of any type: numbers of one kind and objects are
//! decided in line, what is left (mixed numbers, strings in order, metamethods)
//! by the helper.
//!
//! Two different tables are unequal unless a metatable has `__eq`. That none
//! has is seen from their shapes, or from the note of absent metamethods in
//! the metatable's header, which the helper leaves there.

use super::memory::Mem;
use super::{Fx, Lowered};
use inkwell::basic_block::BasicBlock;
use inkwell::values::{IntValue, PointerValue};
use inkwell::{FloatPredicate, IntPredicate};
use vela_mir::helper::Helper;
use vela_objects::{Tag, layout};

/// What is compared, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    Less,
    LessEqual,
}

/// The ways that lead to the end of a comparison, with the answer of each.
type Answers<'c> = Vec<(IntValue<'c>, BasicBlock<'c>)>;

impl<'c> Fx<'_, 'c> {
    /// What [`Helper::Compare`] answers: 0, 1, or 2 where a metamethod or an
    /// error takes part.
    pub(super) fn compare_any(
        &self,
        relation: IntValue<'c>,
        x: (IntValue<'c>, IntValue<'c>),
        y: (IntValue<'c>, IntValue<'c>),
    ) -> Lowered<IntValue<'c>> {
        let words = [relation, x.0, x.1, y.0, y.1];
        let relation = match relation.get_zero_extended_constant() {
            Some(0) => Relation::Equal,
            Some(1) => Relation::Less,
            Some(2) => Relation::LessEqual,
            _ => return self.ask(words),
        };
        let (slow, end) = (self.new_block("compare.ask"), self.new_block("compare.end"));
        let mut answers: Answers<'c> = Vec::new();
        let same_tag = self.compare(IntPredicate::EQ, x.1, y.1)?;
        let same = self.new_block("compare.tag");
        if relation == Relation::Equal {
            let differ = self.new_block("compare.differ");
            self.b.build_conditional_branch(same_tag, same, differ)?;
            self.b.position_at_end(differ);
            // Numbers of two kinds may be equal.
            let number = |tag| self.tag(tag);
            let ints = self.compare(IntPredicate::EQ, x.1, number(Tag::INT))?;
            let floats = self.compare(IntPredicate::EQ, x.1, number(Tag::FLOAT))?;
            let number = self.b.build_or(ints, floats, "")?;
            self.b.build_conditional_branch(number, slow, end)?;
            answers.push((self.word(0), differ));
            self.b.position_at_end(same);
            self.equal_tags(x, y, slow, end, &mut answers)?;
        } else {
            self.b.build_conditional_branch(same_tag, same, slow)?;
            self.b.position_at_end(same);
            let (ints, not_ints) = (self.new_block("compare.int"), self.new_block("compare.no"));
            self.if_tag(x.1, Tag::INT, ints, not_ints)?;
            self.b.position_at_end(ints);
            let predicate = match relation {
                Relation::Less => IntPredicate::SLT,
                _ => IntPredicate::SLE,
            };
            let answer = self.compare(predicate, x.0, y.0)?;
            self.answer(answer, end, &mut answers)?;
            self.b.position_at_end(not_ints);
            let floats = self.new_block("compare.float");
            self.if_tag(x.1, Tag::FLOAT, floats, slow)?;
            self.b.position_at_end(floats);
            let predicate = match relation {
                Relation::Less => FloatPredicate::OLT,
                _ => FloatPredicate::OLE,
            };
            self.floats(predicate, x.0, y.0, end, &mut answers)?;
        }
        self.b.position_at_end(slow);
        let answer = self.ask(words)?;
        self.b.build_unconditional_branch(end)?;
        answers.push((answer, slow));
        self.b.position_at_end(end);
        let phi = self.b.build_phi(self.t.i64, "")?;
        for (answer, from) in &answers {
            phi.add_incoming(&[(answer, *from)]);
        }
        Ok(phi.as_basic_value().into_int_value())
    }

    /// Equality of values with equal tags.
    fn equal_tags(
        &self,
        x: (IntValue<'c>, IntValue<'c>),
        y: (IntValue<'c>, IntValue<'c>),
        slow: BasicBlock<'c>,
        end: BasicBlock<'c>,
        answers: &mut Answers<'c>,
    ) -> Lowered<()> {
        let (floats, bits) = (
            self.new_block("compare.float"),
            self.new_block("compare.bits"),
        );
        self.if_tag(x.1, Tag::FLOAT, floats, bits)?;
        self.b.position_at_end(floats);
        self.floats(FloatPredicate::OEQ, x.0, y.0, end, answers)?;
        self.b.position_at_end(bits);
        // Strings are interned; nil has payload 0.
        let same = self.compare(IntPredicate::EQ, x.0, y.0)?;
        let differ = self.new_block("compare.objects");
        self.b.build_conditional_branch(same, end, differ)?;
        answers.push((self.word(1), bits));
        self.b.position_at_end(differ);
        let (tables, others) = (
            self.new_block("compare.tables"),
            self.new_block("compare.others"),
        );
        self.if_tag(x.1, Tag::TABLE, tables, others)?;
        self.b.position_at_end(others);
        let userdata = self.compare(IntPredicate::EQ, x.1, self.tag(Tag::USERDATA))?;
        self.b.build_conditional_branch(userdata, slow, end)?;
        answers.push((self.word(0), others));
        self.b.position_at_end(tables);
        for payload in [x.0, y.0] {
            let table = self.b.build_int_to_ptr(payload, self.t.ptr, "")?;
            self.unless_eq(table, slow)?;
        }
        self.answer(self.t.i1.const_zero(), end, answers)
    }

    /// Goes on where the table has no `__eq` for sure, else to `slow`.
    fn unless_eq(&self, table: PointerValue<'c>, slow: BasicBlock<'c>) -> Lowered<()> {
        let next = self.new_block("compare.plain");
        let shape = self.load_ptr(self.at(table, layout::TABLE_SHAPE)?, Mem::Table)?;
        let flags = self.load_byte(self.at(shape, layout::SHAPE_FLAGS)?, Mem::Shape)?;
        let own_mask = self.word(i64::from(layout::SHAPE_OWN_META));
        let own = self.b.build_and(flags, own_mask, "")?;
        let (shared, of_object) = (
            self.new_block("compare.shared"),
            self.new_block("compare.own"),
        );
        // Only without these flags the shape says what the metatable is.
        let is_shared = self.compare(IntPredicate::EQ, own, self.word(0))?;
        self.b
            .build_conditional_branch(is_shared, shared, of_object)?;
        // Metatables of their own of objects of a class have only `__index`.
        self.b.position_at_end(of_object);
        let class = self.word(i64::from(vela_objects::shape::CLASS));
        let class = self.b.build_and(flags, class, "")?;
        let no_class = self.compare(IntPredicate::EQ, class, self.word(0))?;
        self.b.build_conditional_branch(no_class, slow, next)?;
        self.b.position_at_end(shared);
        let with_meta = self.new_block("compare.meta");
        let metatable = self.load_ptr(self.at(shape, layout::SHAPE_METATABLE)?, Mem::Shape)?;
        let plain = self.b.build_is_null(metatable, "")?;
        self.b.build_conditional_branch(plain, next, with_meta)?;
        self.b.position_at_end(with_meta);
        let extra = self.load_half(self.at(metatable, layout::HEADER_EXTRA)?, Mem::Table, None)?;
        let (mask, lacks) = layout::META_LACKS_EQ;
        let known = self.b.build_and(extra, self.word(i64::from(mask)), "")?;
        let lacks = self.compare(IntPredicate::EQ, known, self.word(i64::from(lacks)))?;
        self.b.build_conditional_branch(lacks, next, slow)?;
        self.b.position_at_end(next);
        Ok(())
    }

    fn if_tag(
        &self,
        have: IntValue<'c>,
        tag: Tag,
        yes: BasicBlock<'c>,
        no: BasicBlock<'c>,
    ) -> Lowered<()> {
        let is = self.compare(IntPredicate::EQ, have, self.tag(tag))?;
        self.b.build_conditional_branch(is, yes, no)?;
        Ok(())
    }

    fn floats(
        &self,
        predicate: FloatPredicate,
        a: IntValue<'c>,
        b: IntValue<'c>,
        end: BasicBlock<'c>,
        answers: &mut Answers<'c>,
    ) -> Lowered<()> {
        let float = |bits| self.b.build_bit_cast(bits, self.t.f64, "");
        let (a, b) = (float(a)?.into_float_value(), float(b)?.into_float_value());
        let answer = self.b.build_float_compare(predicate, a, b, "")?;
        self.answer(answer, end, answers)
    }

    /// Ends a way with a truth value.
    fn answer(
        &self,
        is: IntValue<'c>,
        end: BasicBlock<'c>,
        answers: &mut Answers<'c>,
    ) -> Lowered<()> {
        let is = self.b.build_int_z_extend(is, self.t.i64, "")?;
        self.b.build_unconditional_branch(end)?;
        answers.extend(self.b.get_insert_block().map(|from| (is, from)));
        Ok(())
    }

    /// Calls the helper.
    fn ask(&self, words: [IntValue<'c>; 5]) -> Lowered<IntValue<'c>> {
        let mut args = vec![self.vm.into()];
        args.extend(words.map(Into::<inkwell::values::BasicMetadataValueEnum>::into));
        let call = self.helper(Helper::Compare, &args)?;
        Ok(self.call_result(call)?.into_int_value())
    }
}
