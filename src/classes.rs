//! Macros for the built-in layers, losses, metrics and optimizers: their structs, with options
//! under Keras's names, and an enum over each kind.

use crate::Error;

/// Defines the enum over the built-in classes of a trait. It is serialized as in Keras,
/// `{"class_name": …, "config": {…}}`, except for `Custom`, a class from outside the crate. Every
/// type that implements the trait converts into the enum.
macro_rules! classes {
    ($(#[$doc:meta])* $name:ident: $role:ident as $as_role:ident {
        $($class:literal => $variant:ident,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "class_name", content = "config")]
        #[non_exhaustive]
        #[allow(missing_docs)] // Each class is documented where it is defined.
        pub enum $name {
            $(#[serde(rename = $class)] $variant($variant),)*
            #[serde(skip)]
            Custom(std::sync::Arc<dyn $role>),
        }

        impl $name {
            /// All built-in classes, with Keras's defaults.
            pub fn all() -> Vec<Self> {
                vec![$($name::$variant($variant::default()),)*]
            }

            /// Class name in Keras, or the type name of a custom class.
            pub fn class_name(&self) -> &'static str {
                match self {
                    $($name::$variant(_) => $class,)*
                    $name::Custom(class) => class.class_name(),
                }
            }

            /// True for a custom class.
            pub fn is_custom(&self) -> bool {
                matches!(self, $name::Custom(_))
            }

            /// The class as a trait object.
            pub fn $as_role(&self) -> &dyn $role {
                match self {
                    $($name::$variant(class) => class,)*
                    $name::Custom(class) => class.as_ref(),
                }
            }

            /// The class as a mutable trait object; `None` for a custom class that is shared.
            pub fn class_mut(&mut self) -> Option<&mut (dyn $role + 'static)> {
                match self {
                    $($name::$variant(class) => Some(class),)*
                    $name::Custom(class) => std::sync::Arc::get_mut(class),
                }
            }
        }

        impl<T: $role + 'static> From<T> for $name {
            fn from(class: T) -> Self {
                // Built-in classes are recognized by their type at run time.
                let mut class = Some(class);
                let any: &mut dyn std::any::Any = &mut class;
                $(if let Some(own) = any.downcast_mut::<Option<$variant>>()
                    && let Some(own) = own.take()
                {
                    return $name::$variant(own);
                })*
                match class {
                    Some(class) => $name::Custom(std::sync::Arc::new(class)),
                    None => unreachable!("only a class of the catalogue is taken out"),
                }
            }
        }
    };
}
pub(crate) use classes;

/// Defines the struct of a class: its options under Keras's names, with the defaults given.
macro_rules! class {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$option_doc:meta])* $option:ident: $type:ty = $default:expr,)*
    }) => {
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

/// Snake case as in Keras: `MaxPooling2D` becomes `max_pooling2d`, `ReLU` becomes `re_lu`. An
/// underscore goes before a capital that follows a lowercase letter, or that precedes a lowercase
/// letter or a digit.
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

/// Last part of a type's path, the class name of a custom class.
pub fn type_name<T: ?Sized>() -> &'static str {
    let path = std::any::type_name::<T>();
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}

/// Error for an unknown name; it lists the known ones.
pub fn unknown(option: &str, noun: &str, name: &str, known: &[String]) -> Error {
    let near = did_you_mean(name, known);
    let known = known.join(", ");
    Error::option(option, format!("there is no {noun} {name:?} here{near}; known: {known}"))
}

/// `; did you mean units?`, for the known name that is most like this one; empty if none is.
pub fn did_you_mean(name: &str, known: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    // The comparison takes time that grows with the square of the length.
    if name.len() > 100 {
        return String::new();
    }
    let mut nearest = String::new();
    let mut likeness = 0.85;
    for candidate in known {
        let candidate = candidate.as_ref();
        let likeness_here = strsim::jaro_winkler(candidate, name);
        if candidate.len() <= 100 && likeness_here > likeness {
            likeness = likeness_here;
            nearest = format!("; did you mean {candidate}?");
        }
    }
    nearest
}

/// Form of the targets that a loss or a metric compares outputs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetForm {
    /// One integer label for each vector of the output.
    Labels,
    /// One vector for each vector of the output, of the same length: one-hot or real targets.
    Vectors,
}
