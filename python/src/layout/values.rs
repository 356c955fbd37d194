//! CPython's ints, floats and strings (`longintrepr.h`, `floatobject.h`, `unicodeobject.h`), as the
//! versions from 3.11 on have them. Which of the known forms is this CPython's is found by trying.
//!
//! Not here: what is done with them, which is the recipes' (`recipes/`) and the helpers' (`marshal/`).

use std::ffi::c_char;

use pyo3::ffi;

use super::peek;

/// `PyLongObject`: what counts the digits, then 30-bit digits.
pub const LONG_HEAD: i32 = 16;
pub const LONG_DIGITS: i32 = 24;
/// The ints that CPython keeps for good (`_PY_NSMALLNEGINTS`, `_PY_NSMALLPOSINTS`), and the bytes of one.
pub const SMALL_INT_MIN: i64 = -5;
pub const SMALL_INT_MAX: i64 = 256;
pub const SMALL_INT_SIZE: i64 = 32;
pub const FLOAT_VALUE: i32 = 16;
/// `PyASCIIObject`: length and state bits.
pub const UNICODE_LENGTH: i32 = 16;
pub const UNICODE_STATE: i32 = 32;

/// What counts the digits of an int, and has its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntHead {
    /// The number of digits, negative for a negative int: `ob_size` of CPython 3.11.
    Size,
    /// Above three bits, the number of digits; in the lower two, 0 for a positive int, 1 for zero and
    /// 2 for a negative one: `lv_tag` from CPython 3.12 on.
    Tag,
}

/// A compact ASCII str.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ascii {
    /// The bits of its state that say so.
    pub state: u32,
    /// Where its characters begin.
    pub data: i32,
}

/// The forms of CPython 3.11, of 3.12 and 3.13, and from 3.14 on.
const ASCII_FORMS: [Ascii; 3] = [
    Ascii {
        state: 0x60,
        data: 48,
    },
    Ascii {
        state: 0x60,
        data: 40,
    },
    Ascii {
        state: 0x18_0000,
        data: 40,
    },
];

impl IntHead {
    /// The head that ints of one digit have here.
    pub(super) fn find() -> Option<Self> {
        [Self::Size, Self::Tag]
            .into_iter()
            .find(|head| head.holds())
    }

    fn holds(self) -> bool {
        let (digit, large) = ((1 << 30) - 1, 1 << 30);
        let values = [0_i64, 1, 7, -5, -1, 300, -70_000, digit, -digit];
        // SAFETY: the caller of `layout` holds the interpreter lock; an int has at least 28 bytes.
        let read = |value| unsafe {
            let object = ffi::PyLong_FromLongLong(value);
            let head: i64 = peek(object, LONG_HEAD);
            let digit: u32 = peek(object, LONG_DIGITS);
            ffi::Py_DECREF(object);
            (head, digit)
        };
        let right = values.iter().all(|&value| {
            let (head, digit) = read(value);
            self.sign(head).map(|sign| sign * i64::from(digit)) == Some(value)
        });
        right
            && [large, -large]
                .iter()
                .all(|&value| self.sign(read(value).0).is_none())
    }

    /// The sign of an int of one digit or none with this head; `None` when it has more digits.
    fn sign(self, head: i64) -> Option<i64> {
        match self {
            Self::Size => (-1..=1).contains(&head).then_some(head),
            Self::Tag => (0..16).contains(&head).then_some(1 - (head & 3)),
        }
    }
}

impl Ascii {
    /// The characters of `text`, which are followed by a zero, and their number; `None` when it has
    /// others than ASCII's or lies otherwise.
    ///
    /// # Safety
    /// A str, which outlives the characters; this form is the one that strings have here.
    pub unsafe fn characters(self, text: *mut ffi::PyObject) -> Option<(*const c_char, isize)> {
        // SAFETY: by this function's contract.
        unsafe {
            let state: u32 = peek(text, UNICODE_STATE);
            let found = state & self.state == self.state;
            let data = text.cast::<c_char>().add(self.data as usize);
            found.then(|| (data.cast_const(), peek(text, UNICODE_LENGTH)))
        }
    }

    /// The form that compact ASCII strings have here.
    pub(super) fn find() -> Option<Self> {
        ASCII_FORMS.into_iter().find(|form| form.holds())
    }

    fn holds(self) -> bool {
        let check = |text: &std::ffi::CStr, ascii: bool| {
            // SAFETY: as in `IntHead::holds`; a str has at least 49 bytes, and 41 from 3.12 on.
            unsafe {
                let object = ffi::PyUnicode_FromString(text.as_ptr());
                let length: usize = peek(object, UNICODE_LENGTH);
                let state: u32 = peek(object, UNICODE_STATE);
                let right = state & self.state == self.state;
                let same = right && {
                    let data: u8 = peek(object, self.data);
                    data == text.to_bytes()[0] && length == text.count_bytes()
                };
                ffi::Py_DECREF(object);
                right == ascii && same == ascii
            }
        };
        check(c"probe of str", true) && check(c"q", true) && check(c"pr\xc3\xb6be", false)
    }
}

/// Where the small int 0 lies, from which all others are [`SMALL_INT_SIZE`] bytes apart.
pub(super) fn small_ints() -> Option<usize> {
    // SAFETY: as in `IntHead::holds`; the reference is given back and the address is only a number.
    let address = |value| unsafe {
        let object = ffi::PyLong_FromLongLong(value);
        ffi::Py_DECREF(object);
        object as i64
    };
    let zero = address(0);
    let in_row = |value| address(value) == zero + value * SMALL_INT_SIZE;
    (SMALL_INT_MIN..=SMALL_INT_MAX)
        .all(in_row)
        .then_some(zero as usize)
}

pub(super) fn float_holds() -> bool {
    [0.5, -1e300].iter().all(|&value| {
        // SAFETY: as in `IntHead::holds`; a float has 24 bytes.
        unsafe {
            let object = ffi::PyFloat_FromDouble(value);
            let found: f64 = peek(object, FLOAT_VALUE);
            ffi::Py_DECREF(object);
            found == value
        }
    })
}
