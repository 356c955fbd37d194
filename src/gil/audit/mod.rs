//! The functions that a proof takes on trust, each with its argument.
//!
//! None of them calls back into Python or waits for a thread that could be waiting for the
//! interpreter lock, and each takes a time that its arguments bound. The table is shown in
//! docs/gil.md.

mod classes;
mod objects;

pub use classes::FOR_CLASSES;

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

/// What is trusted whatever the arguments are, but for [`GET_TYPES`].
pub fn groups() -> impl Iterator<Item = &'static Audited> {
    AUDITED.iter().chain(objects::AUDITED)
}

/// Of GLib, GObject and the C library.
static AUDITED: &[Audited] = &[
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
            "g_type_interface_peek",
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
            "g_str_hash",
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
        names: &[
            "g_utf8_strup",
            "g_utf8_strdown",
            "g_utf8_casefold",
            "g_utf8_normalize",
            "g_utf8_strreverse",
            "g_utf8_strlen",
            "g_utf8_substring",
            "g_utf8_validate",
            "g_utf8_validate_len",
            "g_utf8_make_valid",
            "g_utf8_strchr",
            "g_utf8_strrchr",
            "g_ascii_strup",
            "g_ascii_strdown",
            "g_ascii_strcasecmp",
            "g_ascii_strncasecmp",
            "g_ascii_strtod",
            "g_ascii_dtostr",
            "g_ascii_strtoll",
            "g_ascii_strtoull",
            "g_str_is_ascii",
            "g_strescape",
            "g_strcompress",
            "g_strreverse",
            "g_strrstr",
            "g_strstr_len",
            "g_strjoinv",
            "g_strv_contains",
            "g_strv_equal",
            "g_markup_escape_text",
            "g_base64_encode",
            "g_base64_decode",
            "g_uri_escape_string",
            "g_uri_escape_bytes",
            "g_uri_unescape_string",
            "g_uri_unescape_segment",
            "g_uri_unescape_bytes",
            "g_uri_parse_scheme",
            "g_uri_peek_scheme",
            "g_uri_parse_params",
            "g_hostname_is_ip_address",
            "g_hostname_is_ascii_encoded",
            "g_hostname_is_non_ascii",
            "g_filename_to_uri",
            "g_filename_from_uri",
            "g_shell_quote",
            "g_shell_unquote",
            "g_shell_parse_argv",
            "g_uuid_string_is_valid",
            "g_variant_is_object_path",
            "g_variant_is_signature",
            "g_variant_type_string_is_valid",
        ],
        argument: "They go over the text that they are given, as the methods of Python's `str` \
                   and `bytes` do with the lock held. What they say of text that is wrong is \
                   looked up among the translations, as Python's `locale.gettext` does with the \
                   lock held.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "g_unichar_get_script",
            "g_unichar_iswide",
            "g_unichar_iswide_cjk",
            "g_unichar_istitle",
            "g_unichar_tolower",
            "g_unichar_totitle",
            "g_unichar_toupper",
            "g_unichar_decompose",
            "g_unichar_fully_decompose",
        ],
        argument: "They search GLib's tables of Unicode, which never change.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "g_key_file_get_groups",
            "g_key_file_get_keys",
            "g_key_file_has_group",
            "g_key_file_has_key",
            "g_key_file_get_value",
            "g_key_file_set_value",
            "g_key_file_get_string",
            "g_key_file_set_string",
            "g_key_file_get_string_list",
            "g_key_file_set_string_list",
            "g_key_file_get_boolean",
            "g_key_file_set_boolean",
            "g_key_file_get_integer",
            "g_key_file_set_integer",
            "g_key_file_get_int64",
            "g_key_file_set_int64",
            "g_key_file_get_uint64",
            "g_key_file_set_uint64",
            "g_key_file_get_double",
            "g_key_file_set_double",
            "g_key_file_remove_key",
            "g_key_file_remove_group",
        ],
        argument: "They look up, parse and change text in memory that belongs to the caller \
                   alone: a key file has no lock. What they say of keys that are missing is looked up \
                   among the translations, as Python's `locale.gettext` does with the lock held.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "g_random_int",
            "g_random_int_range",
            "g_random_double",
            "g_random_double_range",
        ],
        argument: "They compute under the lock of GLib's generator, which is held for no more \
                   than that. The first of them reads a few bytes of `/dev/urandom`, which never \
                   waits.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "g_variant_new_boolean",
            "g_variant_new_byte",
            "g_variant_new_int16",
            "g_variant_new_uint16",
            "g_variant_new_int32",
            "g_variant_new_uint32",
            "g_variant_new_int64",
            "g_variant_new_uint64",
            "g_variant_new_handle",
            "g_variant_new_double",
            "g_variant_new_string",
            "g_variant_new_object_path",
            "g_variant_new_signature",
            "g_variant_new_strv",
            "g_variant_new_objv",
            "g_variant_new_bytestring",
        ],
        argument: "They copy a number or text into a value that nobody else has yet. The table of \
                   types has a lock, which is held for a look-up.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &["g_variant_unref"],
        argument: "It counts references. The last one frees the value and its parts, under the \
                   lock of the table of types for each container. A function in Python that is to \
                   free the memory under a value takes the interpreter lock again.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "g_time_zone_new_utc",
            "g_date_time_new_utc",
            "g_date_time_new_from_unix_utc",
            "g_date_time_new_now_utc",
            "g_date_time_to_utc",
        ],
        argument: "They make or look up UTC in GLib's table of time zones, under its lock, and \
                   compute a date.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &["g_date_time_format", "g_date_time_format_iso8601"],
        argument: "They write a date as text, as Python's `time.strftime` does with the lock held, and \
                   look names of months up among the translations, as its `locale.gettext` does.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &["g_date_compare", "g_date_order", "g_date_clamp"],
        argument: "They compute with the days of a year.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &[
            "g_sequence_get_length",
            "g_sequence_get_iter_at_pos",
            "g_sequence_get_begin_iter",
            "g_sequence_get_end_iter",
            "g_sequence_get",
            "g_sequence_iter_is_begin",
            "g_sequence_iter_is_end",
            "g_sequence_iter_next",
            "g_sequence_iter_prev",
            "g_sequence_iter_get_position",
            "g_list_store_find",
        ],
        argument: "They walk in a balanced tree in memory, or compare the pointers in it, and call \
                   nothing.",
        holds: Holds::Everywhere,
    },
    Audited {
        names: &["g_object_ref"],
        argument: "It counts references. Where the second one is taken, PyGObject is told, which \
                   takes the interpreter lock again; the thread already holds it.",
        holds: Holds::Inside,
    },
    Audited {
        names: &[
            "g_get_user_data_dir",
            "g_get_user_config_dir",
            "g_get_user_cache_dir",
            "g_get_system_data_dirs",
            "g_get_system_config_dirs",
        ],
        argument: "They return what a first call has made of the environment, under a lock that is \
                   held for that. Where HOME is not set, the first call of the process asks the user \
                   database, as Python's `os.path.expanduser` does; it runs nothing of Python.",
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
            "g_variant_get_string",
            "g_variant_dup_string",
        ],
        argument: "They compare the type and read a number or text. Neither has parts, so that threads \
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

/// The entry of the exported function `name`, for a first argument whose class is called `class` if
/// that is known.
pub fn audited(name: &str, class: Option<&str>) -> Option<&'static Audited> {
    if name.ends_with("_get_type") {
        return Some(&GET_TYPES);
    }
    let of_class = FOR_CLASSES
        .iter()
        .filter(|(classes, _)| class.is_some_and(|class| classes.contains(&class)))
        .map(|(_, group)| group);
    groups()
        .chain(of_class)
        .find(|group| group.names.contains(&name))
}
