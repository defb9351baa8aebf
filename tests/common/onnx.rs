//! A reader of the parts of ONNX files that the tests look at, independent of the writer: fields of
//! protocol buffers by their numbers in `onnx.proto`.

/// One field of a message: its number, and its content.
pub struct Field<'a> {
    number: u64,
    content: Content<'a>,
}

enum Content<'a> {
    Integer(u64),
    Bytes(&'a [u8]),
    Float(f32),
}

/// Fields of a message, in order.
pub fn fields(mut bytes: &[u8]) -> Vec<Field<'_>> {
    let mut fields = vec![];
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let content = match key & 7 {
            0 => Content::Integer(varint(&mut bytes)),
            2 => {
                let length = varint(&mut bytes) as usize;
                let (content, rest) = bytes.split_at(length);
                bytes = rest;
                Content::Bytes(content)
            }
            5 => {
                let (content, rest) = bytes.split_first_chunk().unwrap();
                bytes = rest;
                Content::Float(f32::from_le_bytes(*content))
            }
            kind => panic!("wire type {kind}"),
        };
        fields.push(Field { number: key >> 3, content });
    }
    fields
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            break;
        }
    }
    value
}

/// Contents of all fields of this number that are messages, texts or bytes.
pub fn all(message: &[u8], number: u64) -> Vec<&[u8]> {
    let mut contents = vec![];
    for field in fields(message) {
        if let Content::Bytes(bytes) = field.content
            && field.number == number
        {
            contents.push(bytes);
        }
    }
    contents
}

/// The only such content.
pub fn one(message: &[u8], number: u64) -> &[u8] {
    let contents = all(message, number);
    assert_eq!(contents.len(), 1, "fields of the number {number}");
    contents[0]
}

/// The only such content, as text.
pub fn text(message: &[u8], number: u64) -> &str {
    std::str::from_utf8(one(message, number)).unwrap()
}

/// Texts of all fields of this number.
pub fn texts(message: &[u8], number: u64) -> Vec<&str> {
    let contents = all(message, number).into_iter();
    contents.map(|bytes| std::str::from_utf8(bytes).unwrap()).collect()
}

/// Integers of all fields of this number.
pub fn integers(message: &[u8], number: u64) -> Vec<u64> {
    let mut integers = vec![];
    for field in fields(message) {
        if let Content::Integer(value) = field.content
            && field.number == number
        {
            integers.push(value);
        }
    }
    integers
}

/// Real numbers of all fields of this number.
pub fn floats(message: &[u8], number: u64) -> Vec<f32> {
    let mut floats = vec![];
    for field in fields(message) {
        if let Content::Float(value) = field.content
            && field.number == number
        {
            floats.push(value);
        }
    }
    floats
}
