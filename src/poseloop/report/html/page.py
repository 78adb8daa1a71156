"""The page: templates filled, with style, scripts and data inside."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from poseloop.report.html.config import HtmlConfig
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file, write_text


def render(template: Path, viewer: Path, content: dict) -> str:
    """The whole page as text.

    Parameters
    ----------
    template : Path
        Beside it lie `report.css` and `report.js`.
    viewer : Path
        The bundled script that turns meshes.
    content : dict
        What the template names.

    Raises
    ------
    UserError
        A file is missing.
    """
    folder = require_file(template, "template").parent
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(template.name).render(
        style=require_file(folder / "report.css", "style sheet").read_text(),
        script=inline(require_file(folder / "report.js", "script").read_text()),
        viewer=inline(require_file(viewer, "bundled viewer").read_text()),
        **content,
    )


def inline(script: str) -> str:
    """A script that cannot end the element which it stands in."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def write_page(path: Path, page: str, config: HtmlConfig) -> None:
    """Write the page.

    Raises
    ------
    UserError
        It is larger than the config allows.
    """
    size = len(page.encode()) / 1e6
    if size > config.max_megabytes:
        raise UserError(
            f"{path}: {size:.1f} MB, above max_megabytes {config.max_megabytes:g}; "
            "lower subjects or mesh_subjects in report_html.yaml"
        )
    write_text(path, page)
