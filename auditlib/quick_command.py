"""Commands that convert their values themselves, as typer imports pydantic for it, which takes a small audit's time."""

from __future__ import annotations

from enum import Enum
from typing import Any, get_args

from typer import BadParameter, Context
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption


class QuickCommand(TyperCommand):
    """A command whose parameters are switches, or of types that are made from one string, or lists of such."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters, as typer has them, with a conversion that imports nothing."""
        return _plain(super().get_params(ctx))


class QuickGroup(TyperGroup):
    """A group of commands with such parameters of its own."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters, as typer has them, with a conversion that imports nothing."""
        return _plain(super().get_params(ctx))


def _plain(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        parameter._runtime_param = _Conversion()
    return parameters


class _Conversion:
    """What typer asks of the object that converts a parameter's values."""

    def coerce(self, value: Any, param: TyperOption | TyperArgument, ctx: Context) -> Any:
        """The value of the declared type. Raises BadParameter for what is no choice of an enumeration."""
        wanted = param.type_descriptor.annotation
        if not param.multiple:
            return None if value is None else _converted(value, wanted, param, ctx)
        (item,) = get_args(wanted)
        return [_converted(one, item, param, ctx) for one in value or ()]


def _converted(value: Any, wanted: Any, param: TyperOption | TyperArgument, ctx: Context) -> Any:
    try:
        return wanted(value)
    except ValueError:
        if not issubclass(wanted, Enum):
            raise
        choices = ", ".join(repr(choice.value) for choice in wanted)
        raise BadParameter(f"{value!r} is not one of {choices}.", ctx=ctx, param=param) from None
