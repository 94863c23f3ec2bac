//! Nothing of its own: the README's examples are the documentation tests of this package.
#![cfg_attr(doctest, doc = include_str!("../../../README.md"))]
