//! What adds up: counts, histograms, and structs of them.

/// Defines a tally whose `merge` and `clear` cover every field, so that none can be forgotten.
macro_rules! tally {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),+ }

        impl Tally for $name {
            fn merge(&mut self, other: &Self) { $(self.$field.merge(&other.$field);)+ }
            fn clear(&mut self) { $(self.$field.clear();)+ }
        }
    };
}

/// Something that adds up.
pub trait Tally {
    /// Adds all of `other`.
    fn merge(&mut self, other: &Self);
    /// Back to nothing, memory kept.
    fn clear(&mut self);
}

impl Tally for u64 {
    fn merge(&mut self, other: &Self) {
        *self += other;
    }

    fn clear(&mut self) {
        *self = 0;
    }
}

impl Tally for i64 {
    fn merge(&mut self, other: &Self) {
        *self += other;
    }

    fn clear(&mut self) {
        *self = 0;
    }
}

/// What most tallies have nothing of.
impl<T: Tally + Default> Tally for Option<Box<T>> {
    fn merge(&mut self, other: &Self) {
        if let Some(other) = other {
            self.get_or_insert_default().merge(other);
        }
    }

    fn clear(&mut self) {
        if let Some(own) = self {
            own.clear();
        }
    }
}

impl<T: Tally + Default> Tally for Vec<T> {
    fn merge(&mut self, other: &Self) {
        if self.len() < other.len() {
            self.resize_with(other.len(), T::default);
        }
        self.iter_mut().zip(other).for_each(|(mine, other)| mine.merge(other));
    }

    fn clear(&mut self) {
        self.iter_mut().for_each(Tally::clear);
    }
}

impl<T: Tally, const N: usize> Tally for [T; N] {
    fn merge(&mut self, other: &Self) {
        self.iter_mut().zip(other).for_each(|(mine, other)| mine.merge(other));
    }

    fn clear(&mut self) {
        self.iter_mut().for_each(Tally::clear);
    }
}

pub(super) use tally;
