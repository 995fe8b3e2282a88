//! The number types of stored tensors.

use std::fmt;

/// A number type, by PyTorch's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// `float64`
    F64,
    /// `float32`
    F32,
    /// `float16`
    F16,
    /// `bfloat16`
    BF16,
    /// `int64`
    I64,
    /// `int32`
    I32,
    /// `int16`
    I16,
    /// `int8`
    I8,
    /// `uint8`
    U8,
    /// `bool`, one byte each
    Bool,
}

/// Type, PyTorch's name of it, and PyTorch's name of its storages.
const ELEMENTS: [(Element, &str, &str); 10] = [
    (Element::F64, "float64", "DoubleStorage"),
    (Element::F32, "float32", "FloatStorage"),
    (Element::F16, "float16", "HalfStorage"),
    (Element::BF16, "bfloat16", "BFloat16Storage"),
    (Element::I64, "int64", "LongStorage"),
    (Element::I32, "int32", "IntStorage"),
    (Element::I16, "int16", "ShortStorage"),
    (Element::I8, "int8", "CharStorage"),
    (Element::U8, "uint8", "ByteStorage"),
    (Element::Bool, "bool", "BoolStorage"),
];

impl Element {
    /// PyTorch's name, such as `float32`.
    pub fn name(self) -> &'static str {
        ELEMENTS.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// Bytes of a number.
    pub const fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::BF16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// The type of the numbers in a storage of this class, such as `FloatStorage`.
    pub(super) fn of_storage(class: &[u8]) -> Option<Self> {
        ELEMENTS.iter().find(|row| row.2.as_bytes() == class).map(|row| row.0)
    }

    /// The type of the numbers in a safetensors file.
    pub(super) fn of_safetensors(dtype: safetensors::Dtype) -> Option<Self> {
        use safetensors::Dtype;
        Some(match dtype {
            Dtype::F64 => Self::F64,
            Dtype::F32 => Self::F32,
            Dtype::F16 => Self::F16,
            Dtype::BF16 => Self::BF16,
            Dtype::I64 => Self::I64,
            Dtype::I32 => Self::I32,
            Dtype::I16 => Self::I16,
            Dtype::I8 => Self::I8,
            Dtype::U8 => Self::U8,
            Dtype::BOOL => Self::Bool,
            _ => return None,
        })
    }

    /// All names, for errors.
    pub(super) fn names() -> String {
        ELEMENTS.map(|row| row.1).join(", ")
    }
}

impl fmt::Display for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
