"""The operations of a contract."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from msgspec import Struct

from emulator.contract.document import Document, dereference
from emulator.contract.parameters import Location, Parameter
from emulator.contract.validation import SchemaValidator
from emulator.errors import ContractError

JSON, YAML = "application/json", "application/yaml"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_READABLE_TYPES = frozenset({"string", "instant", "integer", "boolean", "array"})
_LOCATIONS = frozenset(Location)


class Body(Struct, frozen=True):
    """The body of an operation. `fields` are the properties that its schema declares, `secrets` the names of those,
    at whatever depth, that hold one (`format: password`); `deep_secrets` says whether some stand inside of others.

    One that can also be `application/yaml` is handed on as text: its reader knows more than a schema can say.
    """

    required: bool
    fields: frozenset[str]
    secrets: frozenset[str]
    deep_secrets: bool
    validator: SchemaValidator
    media_types: frozenset[str]

    @property
    def is_text(self) -> bool:
        return YAML in self.media_types


class Operation(Struct, frozen=True, eq=False, dict=True):
    """One operation, read from the document when first used: most servers serve a few operations of many."""

    document: Document
    path: str
    method: str
    node: dict[str, Any]
    shared_parameters: list[Any]

    def __repr__(self) -> str:  # without the whole document
        return f"{type(self).__name__}(path={self.path!r}, method={self.method!r})"

    @cached_property
    def operation_id(self) -> str:
        return str(self.node["operationId"])

    @cached_property
    def path_names(self) -> tuple[tuple[int, str], ...]:
        """The positions of the path's variable parts, with their names."""
        parts = self.path.split("/")[1:]
        return tuple((index, part[1:-1]) for index, part in enumerate(parts) if part.startswith("{"))

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(self._read_parameters())

    @cached_property
    def read_parameters(self) -> tuple[Parameter, ...]:
        """Those that are read against their schema: all but the parts of the path."""
        return tuple(one for one in self.parameters if one.location is not Location.PATH)

    @cached_property
    def query_names(self) -> frozenset[str]:
        return frozenset(one.name for one in self.parameters if one.location is Location.QUERY)

    def _read_parameters(self) -> Iterator[Parameter]:
        declared = [
            dereference(self.document, one) for one in (*self.shared_parameters, *self.node.get("parameters", ()))
        ]
        by_name = {(one["name"], one["in"]): one for one in declared}  # the operation's own ones come last, and count
        in_path = {name for name, location in by_name if location == Location.PATH}
        if in_path != {name for _, name in self.path_names}:
            raise ContractError(f"{self.operation_id}: the parameters in {self.path} are not those that it declares")
        for parameter in by_name.values():
            schema = dereference(self.document, parameter.get("schema"))
            if not isinstance(schema, dict):
                raise ContractError(f"{self.operation_id}: parameter {parameter['name']} has no schema")
            kind = "instant" if schema.get("format") == "date-time" else str(schema.get("type"))
            if kind not in _READABLE_TYPES or parameter["in"] not in _LOCATIONS:
                raise ContractError(
                    f"{self.operation_id}: parameter {parameter['name']} is a {kind} in {parameter['in']},"
                    " which the emulator cannot read"
                )
            yield Parameter(
                parameter["name"],
                Location(parameter["in"]),
                bool(parameter.get("required")),
                kind,
                schema.get("default"),
                SchemaValidator(self.document, schema),
            )

    @cached_property
    def body(self) -> Body | None:
        """The body that it takes, None if it takes none."""
        node = dereference(self.document, self.node.get("requestBody"))
        if node is None:
            return None
        schema = node["content"].get(JSON, {}).get("schema")
        if schema is None:
            raise ContractError(f"{self.operation_id}: its body is not JSON, which the emulator cannot read")
        properties = dict(_properties(self.document, schema))
        secrets = {name for name, inner in properties.items() if _is_secret(self.document, inner)}
        deep = {name for inner in properties.values() for name in _secrets(self.document, inner, set())}
        return Body(
            required=bool(node.get("required")),
            fields=frozenset(properties),
            secrets=frozenset(secrets | deep),
            deep_secrets=bool(deep),
            validator=SchemaValidator(self.document, schema),
            media_types=frozenset(node["content"]),
        )

    @property
    def token_required(self) -> bool:
        """Whether a request without a token is refused."""
        return bool(self.security) and {} not in self.security

    @property
    def security(self) -> list[dict[str, list[str]]]:
        """The ways to be admitted, any of which will do; none means that nothing is asked for."""
        default: list[dict[str, list[str]]] = self.document.get("security", [])
        security: list[dict[str, list[str]]] = self.node.get("security", default)
        return security


def _properties(document: Document, schema: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  a schema can be true or false
    """The properties that a schema declares, in whichever of its parts."""
    schema = dereference(document, schema)
    if not isinstance(schema, dict):
        return
    yield from schema.get("properties", {}).items()
    for combination in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(combination, ()):
            yield from _properties(document, part)


def _secrets(document: Document, node: Any, seen: set[int]) -> Iterator[str]:  # noqa: ANN401  as above
    """The properties, anywhere inside of what a schema describes, that are said to be secret."""
    node = dereference(document, node)
    if id(node) in seen:  # a schema may contain itself
        return
    seen.add(id(node))
    if isinstance(node, dict):
        for name, schema in node.get("properties", {}).items():
            if _is_secret(document, schema):
                yield name
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            if isinstance(part, dict | list):
                yield from _secrets(document, part, seen)


def _is_secret(document: Document, schema: Any) -> bool:  # noqa: ANN401  as above
    schema = dereference(document, schema)
    return isinstance(schema, dict) and schema.get("format") == "password"


def operations(document: Document) -> dict[str, Operation]:
    """Every operation of `document` by its id. Raises ContractError where an id is missing or used twice."""
    found: dict[str, Operation] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation_id = item[method].get("operationId")
            if operation_id is None:
                raise ContractError(f"the contract gives {method.upper()} {path} no operationId")
            if operation_id in found:
                raise ContractError(f"the contract uses the operationId {operation_id} twice")
            found[operation_id] = Operation(document, path, method.upper(), item[method], item.get("parameters", []))
    return found
