"""Foreign structs: cairo's, where pycairo and PyGObject's converters for it are installed."""

import gi

from .cases import call, fresh, method, script, varied

try:
    import cairo

    gi.require_foreign("cairo")
except ImportError:
    cairo = None
else:
    gi.require_version("PangoCairo", "1.0")
    gi.require_version("Gdk", "3.0")
    from gi.repository import Gdk, GObject, Pango, PangoCairo, Regress


def surface(width=10, height=10):
    return cairo.ImageSurface(cairo.FORMAT_ARGB32, width, height)


def context():
    return cairo.Context(surface())


def broken():
    """A context in an error state."""
    found = context()
    try:
        found.restore()
    except cairo.Error:
        pass
    return found


def pattern():
    return cairo.SolidPattern(1, 0.5, 0)


def options():
    found = cairo.FontOptions()
    found.set_antialias(cairo.ANTIALIAS_GRAY)
    return found


def region():
    return cairo.Region(cairo.RectangleInt(1, 2, 3, 4))


def path():
    found = context()
    found.move_to(1, 2)
    found.line_to(3, 4)
    return found.copy_path()


def layout():
    return PangoCairo.create_layout(context())


def cases():
    """A case for each struct, way and owner."""
    odd = (None, 5, "x", fresh(surface), fresh(region), fresh(object))
    for name in ("none", "full"):
        call(f"Regress.test_cairo_context_{name}_in", fresh(context))
        call(f"Regress.test_cairo_surface_{name}_in", fresh(surface))
        for thing in odd:
            call(f"Regress.test_cairo_context_{name}_in", thing)
        call(f"Regress.test_cairo_surface_{name}_return")
    for thing in (None, 5, fresh(context), fresh(broken)):
        call("Regress.test_cairo_surface_none_in", thing)
    call("Regress.test_cairo_context_full_return")
    call("Regress.test_cairo_surface_full_out")
    for kind in ("path", "pattern", "font_options", "region", "matrix"):
        makers = {"path": path, "pattern": pattern, "font_options": options, "region": region,
                  "matrix": cairo.Matrix}  # fmt: skip
        for name in ("none_in", "full_in"):
            if hasattr(Regress, f"test_cairo_{kind}_{name}"):
                for thing in (fresh(makers[kind]), *odd):
                    call(f"Regress.test_cairo_{kind}_{name}", thing)
        for name in ("full_return", "none_return", "full_out", "none_out"):
            if hasattr(Regress, f"test_cairo_{kind}_{name}"):
                call(f"Regress.test_cairo_{kind}_{name}")
    call("Regress.test_cairo_matrix_out_caller_allocates")
    for thing in (fresh(path), *odd):
        call("Regress.test_cairo_path_full_in_full_return", thing)
    call("PangoCairo.create_layout", fresh(context))
    call("PangoCairo.create_context", fresh(context))
    call("PangoCairo.update_layout", fresh(context), fresh(layout))
    call("PangoCairo.show_layout", fresh(context), fresh(layout))
    call("PangoCairo.context_set_font_options", fresh(Pango.Context), fresh(options))
    call("PangoCairo.context_set_font_options", fresh(Pango.Context), None)
    call("PangoCairo.context_get_font_options", fresh(Pango.Context))
    call("Gdk.cairo_region_create_from_surface", fresh(surface))
    call("Gdk.cairo_region", fresh(context), fresh(region))
    call("Gdk.cairo_get_clip_rectangle", fresh(context))
    call("Gdk.cairo_set_source_rgba", fresh(context), fresh(Gdk.RGBA))
    varied("PangoCairo.create_layout", (fresh(context),), (None,), (5,), (fresh(broken),))
    method(fresh(Pango.Context), "get_matrix")


if cairo is not None:
    cases()

    @script
    def drawn_text():
        """what is drawn through a context arrives in its surface"""
        target = surface(40, 20)
        found = cairo.Context(target)
        layout = PangoCairo.create_layout(found)
        layout.set_text("x", -1)
        before = bytes(target.get_data())
        PangoCairo.show_layout(found, layout)
        return [before != bytes(target.get_data()), layout.get_text()]

    @script
    def regions_of_surfaces():
        """a region that comes out"""
        found = Gdk.cairo_region_create_from_surface(surface(3, 5))
        return [found.num_rectangles(), found.is_empty()]

    @script
    def references():
        """structs that are given away or lent are counted"""
        made = context()
        for _ in range(5):
            Regress.test_cairo_context_none_in(made)
            Regress.test_cairo_context_full_in(cairo.Context(made.get_target()))
        return [made.get_target().get_width(), Regress.test_cairo_surface_none_return().get_width()]

    @script
    def options_are_copies():
        """font options that come out are the receiver's own"""
        shown = PangoCairo.FontMap.get_default().create_context()
        PangoCairo.context_set_font_options(shown, options())
        first = PangoCairo.context_get_font_options(shown)
        second = PangoCairo.context_get_font_options(shown)
        first.set_antialias(cairo.ANTIALIAS_NONE)
        return [int(first.get_antialias()), int(second.get_antialias())]

    @script
    def values_of_cairo():
        """a surface in a GObject.Value"""
        value = GObject.Value(GObject.type_from_name("CairoSurface"), surface())
        return [value.get_value().get_width()]
