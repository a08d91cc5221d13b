"""Writes src/synaptask/_generated.py from what the server says of itself.

    python generate.py SYNAPTASK_BINARY            writes the file
    python generate.py SYNAPTASK_BINARY --check    fails if the file is another

Nothing about an operation is written by hand: one that the server's table gains is here after the next run.
"""

from __future__ import annotations

import json
import keyword
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from described import Described, Operation, described

TARGET = Path(__file__).resolve().parent / "src/synaptask/_generated.py"
LINE_MAX = 120

Schema = Any  # a JSON Schema: an object or a boolean

SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}

HEAD = '''"""Types and methods of every operation of the server. Written by generate.py; do not edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union, cast, overload

from typing_extensions import NotRequired, TypedDict, Unpack, final


@dataclass(frozen=True)
class Way:
    """How an operation travels."""

    method: str | None = None
    """Over REST; None if it goes over sockets alone."""
    path: str | None = None
    socket: bool = True
    """Whether it goes over sockets."""
    batch: str | None = None
    """The field that names the batch, so that the operation can be sent again and is done once."""
    relay: bool = False
    """Whether it is passed on and forgotten."""
'''


def camel(name: str) -> str:
    """`node:publish:update` → `NodePublishUpdate`; what is camel already stays."""
    words = name.replace(":", " ").replace("_", " ").replace("-", " ").split()
    return "".join(word[:1].upper() + word[1:] for word in words)


@dataclass
class Types:
    """Named types, in the order in which they are met."""

    defs: dict[str, Schema]
    written: dict[str, str] = field(default_factory=dict)
    schemas: dict[str, Schema] = field(default_factory=dict)

    def of(self, schema: Schema, name: str) -> str:
        """The Python type of a schema; `name` is for what needs one."""
        if schema is True or schema == {}:
            return "object"
        if "$ref" in schema:
            return self.named(schema["$ref"].rsplit("/", 1)[-1])
        if "const" in schema:
            return literal([schema["const"]])
        if "enum" in schema:
            return literal(schema["enum"])
        for union in ("anyOf", "oneOf"):
            # Beside properties it says which of them there are together.
            if union in schema and "properties" not in schema:
                many = schema[union]
                return self.union(
                    [self.of(one, name if len(many) == 1 else f"{name}{nth}") for nth, one in enumerate(many, 1)]
                )
        if "allOf" in schema:
            return self.of(self.flat(schema), name)
        kinds = schema.get("type", "object" if "properties" in schema else None)
        if isinstance(kinds, list):
            return self.union([self.of({**schema, "type": kind}, name) for kind in kinds])
        if kinds is None:
            return "object"
        if kinds == "array":
            return f"list[{self.of(schema.get('items', True), name + 'Item')}]"
        if kinds == "object":
            return self.object(schema, name)
        return SIMPLE[kinds]

    def object(self, schema: Schema, name: str) -> str:
        if not schema.get("properties"):
            values = schema.get("additionalProperties", True)
            # What has no fields at all still is an object.
            return f"dict[str, {self.of(values if values is not False else True, name + 'Value')}]"
        event = schema["properties"].get("event", {}).get("const")
        return self.write(name if event is None else f"{camel(event)}Part", schema)

    def union(self, types: list[str]) -> str:
        once = list(dict.fromkeys(part for one in types for part in split_union(one)))
        if "object" in once:
            return "object"
        return " | ".join(sorted(once, key=lambda one: one == "None"))

    def named(self, name: str) -> str:
        """A type among the definitions, written when it is first met."""
        title = camel(name)
        if title not in self.written:
            self.written[title] = ""  # it may refer to itself
            schema = self.flat(self.defs[name])
            if schema.get("properties"):
                del self.written[title]
                self.write(title, schema)
            else:
                doc = docstring(schema, "")
                self.written[title] = alias(title, f"Union[{quoted(self.of(schema, title))}]") + doc
        return title

    def flat(self, schema: Schema) -> Schema:
        """A schema with what it is made of in one object."""
        if "allOf" not in schema:
            return schema
        merged: dict[str, Any] = {**{key: value for key, value in schema.items() if key != "allOf"}}
        for part in schema["allOf"]:
            if "$ref" in part:
                part = self.defs[part["$ref"].rsplit("/", 1)[-1]]
            part = self.flat(part)
            merged["properties"] = {**merged.get("properties", {}), **part.get("properties", {})}
            merged["required"] = [*merged.get("required", []), *part.get("required", [])]
        merged["type"] = "object"
        return merged

    def write(self, name: str, schema: Schema) -> str:
        """A TypedDict."""
        if self.schemas.get(name, schema) != schema:
            raise SystemExit(f"two types are called {name}")
        if name in self.written:
            return name
        self.schemas[name] = schema
        self.written[name] = ""
        required = set(schema.get("required", ()))
        fields = {}
        for key, value in schema["properties"].items():
            kind = self.of(value, name + camel(key))
            fields[key] = (kind if key in required else f"NotRequired[{kind}]", describes(value))
        self.written[name] = typed_dict(name, fields, describes(schema))
        return name


def split_union(kind: str) -> Iterator[str]:
    """The members of a union that is written out, and not those inside brackets."""
    depth = start = 0
    for at, char in enumerate(kind):
        depth += (char in "[(") - (char in "])")
        if depth == 0 and kind.startswith(" | ", at):
            yield kind[start:at]
            start = at + 3
    yield kind[start:]


def literal(values: Sequence[object]) -> str:
    words = [value for value in values if value is not None]
    kind = f"Literal[{', '.join(map(text, words))}]" if words else "None"
    return f"{kind} | None" if words and None in values else kind


def text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def quoted(kind: str) -> str:
    """Members of a union, each as a string: they may be written further down."""
    return ", ".join(text(one) if one != "None" else one for one in split_union(kind))


def describes(schema: Schema) -> str:
    return str(schema.get("description", "")) if isinstance(schema, dict) else ""


def docstring(schema: Schema, indent: str) -> str:
    return documented(describes(schema), indent)


def documented(words: str, indent: str) -> str:
    """A docstring; empty if there is nothing to say."""
    words = " ".join(words.split()).replace("\\", "\\\\").replace('"""', "'''")
    if not words:
        return ""
    lines, line = [], f'{indent}"""'
    for word in words.split():
        if len(line) + len(word) + 1 > LINE_MAX - 3 and line.strip() != '"""':
            lines.append(line.rstrip())
            line = indent
        line += word + " "
    end = line.rstrip()
    lines.append(end + (' """' if end.endswith('"') else '"""'))
    return "\n".join(lines) + "\n"


def typed_dict(name: str, fields: dict[str, tuple[str, str]], about: str) -> str:
    if not all(key.isidentifier() and not keyword.iskeyword(key) for key in fields):
        inner = ", ".join(f"{text(key)}: {text(kind)}" for key, (kind, _) in fields.items())
        return f"{name} = TypedDict({text(name)}, {{{inner}}})\n{documented(about, '')}"
    body = documented(about, "    ") + ("\n" if about and fields else "")
    for key, (kind, words) in fields.items():
        body += field_line(key, kind) + documented(words, "    ")
    return f"@final\nclass {name}(TypedDict):\n{body or '    pass' + chr(10)}"


def field_line(key: str, kind: str) -> str:
    line = f"    {key}: {kind}\n"
    return line if len(line) <= LINE_MAX + 1 else f"    {key}: {wrapped(kind, '    ')}\n"


def wrapped(kind: str, indent: str) -> str:
    """A long type over several lines: the words of its outermost brackets, one a line."""
    at = kind.find("[")
    if at < 0:
        return kind
    depth, parts, start = 0, [], at + 1
    for nth in range(at + 1, len(kind)):
        char = kind[nth]
        if depth == 0 and char in ",]":
            parts.append(kind[start:nth].strip())
            start = nth + 1
            if char == "]":
                break
        depth += (char in "[(") - (char in "])")
    rest = kind[start:]
    inner = "".join(f"{indent}    {part},\n" for part in parts)
    return f"{kind[:at]}[\n{inner}{indent}]{rest}"


def alias(name: str, kind: str) -> str:
    line = f"{name} = {kind}\n"
    return line if len(line) <= LINE_MAX + 1 else f"{name} = {wrapped(kind, '')}\n"


@dataclass
class Method:
    """What the methods of one operation need."""

    operation: Operation
    name: str
    input: str
    output: str
    takes: bool
    """Whether any input is required."""


def methods_of(types: Types, source: Described) -> list[Method]:
    methods = []
    for operation in source.operations:
        name = camel(operation.event)
        fields = operation.input.get("properties", {})
        kind = types.write(f"{name}Input", {**operation.input, "type": "object", "properties": fields})
        output = "None" if operation.output is None else types.of(operation.output, f"{name}Output")
        takes = bool(operation.input.get("required"))
        methods.append(Method(operation, operation.event.replace(":", "_").replace("-", "_"), kind, output, takes))
    return methods


def methods_text(methods: list[Method], events: dict[str, str], *, is_async: bool) -> str:
    name = "AsyncOperations" if is_async else "Operations"
    prefix = "async def" if is_async else "def"
    awaits = "await " if is_async else ""
    out = f"class {name}:\n"
    out += f'    """Every operation as a method, and by its name{"" if not is_async else "; all to be awaited"}."""\n\n'
    out += f"    {prefix} _send(\n        self, event: str, input: Mapping[str, object], wait: bool | None, timeout: float | None\n"
    out += "    ) -> object:\n        raise NotImplementedError\n\n"
    for one in methods:
        relays = one.operation.is_relay
        own = one.operation.input.get("additionalProperties") is True
        how = "def" if relays and is_async else prefix
        given = "**input: object" if own else f"**input: Unpack[{one.input}]"
        out += f"    {how} {one.name}(self, {given}) -> {one.output}:\n"
        out += documented(one.operation.about, "        ")
        if relays:
            out += f"        self._tell({text(one.operation.event)}, input)\n\n"
        else:
            sent = f"{awaits}self._send({text(one.operation.event)}, input, None, None)"
            line = f"        return cast({one.output}, {sent})\n"
            if "|" in one.output or "[" in one.output:
                line = f"        return cast({text(one.output)}, {sent})\n"
            if len(line) > LINE_MAX + 1:
                line = line.replace(
                    f"cast({one.output}, {sent})", f"cast(\n            {one.output}, {sent}\n        )"
                )
            out += line + "\n"
    out += (
        "    def _tell(self, event: str, input: Mapping[str, object]) -> None:\n        raise NotImplementedError\n\n"
    )
    calls = [one for one in methods if not one.operation.is_relay]
    for one in calls:
        default = "" if one.takes else " = ..."
        out += "    @overload\n"
        out += f"    {prefix} call(\n        self, event: Literal[{text(one.operation.event)}], input: {one.input}{default},"
        out += "\n        *, wait: bool | None = ..., timeout: float | None = ...\n"
        out += f"    ) -> {one.output}: ...\n\n"
    out += f"    {prefix} call(\n        self, event: str, input: Any = None, *, wait: bool | None = None, timeout: float | None = None\n"
    out += "    ) -> Any:\n"
    out += documented(
        "Carries out an operation by its name. `wait`: waits and asks again when the server says after how many seconds to,"
        " instead of raising; `timeout`: seconds in which the answer must have come. By default both are the client's.",
        "        ",
    )
    out += f"        return {awaits}self._send(event, {{}} if input is None else input, wait, timeout)\n\n"
    out += "    def _on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:\n        raise NotImplementedError\n\n"
    for name, kind in events.items():
        out += f"    @overload\n    def on(self, event: Literal[{text(name)}], listener: Callable[[{kind}], None]) -> Callable[[], None]: ...\n\n"
    out += "    def on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:\n"
    out += documented("Listens to an event of the server. Returns what lets go of the listener.", "        ")
    out += "        return self._on(event, listener)\n"
    return out


def way_text(operation: Operation) -> str:
    parts = []
    if operation.method is not None:
        parts += [f"method={text(operation.method)}", f"path={text(operation.path)}"]
    if not operation.over_sockets:
        parts.append("socket=False")
    if operation.batch is not None:
        parts.append(f"batch={text(operation.batch)}")
    if operation.is_relay:
        parts.append("relay=True")
    return f"Way({', '.join(parts)})"


def written(source: Described) -> str:
    """The whole file."""
    types = Types(source.defs)
    methods = methods_of(types, source)
    events = {name: types.of(schema, f"{camel(name)}Event") for name, schema in source.events.items()}
    errors: dict[str, None] = {}
    error_aliases = []
    for one in methods:
        errors.update(dict.fromkeys(one.operation.errors))
        if one.operation.errors:
            error_aliases.append(alias(f"{camel(one.operation.event)}Error", literal(one.operation.errors)))
    relays = [one.operation.event for one in methods if one.operation.is_relay]
    parts = [
        HEAD,
        *types.written.values(),
        alias("ErrorName", literal(sorted([*errors, *source.connection_errors]))),
        *error_aliases,
        alias("OperationName", literal([one.operation.event for one in methods if not one.operation.is_relay])),
        alias("RelayName", literal(relays)),
        alias("EventName", literal(list(events))),
        methods_text(methods, events, is_async=False),
        methods_text(methods, events, is_async=True),
        "OPERATIONS: dict[str, Way] = {\n"
        + "".join(f"    {text(one.operation.event)}: {way_text(one.operation)},\n" for one in methods)
        + "}\n",
    ]
    names = sorted(
        {
            *types.written,
            "ErrorName",
            "OperationName",
            "RelayName",
            "EventName",
            *(one.split(" ", 1)[0] for one in error_aliases),
        }
    )
    parts.append("__all__ = [\n" + "".join(f"    {text(name)},\n" for name in names) + "]\n")
    return "\n\n".join(part for part in parts if part)


def main() -> None:
    binary, *more = sys.argv[1:]
    new = written(described(lambda *words: json.loads(subprocess.check_output([binary, *words], text=True))))
    if more == ["--check"]:
        if TARGET.read_text(encoding="utf-8") != new:
            raise SystemExit("src/synaptask/_generated.py is not what the server says: run `make generate`")
    else:
        TARGET.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
