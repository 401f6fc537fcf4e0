//! Cuts a text into its records: the objects of JSON lines, or of one array, wherever pieces
//! of it end. Counts lines, so that errors can name them.

use crate::stream::ReadError;

/// No honest row is larger.
const RECORD_BYTES_MAX: usize = 64 << 20;
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Takes one record and the line that it begins in.
pub type Take<'a> = dyn FnMut(&[u8], u64) -> Result<(), ReadError> + 'a;

#[derive(Debug)]
pub struct Records {
    /// A record whose end has not come.
    begun: Vec<u8>,
    begun_line: u64,
    line: u64,
    depth: usize,
    is_text: bool,
    is_escaped: bool,
    place: Place,
    /// Bytes seen, as far as a byte order mark reaches.
    n_seen: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Lines,
    /// In the array, where a record may begin; after a comma it must.
    Open,
    AfterComma,
    AfterRecord,
    Closed,
}

impl Default for Records {
    fn default() -> Self {
        Self {
            begun: Vec::new(),
            begun_line: 1,
            line: 1,
            depth: 0,
            is_text: false,
            is_escaped: false,
            place: Place::Start,
            n_seen: 0,
        }
    }
}

impl Records {
    pub fn push(&mut self, bytes: &[u8], take: &mut Take<'_>) -> Result<(), ReadError> {
        // Where the record that is open begins in these bytes, if it does.
        let mut start = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if self.n_seen < BYTE_ORDER_MARK.len() {
                let is_mark = BYTE_ORDER_MARK.get(self.n_seen) == Some(&byte);
                self.n_seen = if is_mark { self.n_seen + 1 } else { BYTE_ORDER_MARK.len() };
                if is_mark {
                    continue;
                }
            }
            if byte == b'\n' {
                self.line += 1;
            }
            if self.is_text {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.is_text = false,
                    _ => {}
                }
                continue;
            }
            if self.depth == 0 {
                if self.outside(byte)? {
                    start = at;
                    self.depth = 1;
                    self.begun_line = self.line;
                }
                continue;
            }
            match byte {
                b'"' => self.is_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.end(bytes.get(start..=at).unwrap_or_default(), take)?;
                    }
                }
                _ => {}
            }
        }
        if self.depth > 0 {
            self.begun.extend_from_slice(bytes.get(start..).unwrap_or_default());
            if self.begun.len() > RECORD_BYTES_MAX {
                // Most likely its end is missing: the parser says where.
                let begun = std::mem::take(&mut self.begun);
                take(&begun, self.begun_line)?;
                let line = self.begun_line;
                return Err(ReadError::Bad(format!("line {line}: one row is larger than 64 MiB")));
            }
        }
        Ok(())
    }

    fn end(&mut self, last: &[u8], take: &mut Take<'_>) -> Result<(), ReadError> {
        if self.begun.is_empty() {
            return take(last, self.begun_line);
        }
        let mut record = std::mem::take(&mut self.begun);
        record.extend_from_slice(last);
        let taken = take(&record, self.begun_line);
        record.clear();
        self.begun = record;
        taken
    }

    /// A byte between records; true if it begins one.
    fn outside(&mut self, byte: u8) -> Result<bool, ReadError> {
        if byte.is_ascii_whitespace() {
            return Ok(false);
        }
        let next = match (self.place, byte) {
            (Place::Start | Place::Lines, b'{') => Place::Lines,
            (Place::Start, b'[') => {
                self.place = Place::Open;
                return Ok(false);
            }
            (Place::Open | Place::AfterComma, b'{') => Place::AfterRecord,
            (Place::AfterRecord, b',') => {
                self.place = Place::AfterComma;
                return Ok(false);
            }
            (Place::Open | Place::AfterRecord, b']') => {
                self.place = Place::Closed;
                return Ok(false);
            }
            (place, _) => return Err(self.unexpected(place, byte)),
        };
        self.place = next;
        Ok(true)
    }

    fn unexpected(&self, place: Place, byte: u8) -> ReadError {
        let wanted = match place {
            Place::Start | Place::Lines => "an object",
            Place::Open | Place::AfterComma => "an object of the list",
            Place::AfterRecord => "a comma or the end of the list",
            Place::Closed => "nothing after the list",
        };
        let found = match byte {
            b' '..=b'~' => format!("{:?}", char::from(byte)),
            _ => format!("the byte {byte:#04x}"),
        };
        ReadError::Bad(format!("line {}: {wanted} was expected, here is {found}", self.line))
    }

    /// The text is over. What is left of a record is given out, for the parser to say what
    /// it lacks.
    pub fn finish(&mut self, take: &mut Take<'_>) -> Result<(), ReadError> {
        let line = self.begun_line;
        if self.depth > 0 {
            take(&self.begun, line)?;
            return Err(ReadError::Bad(format!("line {line}: the text breaks off")));
        }
        match self.place {
            Place::Open | Place::AfterComma | Place::AfterRecord => Err(ReadError::Bad(format!(
                "line {}: the text breaks off before the list ends",
                self.line
            ))),
            _ => Ok(()),
        }
    }
}
