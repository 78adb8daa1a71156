"""Fields of config models as Markdown tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from poseloop.runtime.config import Config

REQUIRED = "required"
# The sign of each bound that pydantic keeps beside a type.
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥"}


@dataclass(frozen=True)
class Row:
    """A field: its place in the file, type and bounds, default, and what it is."""

    place: str
    kind: str
    default: str
    description: str


def reference(models: Mapping[str, type[Config]], presets: Mapping[str, Iterable[str]]) -> str:
    """A section for each file: its model's docstring and a table of all fields.

    Parameters
    ----------
    models : mapping
        File name to model.
    presets : mapping
        File name to the presets that have a file of their own.
    """
    sections = []
    for name in sorted(models):
        model = models[name]
        lines = [
            f"### `{name}`",
            "",
            f"{_summary(model)} Own files in: {', '.join(presets[name])}. "
            f"Model: `{model.__module__}.{model.__name__}`.",
            "",
            "| field | type | default | description |",
            "|---|---|---|---|",
            *(f"| `{r.place}` | {r.kind} | {r.default} | {r.description} |" for r in rows(model)),
        ]
        sections.append("\n".join(lines))
    return "\n\n".join(sections)


def rows(model: type[BaseModel], above: str = "", given: BaseModel | None = None) -> Iterator[Row]:
    """Every field of a model and of the models in it, with its dotted place in the file.

    `<name>` stands for a key of your choice, `[]` for an entry of a list, and `(refl)` for the
    fields that belong to one `kind`.

    Parameters
    ----------
    given : model or None
        Where the file may leave out the whole model: what stands in for it.
    """
    for name, field in model.model_fields.items():
        place = f"{above}{name}"
        default = _default(field) if given is None else getattr(given, name)
        inner = list(_models(field.annotation, place))
        description = field.description or _described(field, inner)
        yield Row(
            place,
            _escape(_with_bounds(_kind(field.annotation), field.metadata)),
            _text(default),
            _escape(description),
        )
        for below, part in inner:
            stands_in = default if isinstance(default, part) else None
            yield from rows(part, f"{below}.", stands_in)


def _described(field: FieldInfo, inner: Sequence[tuple[str, type[BaseModel]]]) -> str:
    """What a field without a description of its own is."""
    if inner:
        return _summary(inner[0][1])
    values = get_args(field.annotation)
    return "Chooses these fields." if get_origin(field.annotation) and len(values) == 1 else ""


def _default(field: FieldInfo) -> object:
    if field.default_factory is not None:
        return field.get_default(call_default_factory=True)
    return field.default


def _models(annotation: Any, place: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Models within a type, with the place of their fields."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield place, annotation
    elif origin is Annotated:
        yield from _models(arguments[0], place)
    elif origin is dict:
        yield from _models(arguments[1], f"{place}.<name>")
    elif origin in (list, tuple):
        yield from _models(arguments[0], f"{place}[]")
    elif origin in (Union, UnionType):
        found = [pair for part in arguments for pair in _models(part, place)]
        for where, part in found:
            yield f"{where} ({_tag(part)})" if len(found) > 1 else where, part


def _tag(model: type[BaseModel]) -> str:
    """What chooses a model among others: the one value of its field `kind`, or its name."""
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation)[0] if kind is not None else model.__name__


def _kind(annotation: Any) -> str:
    """A type as a reader of YAML says it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is NoneType:
        return "null"
    if annotation is Any:
        return "any"
    if origin is Annotated:
        return _with_bounds(_kind(arguments[0]), arguments[1:])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is dict:
        return f"mapping of {_kind(arguments[1])}"
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return f"list of {_kind(arguments[0])}"
    if origin is tuple:
        return f"{len(arguments)} values: {', '.join(map(_kind, arguments))}"
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(_kind, arguments)))
    if issubclass(annotation, BaseModel):
        return "fields"
    return annotation.__name__


def _with_bounds(kind: str, metadata: Iterable[object]) -> str:
    """A type and what pydantic keeps beside it; bounds of an inner type are in a field's own."""
    parts = [
        part
        for entry in metadata
        for part in (entry.metadata if isinstance(entry, FieldInfo) else [entry])
    ]
    bounds = [
        f"{sign} {getattr(part, name)}"
        for part in parts
        for name, sign in _BOUNDS.items()
        if getattr(part, name, None) is not None
    ]
    return ", ".join([kind, *bounds])


def _text(default: object) -> str:
    if default is PydanticUndefined:
        return REQUIRED
    if isinstance(default, BaseModel):
        return "fields below"
    if default is None:
        return "null"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple | list):
        return f"[{', '.join(map(_text, default))}]"
    return _escape(str(default))


def _summary(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").strip().split("\n\n")[0].split())


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
