"""The language as the model's fields tell it: every table with its keys, types, defaults and meanings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from datetime import date
from fractions import Fraction
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from prorata.engine.calendar import MONTHS
from prorata.engine.money import Minor
from prorata.engine.policy.model import PolicyKeys, Role, Rules, When
from prorata.engine.policy.tariff import AddOn, Plan, Price, PriceRow

RULE_TABLES: tuple[str, ...] = tuple(one.name for one in fields(Rules))


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table."""

    name: str
    type: Any
    optional: bool
    default: Any
    meaning: str
    example: str

    @property
    def required(self) -> bool:
        return self.default is MISSING

    @property
    def choices(self) -> tuple[str, ...]:
        """The words allowed, where the key takes one of a few."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()


@cache
def keys_of(table: type) -> tuple[Key, ...]:
    """The keys of a table, in the order of the model."""
    hints = get_type_hints(table)
    return tuple(_key(one, hints[one.name]) for one in fields(table) if one.init)


def _key(one: Field[Any], hint: Any) -> Key:
    optional = get_origin(hint) in (Union, UnionType) and type(None) in get_args(hint)
    if optional:
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    return Key(
        name=one.metadata.get("name") or one.name,
        type=hint,
        optional=optional,
        default=one.default,
        meaning=one.metadata.get("meaning", ""),
        example=one.metadata.get("example", ""),
    )


def tables() -> Iterator[tuple[str, type]]:
    """Every table of a policy file with the path a reader writes it at, in the order of the reference page."""
    yield "", PolicyKeys
    yield "plans.NAME", Plan
    yield "add_ons.NAME", AddOn
    yield "….prices", PriceRow
    yield "roles.NAME", Role
    hints = get_type_hints(Rules)
    for name in RULE_TABLES:
        yield name, hints[name]
    yield "when", When


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a policy file, for editors."""
    rule_tables = {name: table for name, table in tables() if name in RULE_TABLES}
    rules = {name: _table_schema(table) for name, table in rule_tables.items()}
    when = _table_schema(When)
    when["properties"] |= {name: {"$ref": f"#/properties/{name}"} for name in rules}
    schema = _table_schema(PolicyKeys)
    schema["properties"] |= rules
    schema["properties"]["when"] = {"type": "array", "items": when, "description": When.__doc__}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Prorata policy",
        "description": "How a vendor bills seats.",
        **schema,
    }


def _table_schema(table: type) -> dict[str, Any]:
    properties = {key.name: _key_schema(key) for key in keys_of(table)}
    required = [key.name for key in keys_of(table) if key.required]
    if table in (Plan, AddOn):
        properties["price"] = _key_schema(keys_of(PriceRow)[0], once=table is AddOn)
        if table is Plan:
            properties["base"] = _key_schema(keys_of(PriceRow)[1])
        required.remove("prices")
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        schema["required"] = required
    if table in (Plan, AddOn):
        schema["oneOf"] = [{"required": ["price"]}, {"required": ["prices"]}]
    if table.__doc__ and table is not PolicyKeys:
        schema["description"] = table.__doc__.strip()
    return schema


def _key_schema(key: Key, *, once: bool = True) -> dict[str, Any]:
    schema = _type_schema(key.type)
    if key.type is Price and not (once and key.name == "price"):
        schema["pattern"] = schema["pattern"].replace("(once|per (", "(per (")
    schema["description"] = key.meaning.replace("`", "")
    if key.type is Minor:
        schema["default"] = str(key.default)
    elif isinstance(key.default, (str, int)) or key.default == ():
        schema["default"] = list(key.default) if key.default == () else key.default
    return schema


def _type_schema(type_: Any) -> dict[str, Any]:
    if get_origin(type_) is Literal:
        return {"enum": list(get_args(type_))}
    if get_origin(type_) is tuple:
        items = get_args(type_)[0]
        return {"type": "array", "items": _type_schema(items), **({} if items is str else {"minItems": 1})}
    if get_origin(type_) is Mapping:
        return {"type": "object", "additionalProperties": _type_schema(get_args(type_)[1]), "minProperties": 1}
    if type_ is Price:
        return {"type": "string", "pattern": rf"^[0-9]+(\.[0-9]+)? (once|per ({'|'.join(MONTHS)}))$"}
    if type_ is Minor:
        return {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}
    if type_ is Fraction:
        return {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}
    if type_ is date:
        return {"type": "string", "format": "date"}
    simple = {str: "string", bool: "boolean", int: "integer"}
    if type_ in simple:
        return {"type": simple[type_], **({"minimum": 0} if type_ is int else {})}
    return _table_schema(type_)
