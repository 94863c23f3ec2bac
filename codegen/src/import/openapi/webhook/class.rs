//! Descriptions of one thing become one: all that was said of it, and promised what every description promises.
//!
//! A payload is described once for each action, with everything in it, so one thing has hundreds of descriptions. Objects
//! that are the same are joined (union-find), and what stands in fields of the same name in them is joined with them.

use std::collections::BTreeSet;

use crate::facts::{Field, Type};
use crate::import::combine::or_null;

/// Of a hundred descriptions of an object, so many promise a field that is promised.
const MOST: usize = 80;

/// An object in [`Classes`].
pub(super) type Id = usize;

/// All that may stand in one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    pub(super) null: bool,
    pub(super) text: Option<Text>,
    /// Whole numbers only?
    pub(super) number: Option<bool>,
    pub(super) flag: bool,
    pub(super) list: Option<Box<Shape>>,
    pub(super) map: Option<Box<Shape>>,
    /// More than one only if they are different things.
    pub(super) objects: Vec<Id>,
}

/// Kinds of text, in the order in which one gives way to another.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Text {
    Plain,
    Words(Vec<String>),
    Link,
    Time,
    Secret,
}

#[derive(Debug, Default)]
pub(super) struct Class {
    /// By which names it goes in the description.
    pub(super) names: BTreeSet<String>,
    /// The row of the table of concepts.
    pub(super) concept: Option<usize>,
    pub(super) members: Vec<Member>,
    /// How many descriptions there are.
    pub(super) seen: usize,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) shape: Shape,
    /// How many descriptions promise it.
    pub(super) promised: usize,
}

#[derive(Debug, Default)]
pub(super) struct Classes {
    classes: Vec<Class>,
    /// What each was joined with; itself if with nothing.
    parents: Vec<Id>,
    /// What is known to be the thing itself: two objects of different identities are never joined for standing in one place.
    identities: Vec<Option<String>>,
    /// Still to be joined.
    pairs: Vec<(Id, Id)>,
}

impl Classes {
    pub(super) fn add(&mut self, class: Class) -> Id {
        self.classes.push(class);
        self.parents.push(self.parents.len());
        self.identities.push(None);
        self.parents.len() - 1
    }

    pub(super) fn identify(&mut self, id: Id, identity: String) {
        let id = self.find(id);
        self.identities[id].get_or_insert(identity);
    }

    /// Are these different things?
    fn are_apart(&self, one: Id, other: Id) -> bool {
        match (&self.identities[self.find(one)], &self.identities[self.find(other)]) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        }
    }

    pub(super) fn find(&self, mut id: Id) -> Id {
        while self.parents[id] != id {
            id = self.parents[id];
        }
        id
    }

    pub(super) fn get(&self, id: Id) -> &Class {
        &self.classes[self.find(id)]
    }

    pub(super) fn get_mut(&mut self, id: Id) -> &mut Class {
        let id = self.find(id);
        &mut self.classes[id]
    }

    /// Makes one class of two, and of what stands in their fields.
    pub(super) fn join(&mut self, one: Id, other: Id) {
        self.pairs.push((one, other));
        self.settle();
    }

    fn settle(&mut self) {
        while let Some((one, other)) = self.pairs.pop() {
            let (one, other) = (self.find(one), self.find(other));
            if one == other {
                continue;
            }
            self.parents[other] = one;
            if let Some(identity) = self.identities[other].take() {
                self.identities[one].get_or_insert(identity);
            }
            let other = std::mem::take(&mut self.classes[other]);
            let mut class = std::mem::take(&mut self.classes[one]);
            class.names.extend(other.names);
            class.concept = class.concept.or(other.concept);
            class.seen += other.seen;
            for member in other.members {
                self.put(&mut class, member);
            }
            self.classes[one] = class;
        }
    }

    /// Adds a field to an object, or what else may stand in it.
    pub(super) fn add_member(&mut self, id: Id, member: Member) {
        let id = self.find(id);
        let mut class = std::mem::take(&mut self.classes[id]);
        self.put(&mut class, member);
        self.classes[id] = class;
        self.settle();
    }

    /// Adds to a place what else may stand there.
    pub(super) fn add_to(&mut self, shape: &mut Shape, other: Shape) {
        self.merge(shape, other);
        self.settle();
    }

    fn put(&mut self, class: &mut Class, member: Member) {
        match class.members.iter_mut().find(|known| known.name == member.name) {
            Some(known) => {
                known.promised += member.promised;
                self.merge(&mut known.shape, member.shape);
            }
            None => class.members.push(member),
        }
    }

    fn merge(&mut self, shape: &mut Shape, other: Shape) {
        shape.null |= other.null;
        shape.flag |= other.flag;
        shape.number = match (shape.number, other.number) {
            (Some(one), Some(other)) => Some(one && other),
            (one, other) => one.or(other),
        };
        shape.text = match (shape.text.take(), other.text) {
            (Some(one), Some(other)) => Some(text_of_both(one, other)),
            (one, other) => one.or(other),
        };
        for (known, other) in [(&mut shape.list, other.list), (&mut shape.map, other.map)] {
            match (known, other) {
                (Some(known), Some(other)) => self.merge(known, *other),
                (known @ None, other) => *known = other,
                _ => {}
            }
        }
        for other in other.objects {
            let same = shape.objects.iter().find(|known| self.find(**known) == self.find(other));
            match same.or_else(|| shape.objects.iter().find(|known| !self.are_apart(**known, other))) {
                Some(known) => self.pairs.push((*known, other)),
                None => shape.objects.push(other),
            }
        }
    }

    /// The fields of a class, with the types that `object` gives to classes.
    ///
    /// An object is described up to a thousand times, and a few of these descriptions are lax: a field is promised if most
    /// of them promise it. Of an event there is one description for each action, and what one action lacks is not promised.
    pub(super) fn fields(
        &self,
        id: Id,
        promised: &[String],
        is_event: bool,
        object: &mut dyn FnMut(Id) -> Type,
    ) -> Vec<Field> {
        let class = self.get(id);
        let least = if is_event { class.seen } else { (class.seen * MOST).div_ceil(100) };
        let field = |member: &Member| Field {
            name: member.name.clone(),
            shape: match &member.shape.text {
                // The only action of an event is a word all the same.
                Some(Text::Words(words)) if is_event && member.name == "action" => Type::Words(words.clone()),
                _ => self.written(&member.shape, object),
            },
            required: member.promised >= least || promised.contains(&member.name),
            gap: false,
            until: None,
            style: None,
        };
        class.members.iter().map(field).collect()
    }

    /// The facts of a place.
    fn written(&self, shape: &Shape, object: &mut dyn FnMut(Id) -> Type) -> Type {
        let mut variants = Vec::new();
        let has_time = shape.text == Some(Text::Time);
        let mut objects: Vec<Id> = Vec::new();
        for id in shape.objects.iter().map(|id| self.find(*id)) {
            if !objects.contains(&id) {
                objects.push(id);
                variants.push(object(id));
            }
        }
        if let Some(value) = shape.map.as_deref().filter(|_| objects.is_empty()) {
            variants.push(Type::Map(Box::new(self.written(value, object))));
        }
        if let Some(item) = &shape.list {
            variants.push(Type::List(Box::new(self.written(item, object))));
        }
        match &shape.text {
            None => {}
            // One word is an example of what may stand there.
            Some(Text::Words(words)) if words.len() > 1 => variants.push(Type::Words(words.clone())),
            Some(Text::Plain | Text::Words(_)) => variants.push(Type::Text),
            Some(Text::Link) => variants.push(Type::Link),
            Some(Text::Time) => variants.push(Type::Time),
            Some(Text::Secret) => variants.push(Type::Secret),
        }
        // A time in seconds is still a time.
        match shape.number.filter(|_| !has_time) {
            Some(true) => variants.push(Type::Integer),
            Some(false) => variants.push(Type::Number),
            None => {}
        }
        if shape.flag {
            variants.push(Type::Flag);
        }
        let shape_of = match variants.len() {
            0 => Type::Any,
            1 => variants.swap_remove(0),
            _ => Type::OneOf(variants),
        };
        if shape.null && shape_of != Type::Any { or_null(shape_of) } else { shape_of }
    }
}

/// Sets of words are open, so text beside them says nothing new; a link or a time is still text.
fn text_of_both(one: Text, other: Text) -> Text {
    match (one, other) {
        (Text::Words(mut words), Text::Words(more)) => {
            let new: Vec<String> = more.into_iter().filter(|word| !words.contains(word)).collect();
            words.extend(new);
            Text::Words(words)
        }
        (Text::Secret, _) | (_, Text::Secret) => Text::Secret,
        (Text::Plain, one) | (one, Text::Plain) => one,
        (one, other) if one == other => one,
        _ => Text::Plain,
    }
}
