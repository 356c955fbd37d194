//! The functions that a proof takes on trust, each with its argument.
//!
//! None of them calls back into Python or waits for a thread that could be waiting for the
//! interpreter lock, and each takes a time that its arguments bound. The table is shown in
//! docs/gil.md.

/// A group of functions and why they are fine.
pub struct Audited {
    pub names: &'static [&'static str],
    pub argument: &'static str,
    pub holds: Holds,
}

/// Where an argument holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    Everywhere,
    /// Where a proved function calls them, and not when Python does.
    Inside,
    /// As `Inside`; they do not return.
    InsideAndEnds,
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
            "g_type_from_name",
        ],
        argument: "They compare or look up type nodes. Some take GType's reader lock, whose writers \
                   only change tables while they hold it and never wait for another lock.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &["g_return_if_fail_warning"],
        argument: "Runs only after a failed assertion. A log handler in Python takes the \
                   interpreter lock again, which the thread already holds.",
        holds: Holds::Inside,
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
            "g_strv_length",
            "g_environ_getenv",
            "g_variant_type_get_string_length",
        ],
        argument: "Bounded by the memory that they are given; they touch nothing else.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &["g_bit_nth_lsf", "g_bit_nth_msf", "g_spaced_primes_closest"],
        argument: "Their loops have at most 64 turns.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &["g_path_get_basename", "g_path_get_dirname"],
        argument: "They go over the bytes of a path and copy a part of it.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "clock_gettime",
            "gettimeofday",
            "time",
            "g_get_monotonic_time",
            "g_get_real_time",
        ],
        argument: "They read a clock. Where that takes a system call, it is one that never waits.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &["g_private_get", "g_private_set"],
        argument: "They read and write a value of the calling thread. The first use of a key makes it, \
                   without a lock.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "g_quark_from_string",
            "g_quark_from_static_string",
            "g_quark_try_string",
            "g_intern_string",
            "g_intern_static_string",
            "g_get_prgname",
            "g_get_application_name",
        ],
        argument: "They look something up, or enter it, in a table of GLib's under its lock. Threads \
                   that hold that lock do the same; they run no other code and wait for no other \
                   thread, but for the allocator.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "g_variant_get_boolean",
            "g_variant_get_byte",
            "g_variant_get_int16",
            "g_variant_get_uint16",
            "g_variant_get_int32",
            "g_variant_get_uint32",
            "g_variant_get_int64",
            "g_variant_get_uint64",
            "g_variant_get_handle",
            "g_variant_get_double",
        ],
        argument: "They compare the type and read a number. A number has no parts, so that threads \
                   which hold the value's lock do no more than that.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "g_time_zone_get_offset",
            "g_time_zone_get_abbreviation",
            "g_time_zone_is_dst",
            "g_time_zone_adjust_time",
            "g_time_zone_find_interval",
        ],
        argument: "They search the zone's table of transitions, which never changes.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &["g_time_zone_ref", "g_time_zone_unref"],
        argument: "They count references. The last one takes the zone out of GLib's table, under a \
                   lock that is held for no more than that.",
        holds: Holds::Everywhere,
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
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "sin", "cos", "tan", "sqrt", "pow", "floor", "ceil", "round", "fmod", "sqrtf",
            "sincosf", "sinf", "cosf", "tanf", "hypot", "atan2",
        ],
        argument: "They compute a number from numbers.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "__stack_chk_fail",
            "abort",
            "g_assertion_message_expr",
            "g_assertion_message",
        ],
        argument: "They end the process.",
        holds: Holds::InsideAndEnds,
    },
];

/// How the functions are named that return a type; they are fine, too.
pub static GET_TYPES: Audited = Audited {
    names: &["*_get_type"],
    argument: "They return a GType that is registered once. A first call registers it, which takes \
               GType's locks and runs no code of classes; another thread that registers the same \
               type meanwhile does not take the interpreter lock before it is done.",
    holds: Holds::Everywhere,
};

/// The entry of the exported function `name`.
pub fn audited(name: &str) -> Option<&'static Audited> {
    if name.ends_with("_get_type") {
        return Some(&GET_TYPES);
    }
    AUDITED.iter().find(|group| group.names.contains(&name))
}
