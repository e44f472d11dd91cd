//! The judge: histories made by hand, random histories against a slow reference, and damage.

mod by_hand;
mod damage;
mod generate;
mod random;
mod reference;
mod tale;
