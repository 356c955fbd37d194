//! The virtual functions that are taken on trust for some classes.
//!
//! As the other entries, but only where the first argument is known to be an instance of one of the
//! classes: the functions go through its table of functions.

use super::{Audited, Holds};

/// The classes and what is taken on trust for them.
pub static FOR_CLASSES: &[(&[&str], Audited)] = &[
    (
        &["GSimpleActionGroup"],
        Audited {
            names: &[
                "g_action_group_list_actions",
                "g_action_group_has_action",
                "g_action_map_lookup_action",
            ],
            argument: "They go over a hash table of names in memory.",
            holds: Holds::Everywhere,
        },
    ),
    (
        &["GtkListStore", "GtkTreeStore"],
        Audited {
            names: &[
                "gtk_tree_model_get_flags",
                "gtk_tree_model_get_n_columns",
                "gtk_tree_model_get_column_type",
                "gtk_tree_model_get_iter",
                "gtk_tree_model_get_iter_first",
                "gtk_tree_model_get_path",
                "gtk_tree_model_get_value",
                "gtk_tree_model_iter_next",
                "gtk_tree_model_iter_previous",
                "gtk_tree_model_iter_children",
                "gtk_tree_model_iter_has_child",
                "gtk_tree_model_iter_n_children",
                "gtk_tree_model_iter_nth_child",
                "gtk_tree_model_iter_parent",
            ],
            argument: "They walk in the rows, which one thread uses, and copy a value or take a \
                       reference to it; no signal is emitted. A value that is a Python object is \
                       copied with the interpreter lock, which the thread already holds.",
            holds: Holds::Everywhere,
        },
    ),
    (
        &[
            "GtkApplicationWindow",
            "GtkBox",
            "GtkButtonBox",
            "GtkEventBox",
            "GtkFixed",
            "GtkFlowBox",
            "GtkFrame",
            "GtkGrid",
            "GtkHeaderBar",
            "GtkListBox",
            "GtkNotebook",
            "GtkOverlay",
            "GtkPaned",
            "GtkScrolledWindow",
            "GtkStack",
            "GtkWindow",
        ],
        Audited {
            names: &["gtk_container_get_children"],
            argument: "It goes over the children, which one thread uses, and puts them into a list.",
            holds: Holds::Everywhere,
        },
    ),
];
