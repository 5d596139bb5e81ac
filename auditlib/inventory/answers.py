"""Answers about an inventory that are kept with it: many rules ask the same, and a search takes as long as a rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from auditlib.inventory import Inventory

Answer = TypeVar("Answer")
Item = TypeVar("Item")


def answered_once(question: Callable[[Inventory], Answer]) -> Callable[[Inventory], Answer]:
    """Work an answer out when it is first asked for; as everybody gets the same object, nobody may change it."""

    @wraps(question)
    def answer(inventory: Inventory) -> Answer:
        if question not in inventory.answers:
            inventory.answers[question] = question(inventory)
        found: Answer = inventory.answers[question]
        return found

    return answer


def answered_once_each(question: Callable[[Inventory, Item], Answer]) -> Callable[[Inventory, Item], Answer]:
    """Work the answer for a record out when it is first asked for; the same record is the same object.

    The record is kept with its answer, so that no other object ever has its identity.
    """

    @wraps(question)
    def answer(inventory: Inventory, item: Item) -> Answer:
        known: dict[int, tuple[Item, Answer]] = inventory.answers.setdefault(question, {})
        if id(item) not in known:
            known[id(item)] = (item, question(inventory, item))
        return known[id(item)][1]

    return answer
