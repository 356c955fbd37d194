"""Results that are enums and flags: the members of their classes, as on stock."""

import pytest
from test_embed import same_as_stock

pytest.importorskip("gi")

MODES = [{"GIJIT_MAX_TIER": "0"}, {"GIJIT_TIER1_CALLS": "1", "GIJIT_TIER2_CALLS": "9"}]


@pytest.mark.parametrize("mode", range(len(MODES)))
def test_results_are_members(mode):
    same_as_stock(
        """
    import sys
    from gi.repository import Gio, GLib
    def show(call, times=20):
        for _ in range(times):
            value = call()
        print(type(value), repr(value), value == call(), value is call())
        return value
    app = Gio.Application()
    date = GLib.Date.new_dmy(1, 2, 2003)
    kind = Gio.Icon.new_for_string("name")
    file = Gio.File.new_for_path("/")
    show(app.get_flags)
    app.set_flags(Gio.ApplicationFlags.HANDLES_OPEN | Gio.ApplicationFlags.NON_UNIQUE)
    show(app.get_flags)
    app.set_flags(Gio.ApplicationFlags.IS_SERVICE)
    print(show(app.get_flags) is Gio.ApplicationFlags.IS_SERVICE)
    print(show(date.get_weekday) is GLib.DateWeekday.SATURDAY)
    print(show(date.get_month))
    show(lambda: file.query_file_type(0, None))
    show(lambda: GLib.unichar_type("a"))
    show(lambda: GLib.unichar_get_script("a"))
    for number in range(0, 0x3000, 7):
        print(int(GLib.unichar_type(chr(number))), GLib.unichar_break_type(chr(number)))
    """,
        GIJIT_COMPILE="sync",
        **MODES[mode],
    )


@pytest.mark.parametrize("mode", range(len(MODES)))
def test_the_table_of_a_class_is_looked_at_each_time(mode):
    same_as_stock(
        """
    import gi
    from gi.repository import Gio, GLib
    call = GLib.Date.new_dmy(1, 2, 2003).get_weekday
    def show():
        for _ in range(20):
            try:
                value = call()
            except ValueError as error:
                value = error
        print(type(value), repr(value), value is GLib.DateWeekday.SATURDAY)
    show()
    table = GLib.DateWeekday.__enum_values__
    member = table.pop(6)
    show()
    table[6] = member
    show()
    GLib.DateWeekday.__enum_values__ = {}
    show()
    GLib.DateWeekday.__enum_values__ = {6: table[5]}
    show()
    GLib.DateWeekday.__enum_values__ = table
    show()
    """,
        GIJIT_COMPILE="sync",
        **MODES[mode],
    )
