//! What the catalogues of layers, losses, metrics and optimizers share: classes with options under
//! Keras's names.

/// Makes an enum of classes that is written and read as Keras does, `{"class_name": …, "config":
/// {…}}`, and that can be used as the trait which all of them implement. Adding a class is adding a
/// line.
macro_rules! classes {
    ($(#[$doc:meta])* $name:ident: $role:ident { $($class:literal => $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "class_name", content = "config")]
        #[allow(missing_docs)] // Each class is documented where it is defined.
        pub enum $name {
            $(#[serde(rename = $class)] $variant($variant),)*
        }

        impl $name {
            /// Every class, with Keras's defaults.
            pub fn all() -> Vec<Self> {
                vec![$($name::$variant($variant::default()),)*]
            }

            /// Keras's name of the class.
            pub fn class_name(&self) -> &'static str {
                match self {
                    $($name::$variant(_) => $class,)*
                }
            }
        }

        impl std::ops::Deref for $name {
            type Target = dyn $role;
            fn deref(&self) -> &(dyn $role + 'static) {
                match self {
                    $($name::$variant(class) => class,)*
                }
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut (dyn $role + 'static) {
                match self {
                    $($name::$variant(class) => class,)*
                }
            }
        }

        $(impl From<$variant> for $name {
            fn from(class: $variant) -> Self {
                $name::$variant(class)
            }
        })*
    };
}
pub(crate) use classes;

/// Makes the struct of a class: its options under Keras's names, with the defaults given.
macro_rules! class {
    ($(#[$doc:meta])* $name:ident { $($(#[$option_doc:meta])* $option:ident: $type:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$option_doc])* pub $option: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $($option: $default,)* }
            }
        }
    };
}
pub(crate) use class;

/// `MaxPooling2D` becomes `max_pooling2d` and `ReLU` becomes `re_lu`, as Keras makes names of
/// classes: a line is put in front of a capital that lower case or a digit follows, and between
/// lower case and a capital.
pub fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let mut name = String::new();
    for (i, &letter) in letters.iter().enumerate() {
        let starts_word = letters
            .get(i + 1)
            .is_some_and(|next| next.is_ascii_lowercase() || next.is_ascii_digit());
        let ends_word = i > 0 && letters[i - 1].is_ascii_lowercase();
        if i > 0 && letter.is_ascii_uppercase() && (starts_word || ends_word) {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
