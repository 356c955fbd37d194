"""HTML pages that need nothing beside themselves, from the templates of this package."""

import os


class NoTemplates(ImportError):
    """The template library is not installed."""


def render(template, target, **values):
    """Write the page of ``template`` to the file ``target``.

    :raises NoTemplates: without jinja2.
    :raises OSError: when the file cannot be written.
    """
    try:
        import jinja2
    except ImportError as error:
        raise NoTemplates(
            "an HTML page needs jinja2: pip install jinja2, or gijit with its extra: gijit[html]"
        ) from error
    from . import _plots

    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = _plots.number
    page = environment.get_template(template).render(**values)
    with open(target, "w", encoding="utf-8") as file:
        file.write(page)
