//! What the catalogues of layers, losses, metrics and optimizers share: classes with options under
//! Keras's names.

/// Makes the enum of a catalogue: its classes, read and written as Keras does,
/// `{"class_name": …, "config": {…}}`, and `Custom` for a class from outside the crate, which no
/// file can hold. Whatever implements the trait converts into the enum. One line adds a class.
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
            /// Every class of the catalogue, with Keras's defaults.
            pub fn all() -> Vec<Self> {
                vec![$($name::$variant($variant::default()),)*]
            }

            /// Keras's name of the class, or the type's own name for one from outside the crate.
            pub fn class_name(&self) -> &'static str {
                match self {
                    $($name::$variant(_) => $class,)*
                    $name::Custom(class) => class.class_name(),
                }
            }

            /// True for a class from outside the crate.
            pub fn is_custom(&self) -> bool {
                matches!(self, $name::Custom(_))
            }

            /// The class behind its trait.
            pub fn $as_role(&self) -> &dyn $role {
                match self {
                    $($name::$variant(class) => class,)*
                    $name::Custom(class) => class.as_ref(),
                }
            }
        }

        impl<T: $role + 'static> From<T> for $name {
            fn from(class: T) -> Self {
                // Only at run time is it known to be one of the catalogue's own.
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

/// The last part of a type's path: the class name of a type from outside the crate.
pub fn type_name<T: ?Sized>() -> &'static str {
    let path = std::any::type_name::<T>();
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}
