//! The functions that a proof takes on trust, each with its argument.
//!
//! None of them calls back into Python or waits for a thread that could be waiting for the
//! interpreter lock, and each takes a time that its arguments bound. The table is shown in
//! docs/gil.md.

/// A group of functions and why they are fine.
pub struct Audited {
    pub names: &'static [&'static str],
    pub argument: &'static str,
    /// They do not return.
    pub ends: bool,
}

/// The table.
pub static AUDITED: &[Audited] = &[
    Audited {
        names: &[
            "g_type_check_instance_is_a",
            "g_type_check_instance_cast",
            "g_type_check_instance_is_fundamentally_a",
            "g_type_check_instance",
            "g_type_check_value_holds",
            "g_type_check_value",
            "g_type_check_class_is_a",
            "g_type_check_class_cast",
            "g_type_is_a",
            "g_type_fundamental",
        ],
        argument: "They compare type nodes. For interfaces they take GType's reader lock, whose \
                   writers only change tables while they hold it and never wait for another lock.",
        ends: false,
    },
    Audited {
        names: &["g_return_if_fail_warning"],
        argument: "Runs only after a failed assertion. A log handler in Python takes the \
                   interpreter lock again, which the thread already holds.",
        ends: false,
    },
    Audited {
        names: &[
            "strlen",
            "strcmp",
            "strncmp",
            "strchr",
            "strrchr",
            "memcpy",
            "memmove",
            "memset",
            "memcmp",
            "g_str_equal",
            "g_strcmp0",
        ],
        argument: "Bounded by the memory that they are given; they touch nothing else.",
        ends: false,
    },
    Audited {
        names: &[
            "malloc",
            "calloc",
            "realloc",
            "free",
            "g_malloc",
            "g_malloc0",
            "g_malloc_n",
            "g_malloc0_n",
            "g_free",
            "g_strdup",
            "g_slice_alloc",
            "g_slice_alloc0",
            "g_slice_free1",
        ],
        argument: "The allocator's locks are held by threads that are inside of the allocator, \
                   which never wait for the interpreter lock there.",
        ends: false,
    },
    Audited {
        names: &[
            "sin", "cos", "tan", "sqrt", "pow", "floor", "ceil", "round", "fmod", "sqrtf",
            "sincosf", "sinf", "cosf", "tanf", "hypot", "atan2",
        ],
        argument: "They compute a number from numbers.",
        ends: false,
    },
    Audited {
        names: &[
            "__stack_chk_fail",
            "abort",
            "g_assertion_message_expr",
            "g_assertion_message",
        ],
        argument: "They end the process.",
        ends: true,
    },
];

/// How the functions are named that return a type; they are fine, too.
pub static GET_TYPES: Audited = Audited {
    names: &["*_get_type"],
    argument: "They return a GType that is registered once. A first call registers it, which takes \
               GType's locks and runs no code of classes; another thread that registers the same \
               type meanwhile does not take the interpreter lock before it is done.",
    ends: false,
};

/// The entry of the exported function `name`.
pub fn audited(name: &str) -> Option<&'static Audited> {
    if name.ends_with("_get_type") {
        return Some(&GET_TYPES);
    }
    AUDITED.iter().find(|group| group.names.contains(&name))
}
